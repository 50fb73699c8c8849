"""The constructors: the only way to make an expression.

Each returns the canonical form of what it is asked for, so that equal values written alike are one object: sums are
flat with like terms collected, products are flat with their scalars in front, factors raised to one power each, a
transpose stands on the outside of an inverse, a power or an elementwise function and is pushed through sums and
products. A canonical form holds wherever the expression as written is defined. The constructors need one another, so
that they call each other by this module: ``build.times``.
"""

from matcalc.expression.constructors.applying import apply, shape_of, with_args
from matcalc.expression.constructors.leaves import (
    constant,
    eye,
    integer_of,
    is_one,
    is_zero,
    new_name,
    number,
    number_of,
    ones,
    size_number,
    variable,
    zeros,
)
from matcalc.expression.constructors.matrices import inverse, is_transposed_sum, matrix_power, product, transpose
from matcalc.expression.constructors.multiples import divide, multiply, scale, times
from matcalc.expression.constructors.powers import power
from matcalc.expression.constructors.spreading import broadcast, spread
from matcalc.expression.constructors.sums import add, mirrored, negate, oriented, primitive, split, subtract

__all__ = [
    "add",
    "apply",
    "broadcast",
    "constant",
    "divide",
    "eye",
    "integer_of",
    "inverse",
    "is_one",
    "is_transposed_sum",
    "is_zero",
    "matrix_power",
    "mirrored",
    "multiply",
    "negate",
    "new_name",
    "number",
    "number_of",
    "ones",
    "oriented",
    "power",
    "primitive",
    "product",
    "scale",
    "shape_of",
    "size_number",
    "split",
    "spread",
    "subtract",
    "times",
    "transpose",
    "variable",
    "with_args",
    "zeros",
]
