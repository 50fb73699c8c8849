"""Pictures of derivatives: the numbers that they show, and the same bytes each time."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

import matcalc as mc
from matcalc import plots
from matcalc.cli.main import run


@pytest.mark.parametrize(
    ("derived", "sizes", "pattern"),
    [
        (mc.jacobian("tanh(x)", "x"), {"n": 4}, np.eye(4)),
        (mc.hessian("sum(tanh(W*x).^2)", "W"), {"n": 2, "m": 3}, np.kron(np.ones((3, 3)), np.eye(2))),
        (mc.jacobian("A*X*B", "X", {"A": "matrix(2, 2; lower)"}), {}, None),
    ],
    ids=["diagonal", "blocks of diagonals", "Kronecker"],
)
def test_the_structure_is_where_the_entries_are_not_zero(
    derived: mc.Jacobian, sizes: dict[str, int], pattern: np.ndarray | None
) -> None:
    found = plots.structure_of(derived, sizes=sizes)
    if pattern is None:  # kron(B', A) of a lower A
        assert found.values.shape == found.nonzero.shape
        pattern = np.kron(np.ones((found.values.shape[0] // 2, found.values.shape[1] // 2)), np.tril(np.ones((2, 2))))
    assert (found.nonzero == pattern.astype(bool)).all()
    assert (found.values[~found.nonzero] == 0).all()


def test_errors_of_differences_have_the_shape_of_a_v() -> None:
    found = plots.errors_of(mc.grad("sum(exp(A*x))", "x"))
    steps, central, one_sided = (np.array(each) for each in (found.steps, found.central, found.one_sided))
    best, best_one_sided = steps[central.argmin()], steps[one_sided.argmin()]
    assert 1e-7 < best < 1e-3
    assert 1e-10 < best_one_sided < 1e-5
    assert central.min() < one_sided.min() < 1e-6
    assert central[0] > 1e4 * central.min() < central[-1]
    assert len(found.sizes) > 5
    assert max(found.float64) < 1e-13
    assert 1e-9 < max(found.float32) < 1e-4


def test_the_same_seed_gives_the_same_bytes() -> None:
    derived = mc.hessian("x'*A*x", "x")
    first, again = (plots.drawn(plots.structure(derived, seed=3)) for _ in range(2))
    assert first == again
    assert first != plots.drawn(plots.structure(derived, seed=4))
    assert first.startswith(b"<?xml")


def test_a_gradient_has_no_structure_and_a_name_that_is_no_picture_is_refused() -> None:
    with pytest.raises(mc.ShapeError, match="no structure"):
        plots.structure(mc.grad("x'*x", "x"))
    with pytest.raises(mc.ParseError, match="no name of a picture"):
        plots.form_of(Path("a.gif"))


def test_the_command_writes_a_picture_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "h.svg"
    line = ["plot", "structure", "norm2(x)^4", "--wrt", "x", "--kind", "hessian", "--out", str(out)]
    for code in (0, 2):
        with pytest.raises(SystemExit) as stopped:
            run(line)
        assert stopped.value.code == code
    assert "is there already" in capsys.readouterr().err
    assert b"<svg" in out.read_bytes()


def test_a_page_holds_its_pictures(tmp_path: Path) -> None:
    out = tmp_path / "page.html"
    with pytest.raises(SystemExit) as stopped:
        run(["doc", "norm2(x)^4", "--wrt", "x", "--kind", "hessian", "--pictures", "--trials", "2", "--out", str(out)])
    assert stopped.value.code == 0
    assert out.read_text(encoding="utf-8").count('<img src="data:image/svg+xml;base64,') == 2


def test_without_matplotlib_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(mc.DeviceError, match="matplotlib is not installed"):
        plots.errors(mc.grad("x'*x", "x"))
