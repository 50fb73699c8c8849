"""What a counterexample looks like in a report: matrices in rows, of large ones a part, and JSON keeps all."""

from __future__ import annotations

import numpy as np

import matcalc as mc
from matcalc.checking.counterexamples import counterexample_lines


def test_a_small_matrix_stands_in_rows() -> None:
    lines = list(counterexample_lines({"inputs": {"A": [[1.0, -2.0], [3.5, 4.0]]}}))
    assert lines == ["A = [  1, -2]", "    [3.5,  4]"]


def test_of_a_large_matrix_six_rows_and_columns_are_shown_and_the_rest_is_counted() -> None:
    matrix = np.arange(15.0 * 8).reshape(15, 8)
    lines = list(counterexample_lines({"inputs": {"J": matrix.tolist()}}))
    assert lines[0] == "J = [ 0,  1,  2,  3,  4,  5, …]"
    assert lines[5] == "    [40, 41, 42, 43, 44, 45, …]"
    assert lines[6:] == ["    … 15×8, 9 rows more, 2 columns more"]


def test_of_a_tensor_the_first_slice_is_shown() -> None:
    lines = list(counterexample_lines({"inputs": {"T": np.ones((3, 2, 2, 2)).tolist()}}))
    assert lines == ["T = [1, 1]", "    [1, 1]", "    … 3×2×2×2, the first of 6 slices"]


def test_vectors_and_numbers_are_one_line() -> None:
    seen = {"inputs": {"a": [[2.5]], "x": [[1.0], [2.0]], "y": [1.0, 2.0], "z": np.ones((9, 1)).tolist()}}
    assert list(counterexample_lines(seen)) == [
        "a = 2.5",
        "x = [1, 2] (a column)",
        "y = [1, 2]",
        "z = [1, 1, 1, 1, 1, 1, …] (a column, 3 entries more)",
    ]


def test_the_entry_that_is_farthest_off_is_named() -> None:
    lines = list(counterexample_lines({"claimed": [[1.0, 2.0], [3.0, 9.0]], "expected": [[1.0, 2.5], [3.0, 4.0]]}))
    assert lines[-1] == "farthest apart at [1, 1]: claimed 9, expected 4"


def test_a_refuted_jacobian_is_readable_and_its_json_is_whole() -> None:
    report = mc.check("A*X*B", "X", claim="kron(A, B.T)", kind="jacobian", let={"A": "matrix(4, 5)"})
    assert max(map(len, str(report).splitlines())) < 120
    seen = report.to_dict()["counterexample"]
    assert np.shape(seen["claimed"]) == np.shape(seen["expected"])
    assert np.size(seen["expected"]) > 100
    assert " rows more, " in str(report)
