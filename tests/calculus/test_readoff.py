"""The matrix of a linear operator, against the operator itself."""

from __future__ import annotations

import numpy as np
import pytest

import matcalc as mc
import matcalc.operators
from matcalc.calculus.differential import differential, direction_for
from matcalc.calculus.readoff import matrix_of
from matcalc.checking.points import Point, point
from matcalc.checking.precise import evaluate, lifted
from matcalc.checking.question import CheckOptions, Question
from matcalc.expression.operator import TABLE, Sample

SAMPLES = [(op.name, sample) for op in TABLE.values() for sample in op.samples]
