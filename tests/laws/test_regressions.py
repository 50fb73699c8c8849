"""What random expressions have found, each by a name that says what was wrong."""

from __future__ import annotations

import matcalc as mc


def test_a_size_that_is_printed_as_a_power_reads_back() -> None:
    let = {"x": "vector(n*n)"}
    g = mc.grad("sum(tanh(reshape(exp(x), n, n)))", "x", let)
    assert "n^2" in str(g)
    assert mc.parse(str(g), let).node is g.shown


def test_a_basis_vector_of_one_entry_is_a_number() -> None:
    f = mc.parse("sum(maxunpool1d(basis(0, 1), x, 2))", {"x": "vector(2)"})
    assert float(f.compile()([0.5, 1.0])) == 1.0
