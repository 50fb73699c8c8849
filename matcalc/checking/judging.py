"""Whether a claim holds at one point.

The truth is a central difference in many digits, through the operators' reference arithmetic (see
:mod:`matcalc.checking.landscape`). A formula is evaluated in as many digits
(:mod:`matcalc.checking.formula_sight`), and a function is called with floats
(:mod:`matcalc.checking.function_sight`).
"""

from __future__ import annotations

from matcalc.checking.evidence import Evidence
from matcalc.checking.formula_sight import judged_formula
from matcalc.checking.function_sight import judged_function
from matcalc.checking.judgement import Judgement
from matcalc.checking.landscape import FINE, QUICK
from matcalc.checking.points import Point
from matcalc.checking.question import Question
from matcalc.checking.testimony import Testimony
from matcalc.checking.tolerance import BLIND
from matcalc.expression.nodes import Node


def judged(question: Question, at: Point, number: int) -> Judgement:
    """The judgement at a point; ``number`` seeds the directions."""
    judge = judged_formula if isinstance(question.claimed, Node) else judged_function
    return judge(question, at, number)


def precise_testimony(evidence: Evidence) -> Testimony:
    """The claim against differences in many digits, at every point."""
    found = [seen.judgement for seen in evidence.points]
    if any(each is None for each in found):
        return Testimony("precise", None, "the sizes are too large for arithmetic in 90 digits")
    judgements = [each for each in found if each is not None]
    if all(each.holds and each.blank for each in judgements) and evidence.question.changes:
        return Testimony("precise", None, f"the function does not change in {FINE.digits} digits at any of the points")
    clear = [each for each in judgements if each.visible <= BLIND or not each.holds] or judgements
    visible, worst = max(each.visible for each in clear), max(each.error for each in clear)
    against = frozenset(seen.number for seen in evidence.points if seen.judgement and not seen.judgement.holds)
    if against:
        says = f"differences in {QUICK.digits} digits disagree with it in {len(against)} of {len(judgements)} trials"
        wrong = max(each.error for each in judgements if not each.holds)
        return Testimony("precise", False, says, wrong, visible, against)
    doubt = next((each.doubt for each in clear if each.doubt), "")
    if doubt:
        return Testimony("precise", None, doubt, worst, visible)
    says = f"differences in {QUICK.digits} digits agree (an error of {visible:.0e} relative would show)"
    return Testimony("precise", True, says, worst, visible)
