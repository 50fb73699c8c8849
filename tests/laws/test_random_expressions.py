"""Laws on random expressions over the operator table."""

from __future__ import annotations

import re

import pytest
from expressions import CALLED, Expressions
from fuzz import outcomes
from hypothesis import given, settings
from hypothesis import strategies as st
from notation import NOTATIONS

import matcalc as mc
from matcalc.expression.nodes import postorder
from matcalc.expression.operator import TABLE
from matcalc.expression.property import PROPERTIES

GOOD = ("agrees", "no point", "constant", "torch wrong", "ill-conditioned", "at a kink")
ONE_TURN = len(CALLED) + len(NOTATIONS)
IN_DERIVATIVES_ALONE = {"placed", "kept_from_zero", "pending"}
Made = tuple[str, dict[str, str]]


@pytest.mark.parametrize("seed", range(4))
def test_the_gradient_of_random_expressions_is_autograds(seed: int) -> None:
    made = Expressions(100 + seed)
    said = {text: list(refused_or(text, let, seed)) for text, let in (made.next() for _ in range(12))}
    assert {text: what for text, what in said.items() if not all(w.startswith((*GOOD, "refused")) for w in what)} == {}
    assert sum(what == ["agrees on torch", "agrees on numpy"] for what in said.values()) >= 7


def refused_or(text: str, let: dict[str, str], number: int) -> list[str]:
    """The outcomes, or that it is refused: a derivative that depends on which of two sizes is larger, for one."""
    try:
        return list(outcomes(text, let, number, ("torch", "numpy")))
    except mc.UnsupportedError:
        return ["refused"]


TEXTS = st.integers(0, 2**32 - 1).map(lambda seed: Expressions(seed).next())


@settings(max_examples=40, deadline=None, derandomize=True)
@given(TEXTS)
def test_an_expression_reads_back_as_the_same_node_where_its_text_is_stable(made: Made) -> None:
    f = mc.parse(*made)
    once = mc.parse(str(f), made[1])
    assert str(mc.parse(str(once), made[1])) == str(once)


def test_one_turn_of_a_seed_has_every_operator_and_every_property() -> None:
    made = Expressions(5)
    operators, properties = set[str](), set[str]()
    for text, let in (made.next() for _ in range(ONE_TURN)):
        operators |= set(re.findall(r"\b(\w+)\(", text)) | {node.op for node in postorder(mc.parse(text, let).node)}
        properties |= {word for kind in let.values() for word in re.findall(r"\w+", kind.partition(";")[2])}
    assert set(TABLE) - operators == IN_DERIVATIVES_ALONE
    assert set(PROPERTIES) - properties == set()
