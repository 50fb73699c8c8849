"""Inputs of a compiled function: leading axes that its value does not depend on, and shapes that do not fit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import matcalc as mc

every_target = pytest.mark.parametrize("target", ["torch", "numpy", "jax"])


def given(target: str, **values: Any) -> dict[str, Any]:
    return {name: v.numpy() if target != "torch" else v for name, v in values.items()}


A, x = torch.arange(9.0).reshape(3, 3), torch.arange(15.0).reshape(5, 3)
DERIVATIVES = {
    "gradient of a linear function": (mc.grad("b'*x", "x"), {"b": A[0], "x": x}, (5, 3)),
    "gradient of a sum": (mc.grad("sum(x)", "x"), {"x": x}, (5, 3)),
    "derivative by a scalar": (mc.grad("3*a + 1", "a"), {"a": x[:, 0]}, (5,)),
    "gradient of a trace": (mc.grad("tr(X)", "X"), {"X": torch.ones(5, 3, 3)}, (5, 3, 3)),
    "Hessian of a quadratic": (mc.hessian("x'*A*x", "x"), {"x": x, "A": A}, (5, 3, 3)),
    "Hessian that is zero": (mc.hessian("b'*x", "x"), {"b": A[0], "x": x}, (5, 3, 3)),
    "Jacobian of a linear map": (mc.jacobian("A*x", "x"), {"x": x, "A": A}, (5, 3, 3)),
    "Jacobian of the identity": (mc.jacobian("x", "x"), {"x": x}, (5, 3, 3)),
    "Jacobian by a matrix": (mc.jacobian("A*X*B", "X"), {"A": A, "X": x[:, None, :].mT, "B": A[:1]}, (5, 3, 3, 3, 1)),
    "Jacobian of a triangle": (mc.jacobian("tril(X)", "X"), {"X": torch.ones(2, 5, 3, 3)}, (2, 5, 3, 3, 3, 3)),
    "Hessian by a matrix": (mc.hessian("tr(X'*A*X)", "X"), {"X": x[..., None], "A": A}, (5, 3, 1, 3, 1)),
    "product with a Jacobian": (mc.jvp("A*x", "x", "v"), {"A": A, "x": x, "v": A[0]}, (5, 3)),
}


@every_target
@pytest.mark.parametrize("label", DERIVATIVES)
def test_a_derivative_that_does_not_depend_on_an_input_has_its_batch_axes(label: str, target: str) -> None:
    derivative, inputs, shape = DERIVATIVES[label]
    fn = derivative.compile(target)
    whole = np.asarray(fn(**given(target, **inputs)))
    assert whole.shape == shape
    batch = next(v for name, v in inputs.items() if name == derivative.wrt)
    own = len(derivative.expression.variables[derivative.wrt].shape)
    leading = batch.shape[: batch.ndim - own]
    place = (1,) * len(leading)
    one = fn(**given(target, **{**inputs, derivative.wrt: batch[place]}))
    np.testing.assert_allclose(whole[place], np.asarray(one), rtol=1e-6)


def test_without_leading_axes_nothing_is_copied() -> None:
    b = np.ones(3)
    assert mc.grad("b'*x", "x").compile("numpy")(b=b, x=b).base is not None


T = torch.ones
MISFITS = {
    "another size": ({"x": T(3), "A": T(4, 4)}, "the size n is 3 in x and 4 in A", "x is a vector (n,) and came with"),
    "not square": ({"x": T(3), "A": T(3, 4)}, "the size n is 3 in x and 4 in A", "came with the shape (3, 4)"),
    "a column": ({"x": T(3, 1), "A": T(3, 3)}, "the size n is 1 in x and 3 in A", "a vector has one axis"),
    "too few axes": ({"x": T(3), "A": T(3)}, "A has too few axes", "A is a matrix (n, n) and came with the shape (3,)"),
    "a number": ({"x": T(()), "A": T(3, 3)}, "x has too few axes", "came with the shape ()"),
    "batches": (
        {"x": T(5, 3), "A": T(4, 3, 3)},
        "the batch axes do not go together: (5,) of x, (4,) of A",
        "broadcast",
    ),
}


@every_target
@pytest.mark.parametrize("label", MISFITS)
@pytest.mark.parametrize("is_warm", [False, True])
def test_inputs_of_wrong_shapes_are_named(label: str, target: str, is_warm: bool) -> None:
    inputs, said, why = MISFITS[label]
    fn = mc.grad("x'*A*x", "x").compile(target)
    if is_warm:
        fn(**given(target, x=T(3), A=T(3, 3)))
    for positions in (False, True):
        values = given(target, **inputs)
        with pytest.raises(mc.ShapeError) as caught:
            fn(values["x"], values["A"]) if positions else fn(**values)
        assert str(caught.value).startswith(said)
        assert why in caught.value.why


def test_sizes_that_are_numbers_or_follow_from_others_are_named_too() -> None:
    fn = mc.grad("y'*W*x", "x", {"W": "matrix(2, n + 1)"}).compile("numpy")
    with pytest.raises(mc.ShapeError, match="an axis of W is 3 long, and 2 as declared"):
        fn(y=np.ones(2), W=np.ones((3, 3)), x=np.ones(4))
    fn = mc.grad("norm2(hstack(A, B)*C)^2", "C", {"A": "matrix(m, n)", "B": "matrix(m, k)"}).compile("numpy")
    with pytest.raises(mc.ShapeError, match=r"an axis of C is 4 long, and k \+ n = 5 as declared"):
        fn(A=np.ones((1, 2)), B=np.ones((1, 3)), C=np.ones((4, 2)))


def test_other_failures_are_left_as_they_are() -> None:
    fn = mc.grad("x'*A*x", "x").compile("torch")
    with pytest.raises(TypeError, match="str"):
        fn(x="a", A=T(3, 3))
