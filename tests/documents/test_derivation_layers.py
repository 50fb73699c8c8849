"""Deep compositions: backpropagation in a few lines, with a recursion that stands for every layer."""

from __future__ import annotations

import pytest
from derivations import close, values_of_texts

import matcalc as mc


def network(layers: int, function: str = "tanh") -> str:
    """The square loss of a network."""
    text = "x"
    for k in range(1, layers):
        text = f"{function}(W{k}*{text} + b{k})"
    return f"norm2(W{layers}*{text} + b{layers} - y)^2"


def test_ten_layers_are_a_recursion() -> None:
    found = mc.grad(network(10), "x").derivation()
    assert [step.text for step in found] == [
        "z1 = W1*x + b1",
        "a_k = tanh(z_k) for k = 1, …, 9",
        "z_k = W_k*a_{k-1} + b_k for k = 2, …, 9",
        "z10 = W10*a9 + b10 - y",
        "f = norm2(z10)^2",
        "delta10 = 2*z10",
        "delta_k = (W_{k+1}.T*delta_{k+1}).*(1 - a_k.^2) for k = 9, …, 1",
        "∇f = W1.T*delta1",
    ]
    recursion = found[6]
    assert recursion.kind == "recursion"
    assert recursion.latex() == (
        r"\delta_{k} = \left(W_{k+1}^\top \delta_{k+1}\right) \odot \left(1 - a_{k}^{\odot 2}\right),"
        r"\quad k = 9, \dots, 1"
    )


def test_a_recursion_stands_for_its_lines() -> None:
    """With a number in place of k it is each line, letter by letter, and each line is true."""
    recursion = mc.grad(network(5), "x").derivation()[6]
    assert [k for k, _ in recursion.instances] == [4, 3, 2, 1]
    for k, line in recursion.instances:
        shown = recursion.text.partition(" for k")[0]
        for offset, index in (("{k+1}", k + 1), ("{k-1}", k - 1), ("k", k)):
            shown = shown.replace(f"_{offset}", str(index))
        assert shown == line.text


@pytest.mark.parametrize("wrt", ["x", "W1", "W3", "b2"])
def test_the_lines_read_back_to_true_values(wrt: str) -> None:
    g = mc.grad(network(3), wrt)
    heads = values_of_texts(g, g.derivation())
    assert {"z1", "a1", "z2", "a2", "z3", "f", "delta3", "∇f"} <= set(heads)
    assert all(close(value, values[0]) for values in heads.values() for value in values)


def test_by_a_weight_the_gradient_is_an_outer_product() -> None:
    found = mc.grad(network(10), "W4").derivation()
    assert found[-1].text == "∇f = delta4*a3.T"
    assert [k for k, _ in found[-2].instances] == [9, 8, 7, 6, 5, 4]


def test_a_shared_weight_adds_up_what_every_use_sends() -> None:
    found = mc.grad("norm2(tanh(W*tanh(W*tanh(W*x + b) + b) + b) - y)^2", "W").derivation()
    assert found[-1].text == "∇f = delta1*x.T + delta2*a1.T + delta3*a2.T"


def test_layers_of_different_forms_are_written_one_by_one() -> None:
    found = mc.grad("norm2(W3*tanh(W2*relu(W1*x + b1) + b2) + b3 - y)^2", "W1").derivation()
    assert [step.text for step in found if step.head.text.startswith("delta")] == [
        "delta3 = 2*z3",
        "delta2 = (W3.T*delta3).*(1 - a2.^2)",
        "delta1 = heaviside(z1).*(W2.T*delta2)",
    ]


def test_names_of_the_text_are_not_taken() -> None:
    found = mc.grad("norm2(W3*tanh(W2*tanh(W1*x + z1) + a2) + b3 - y)^2", "x").derivation()
    assert found[0].text == "u1 = W1*x + z1"


def test_cross_entropy_of_two_layers() -> None:
    found = mc.grad("-y'*log(softmax(W2*relu(W1*x + b1) + b2))", "W2").derivation()
    assert [step.text for step in found][-2:] == ["delta2 = sum(y)*softmax(z2) - y", "∇f = delta2*a1.T"]


def test_a_deep_jacobian_is_a_recursion_forward() -> None:
    text = network(10).removeprefix("norm2(").removesuffix(" - y)^2")
    found = mc.jacobian(text, "x").derivation()
    assert [step.text for step in found][-3:] == [
        "J1 = W1",
        "J_k = W_k*diag(1 - a_{k-1}.^2)*J_{k-1} for k = 2, …, 9",
        "J = W10*diag(1 - a9.^2)*J9",
    ]
    assert len(found) < 25


def test_one_nonlinear_layer_is_derived_by_differentials() -> None:
    found = mc.grad("norm2(W2*tanh(W1*x + b1) + b2 - y)^2", "W1").derivation()
    assert [step.text for step in found][:2] == ["r = tanh(W1*x + b1)", "df = d(norm2(W2*r + b2 - y)^2)"]
    assert found[-1].after.text == mc.grad("norm2(W2*tanh(W1*x + b1) + b2 - y)^2", "W1").pretty()


@pytest.mark.parametrize("detail", ["brief", "every-step"])
def test_every_detail_is_short_enough_to_read(detail: str) -> None:
    assert len(mc.grad(network(10), "x").derivation(detail)) < 25
