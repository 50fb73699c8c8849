"""Calling a compiled function: by position, by keyword, with numbers, with what is wrong."""

import pytest
import torch
from lowering_cases import CASES, SIZES, build, compiled, f, k, lower, name, source, x

PROGRAM = lower([(k * f("exp", x), "vector")], [k, x])


def call(*args, ignored=(), **given):
    return compiled(PROGRAM, source(PROGRAM), ignored=ignored)(*args, **given)


T = torch.ones(3)


@pytest.mark.parametrize("key", ["lambda", "λ", "lambda_"])
def test_a_keyword_by_any_of_its_names(key):
    torch.testing.assert_close(call(**{key: torch.tensor(2.0), "x": T}), 2 * T.exp())


def test_positions_and_keywords():
    torch.testing.assert_close(call(torch.tensor(2.0), T), 2 * T.exp())
    torch.testing.assert_close(call(2.0, x=T), 2 * T.exp())


@pytest.mark.parametrize(
    ("args", "given", "message"),
    [
        ((2.0,), {}, "gradient takes lambda, x; 'x' is missing"),
        ((2.0, T), {"z": 1}, "gradient takes lambda, x; there is no 'z'"),
        ((2.0, T), {"x": T}, "gradient takes lambda, x; 'x' was given twice"),
        ((2.0, T, T), {}, "gradient takes lambda, x; 3 were given by position"),
    ],
)
def test_what_is_wrong_is_said(args, given, message):
    with pytest.raises(TypeError) as caught:
        call(*args, **given)
    assert str(caught.value) == message


def test_names_to_be_ignored():
    torch.testing.assert_close(call(2.0, T, z=1, ignored={"z"}), 2 * T.exp())


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_numbers_and_integers_follow_the_tensors(dtype):
    assert call(2, T.to(dtype)).dtype == dtype
    assert call(torch.tensor(2), T.to(dtype)).dtype == dtype


def test_integers_alone_become_the_default():
    assert call(2, torch.arange(3)).dtype == torch.get_default_dtype()


def test_mixed_types_are_promoted():
    assert call(torch.tensor(2.0, dtype=torch.float64), T).dtype == torch.float64


def test_float32_stays_through_numbers():
    for case in CASES.values():
        program = lower([(case.node, case.storage)], case.variables)
        inputs = [torch.eye(*shape(v)) if v.cols != 1 and v.rows != 1 else torch.ones(shape(v)) for v in case.variables]
        assert compiled(program, source(program))(*inputs).dtype == torch.float32


def shape(variable):
    rows, cols = (SIZES.get(str(s), s) for s in variable.shape)
    return {"scalar": (), "vector": (rows,)}.get(variable.params[1], (rows, cols))


def test_a_column_declared_as_a_matrix_stays_one():
    column = name("c", 3, 1, "matrix")
    program = lower([(build.number(2) * column, "matrix")], [column])
    assert compiled(program, source(program))(torch.ones(3, 1)).shape == (3, 1)
