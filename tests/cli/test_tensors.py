"""``matcalc jacobian`` and ``hessian``, their claims and their code, from the command line."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import torch

from matcalc.cli.main import run

DOUBLE = {"dtype": torch.float64}


def called(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output, standard error."""
    with pytest.raises(SystemExit) as stopped:
        run(arguments)
    shown = capsys.readouterr()
    return int(stopped.value.code or 0), shown.out, shown.err


@pytest.mark.parametrize(
    ("arguments", "lines"),
    [
        (("tanh(W*x)", "--wrt", "x"), ["  diag(1 - tanh(W*x).^2)*W"]),
        (
            ("tanh(W*x)", "--wrt", "x", "--layout", "denominator"),
            ["  in denominator layout, the transpose", "", "  W.T*diag(1 - tanh(W*x).^2)"],
        ),
        (
            ("A*X*B", "--wrt", "X"),
            [
                "  as the matrix of vec, which takes columns; the tensor is (n, p, m, k)", "", "  kron(B.T, A)", "",
                "  J[i,j,k,l] = A[i,k]*B[l,j]", '  einsum("ik,lj->ijkl", A, B)',
            ],
        ),
        (
            ("A*X*B", "--wrt", "X", "--layout", "denominator"),
            [
                "  as the matrix of vec, which takes columns, transposed for denominator layout; "
                "the tensor is (n, p, m, k)", "", "  kron(B, A.T)",
            ],
        ),
        (
            ("conv1d(x, k)", "--wrt", "k"),
            [
                "  there is no matrix form; the differential, which the code applies to a basis: "
                "a tensor (n - m + 1, m)", "", "  conv1d(x, dk)",
            ],
        ),
        (("tanh(x)", "--wrt", "x", "--wrt", "x"), ["Jacobian of tanh(x) by x and x"]),
    ],
)  # fmt: skip
def test_a_jacobian_says_how_it_is_to_be_read(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], lines: list[str]
) -> None:
    code, out, err = called(capsys, "jacobian", *arguments)
    assert (code, err) == (0, "")
    assert "\n".join(lines) in out
    assert "\nverified against autograd: 5 trials" in out


def test_json_of_a_jacobian_holds_both_notations_and_the_axes(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = called(capsys, "jacobian", "A*X*B", "--wrt", "X", "--format", "json", "--layout", "denominator")
    record = json.loads(out)
    assert code == 0
    assert {key: record[key] for key in ("kind", "wrt", "by", "layout", "closed", "shape")} == {
        "kind": "jacobian", "wrt": "X", "by": ["X"], "layout": "denominator", "closed": True,
        "shape": ["n", "p", "m", "k"],
    }  # fmt: skip
    assert record["result"] == "kron(B, A.T)"
    assert record["latex"] == r"B \otimes A^\top"
    assert record["index_notation"] == "J[i,j,k,l] = A[i,k]*B[l,j]"
    assert record["einsum"] == 'einsum("ik,lj->ijkl", A, B)'
    assert record["check"]["verdict"] == "verified"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (
            ("t*x'*A*x", "--wrt", "x", "--wrt", "t", "--let", "t: scalar"),
            {"by": ["x", "t"], "shape": ["n"], "result": "(A + A.T)*x", "closed": True},
        ),
        (
            ("norm2(conv1d(x, k))^2", "--wrt", "k"),
            {
                "by": ["k"], "shape": ["m", "m"], "result": "2*conv1d(x, conv1d(x, dk))", "closed": False,
                "index_notation": "", "einsum": "",
            },
        ),
        (
            ("logdet(X)", "--wrt", "X", "--let", "X: matrix(n, n; posdef)"),
            {
                "by": ["X"], "projected": "symmetric", "closed": True,
                "result": "-1/2*kron(inv(X), inv(X))*(commutation(n, n) + eye(n^2))",
            },
        ),
        (
            ("logdet(X)", "--wrt", "X", "--let", "X: matrix(n, n; posdef)", "--unconstrained"),
            {"projected": "", "result": "-commutation(n, n)*kron(inv(X), inv(X))"},
        ),
    ],
)  # fmt: skip
def test_json_of_a_hessian(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], expected: dict[str, Any]
) -> None:
    code, out, _ = called(capsys, "hessian", *arguments, "--format", "json", "--no-check")
    record = json.loads(out)
    assert (code, record["kind"], record["check"]) == (0, "hessian", None)
    assert {key: record[key] for key in expected} == expected


def test_markdown_and_latex_of_a_jacobian(capsys: pytest.CaptureFixture[str]) -> None:
    lines = called(capsys, "jacobian", "A*X*B", "--wrt", "X", "--format", "markdown", "--no-check")[1].splitlines()
    assert lines[:5] == [
        "## Jacobian of `A*X*B` by `X`", "", r"$$ B^\top \otimes A $$", "", r"$$ J_{i j k l} = A_{i k} B_{l j} $$",
    ]  # fmt: skip
    turned = called(
        capsys, "jacobian", "A*X*B", "--wrt", "X", "--format", "latex", "--layout", "denominator", "--no-check"
    )
    assert turned[1] == "B \\otimes A^\\top\n"


def made(text: str, name: str) -> Any:
    space: dict[str, Any] = {}
    exec(text, space)  # noqa: S102  the emitted module is what is tested
    return space[name]


def test_code_of_a_hessian_is_a_function_that_runs(capsys: pytest.CaptureFixture[str]) -> None:
    x, A = torch.randn(3, **DOUBLE), torch.randn(3, 3, **DOUBLE)
    asked = ("code", "(x'*A*x)^2", "--wrt", "x", "--kind", "hessian")
    code, out, _ = called(capsys, *asked)
    assert code == 0
    wanted = torch.func.hessian(lambda x: (x @ A @ x) ** 2)(x)
    torch.testing.assert_close(made(out, "hessian")(x=x, A=A), wanted)
    by_numpy = made(called(capsys, *asked, "--target", "numpy")[1], "hessian")
    np.testing.assert_allclose(by_numpy(x=x.numpy(), A=A.numpy()), wanted.numpy(), rtol=1e-12)


def test_code_of_a_hessian_by_a_matrix_and_of_a_mixed_block(capsys: pytest.CaptureFixture[str]) -> None:
    given = {"T": torch.randn(4, 5, **DOUBLE), "U": torch.randn(4, 2, **DOUBLE), "V": torch.randn(5, 2, **DOUBLE)}

    def loss(U: torch.Tensor, V: torch.Tensor) -> torch.Tensor:
        return ((given["T"] - U @ V.mT) ** 2).sum()

    blocks = torch.func.hessian(loss, argnums=(0, 1))(given["U"], given["V"])
    for names, wanted in ((("U",), blocks[0][0]), (("U", "V"), blocks[0][1]), (("V", "U"), blocks[1][0])):
        wrt = [part for name in names for part in ("--wrt", name)]
        _, out, _ = called(capsys, "code", "norm2(T - U*V')^2", *wrt, "--kind", "hessian")
        torch.testing.assert_close(made(out, "hessian")(**given), wanted)


def test_code_of_a_jacobian_without_a_matrix_form_runs(capsys: pytest.CaptureFixture[str]) -> None:
    x, k = torch.randn(6, **DOUBLE), torch.randn(3, **DOUBLE)
    _, out, _ = called(capsys, "code", "conv1d(x, k)", "--wrt", "k", "--kind", "jacobian")
    torch.testing.assert_close(made(out, "jacobian")(x=x, k=k), x.unfold(0, 3, 1))


@pytest.mark.parametrize(
    ("text", "claim", "code", "says"),
    [
        ("A*X*B", "kron(B', A)", 0, "verified against autograd"),
        ("A*X*B", "kron(A, B')", 1, "refuted"),
        ("A*X*B", "kron(B, A')", 1, "transposed: the claim is the transpose of the Jacobian"),
    ],
)
def test_a_claim_of_a_jacobian(capsys: pytest.CaptureFixture[str], text: str, claim: str, code: int, says: str) -> None:
    found, out, _ = called(capsys, "check", text, "--wrt", "X", "--kind", "jacobian", "--claim", claim)
    assert (found, says in out) == (code, True)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("code", "A*x", "--wrt", "x", "--kind", "hessian"), "hessian needs a scalar"),
        (("code", "x'*x", "--wrt", "x", "--kind", "curl"), "the kinds are grad, jacobian and hessian"),
        (("code", "x'*x", "--wrt", "x", "--wrt", "x"), "a gradient is by one name"),
        (("code", "conv1d(x, k)", "--wrt", "k", "--kind", "jacobian", "--with-value"), "compile that apart"),
        (("code", "A*X*B", "--wrt", "X", "--kind", "jacobian", "--unbatched"), "for leading axes alone"),
        (("jacobian", "A*x", "--wrt", "x", "--layout", "both"), "the layouts are numerator, denominator"),
    ],
)
def test_what_is_not_there_is_said(capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], says: str) -> None:
    code, out, err = called(capsys, *arguments)
    assert (code, out) == (2, "")
    assert says in err
