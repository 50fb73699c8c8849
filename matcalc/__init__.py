"""matcalc: matrix calculus derived symbolically and checked against automatic differentiation."""

from matcalc import operators as _operators
from matcalc import properties as _properties
