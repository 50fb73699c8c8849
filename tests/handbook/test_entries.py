"""What a reader is told of an operator follows from its record, and holds."""

import json
import re
from typing import Any

import mpmath
import numpy as np
import pytest

from matcalc.checking.precise import evaluate, lifted
from matcalc.errors import ParseError
from matcalc.expression.nodes import Node
from matcalc.expression.operator import TABLE
from matcalc.expression.property import PROPERTIES
from matcalc.expression.sizes import as_integer
from matcalc.handbook.calls import calls
from matcalc.handbook.entries import entry, matching, property_entry
from matcalc.handbook.shown import as_markdown, as_text, listed

CALLED = sorted(name for name, operator in TABLE.items() if not operator.notation)


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("inv", "d inv(X) = -inv(X)*dX*inv(X)"),
        ("kron", "d kron(X, Y) = kron(X, dY) + kron(dX, Y)"),
        ("tanh", "d tanh(x) = dx.*(1 - tanh(x).^2)"),
        ("polygamma", "d polygamma(2, x) = dx.*polygamma(3, x)"),
        ("sign", "d sign(x) = 0"),
        ("eye", "d eye(n) = 0"),
        ("diag", "d diag(x) = diag(dx)"),
    ],
)
def test_the_differential_is_the_rule_with_letters(name: str, wanted: str) -> None:
    assert entry(name).differentials[0] == wanted


SIZES = {"m": 2, "n": 4, "k": 2, "p": 2, "q": 2, "a": 4, "b": 4, "c": 2, "d": 2}
OTHER_SIZES = {"unvec": {"k": 8}, "reshape": {"p": 4}, "kron_trace": {"a": 4, "b": 8, "c": 2, "d": 2}}
# A constant to derivatives; a rule that needs sizes as numbers; a reference that needs its window as a number.
NO_LIMIT = frozenset({"stopgrad", "polar", "maxunpool1d", "maxunpool2d", "unvech"})  # unvech: sizes that fit no number
MOVING = [
    (name, k)
    for name in CALLED
    for k, call in enumerate(calls(TABLE[name]))
    if call.node and call.arguments and name not in NO_LIMIT
]


@pytest.mark.parametrize(("name", "k"), MOVING)
def test_the_differential_is_the_limit_of_differences(name: str, k: int) -> None:
    call = calls(TABLE[name])[k]
    assert call.node is not None
    sizes, rng = {**SIZES, **OTHER_SIZES.get(name, {})}, np.random.default_rng(3)
    with mpmath.workdps(60):
        at = lifted({x.params[0]: sampled(x, sizes, rng) for x in call.arguments}, call.arguments)
        along = lifted(
            {dx.params[0]: direction(x, dx, sizes, rng) for x, dx in zip(call.arguments, call.directions, strict=True)}
        )
        step = mpmath.mpf("1e-20")
        ends = [evaluate(call.node, {x: at[x] + sign * step * along[f"d{x}"] for x in at}, sizes) for sign in (1, -1)]
        ours = evaluate(call.moved(), {**at, **along}, sizes)
        assert np.abs(ours - (ends[0] - ends[1]) / (2 * step)).max() < mpmath.mpf("1e-15")


def sampled(x: Node, sizes: dict[str, int], rng: np.random.Generator) -> Any:
    rows, cols = (as_integer(size, sizes) for size in x.shape)
    wanted = [PROPERTIES[name] for name in x.params[2]]
    return wanted[-1].sample(rng, rows, cols) if wanted and wanted[-1].sample else rng.standard_normal((rows, cols))


def direction(x: Node, dx: Node, sizes: dict[str, int], rng: np.random.Generator) -> Any:
    """Any direction, or a symmetric one where the operator is a function of symmetric matrices."""
    made = sampled(dx, sizes, rng)
    return made + made.T if {"symmetric", "posdef"} & set(x.params[2]) else made


def test_a_function_that_is_another_way_of_writing_says_so() -> None:
    assert entry("solve").means == ("inv(X)*Y",)
    assert entry("solve").differentials == ("",)


def test_the_domain_is_in_words() -> None:
    assert entry("log").domain == ("checks take x to be positive: every entry is positive",)
    assert entry("eigvals").domain == ("X must be known to be symmetric: equal to its transpose",)


def test_kinks_name_the_value_that_torch_takes() -> None:
    assert entry("elu").kinks == ("at 0, where the derivative is taken to be 1, as torch does",)


def test_code_is_a_call_of_the_letters() -> None:
    assert entry("inv").code["numpy"] == "np.linalg.inv(X)"
    assert entry("eye").code["jax"] == "jnp.eye(n, dtype=float)"
    assert "stands in the module that matcalc code writes" in entry("eigvecs").code["torch"]


def test_an_alias_finds_its_operator() -> None:
    assert entry("trace").name == "tr"


def test_what_is_no_operator_is_refused() -> None:
    with pytest.raises(ParseError, match="no function 'qqq'"):
        entry("qqq")


@pytest.mark.parametrize("name", sorted(TABLE))
def test_every_operator_has_an_entry_in_every_form(name: str) -> None:
    found = entry(name)
    assert as_text(found).startswith(f"{name}: {TABLE[name].says}")
    assert as_markdown(found).startswith(f"### {name}\n")
    assert json.loads(json.dumps(found.record()))["name"] == name
    assert len(found.calls) == len(found.shapes) == len(found.means) == len(TABLE[name].signatures) * bool(found.calls)


@pytest.mark.parametrize("name", CALLED)
def test_no_template_shows_through(name: str) -> None:
    assert not re.search(r"\{\d|\{like|\{rows|\{cols", as_text(entry(name)))


def test_properties_are_found_and_listed_apart() -> None:
    operators, properties = matching("symmetric")
    assert {"symmetric", "posdef", "psd", "diagonal"} <= {each.name for each in properties}
    above, _, below = listed(operators, properties).partition("\n\nproperties, ")
    assert "eigvals" in above
    assert re.search(r"^posdef .*implies psd.*projected onto symmetric$", below, re.MULTILINE)


def test_a_property_says_onto_what_gradients_are_projected() -> None:
    assert property_entry(PROPERTIES["symmetric"]).projection == "1/2*(G + G.T)"
    assert property_entry(PROPERTIES["posdef"]).subspace == "symmetric"
    assert property_entry(PROPERTIES["invertible"]).projection == ""
