"""Random expressions over the operator table: a seeded generator of scalar texts with shapes, domains and sharing."""

from __future__ import annotations

import random
from collections.abc import Callable

LET = {
    "A": "matrix(n, n)",
    "B": "matrix(m, n)",
    "C": "matrix(m, n)",
    "S": "matrix(n, n; symmetric)",
    "P": "matrix(n, n; posdef)",
    "L": "matrix(n, n; lower)",
    "D": "matrix(n, n; diagonal)",
    "x": "vector(n)",
    "y": "vector(m)",
    "z": "vector(n)",
    "q": "vector(2)",
    "r": "row(n)",
    "a": "scalar",
    "c": "scalar(; positive)",
}
SMOOTH = ("tanh", "sin", "cos", "sigmoid", "softplus", "silu", "gelu", "erf", "atan", "asinh", "elu", "exp")
KINKED = ("relu", "abs")
Maker = Callable[[int], str]


class Expressions:
    """Texts of random expressions; the seed gives the sequence."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)  # noqa: S311  reproducible, not secret

    def pick(self, *makers: Maker, depth: int) -> str:
        """One of the forms, a level less deep."""
        return self.random.choice(makers)(depth - 1)

    def scalar(self, depth: int) -> str:
        """A 1×1 text."""
        if depth <= 0:
            return self.random.choice(["a", "c", "x'*z", "tr(A)", "2", "y'*y"])
        return self.pick(
            lambda d: f"sum({self.any(d)})",
            lambda d: f"mean({self.any(d)})",
            lambda d: f"norm2({self.any(d)})^2",
            lambda d: f"norm2({self.any(d)})",
            lambda d: f"({self.vector(d)})'*({self.vector(d)})",
            lambda d: f"tr({self.square(d)})",
            lambda d: f"inner({self.wide(d)}, {self.wide(d)})",
            lambda d: f"({self.scalar(d)})*({self.scalar(d)})",
            lambda d: f"{self.scalar(d)} + {self.scalar(d)}",
            lambda d: f"{self.scalar(d)} - 0.5*({self.scalar(d)})",
            lambda d: f"({self.scalar(d)})/(1 + ({self.scalar(d)})^2)",
            lambda d: f"{self.random.choice(SMOOTH[:-1])}({self.scalar(d)})",
            lambda d: f"log(1 + ({self.scalar(d)})^2)",
            lambda d: f"logdet(P + ({self.square(d)})*({self.square(d)})')",
            lambda d: f"sqrt(1 + ({self.scalar(d)})^2)",
            lambda d: f"({self.vector(d)})'*inv(P)*({self.vector(d)})",
            lambda d: f"({self.vector(d)})[0]",
            lambda d: f"det(P + {self.square(d)}*0.1)",
            lambda d: f"norm1({self.vector(d)})",
            lambda d: f"cross_entropy({self.wide(d)}, {self.wide(d)})",
            lambda d: f"mse({self.vector(d)}, {self.vector(d)})",
            lambda d: f"bce({self.wide(d)}, {self.wide(d)})",
            lambda d: f"norm2(conv2d_full({self.wide(d)}, q))",
            lambda d: f"c^({self.scalar(d)}/10)",
            lambda d: f"f*f + {self.scalar(d)}",
            depth=depth,
        )

    def vector(self, depth: int) -> str:
        """An n×1 text."""
        if depth <= 0:
            return self.random.choice(["x", "z", "r'"])
        return self.pick(
            lambda d: f"({self.square(d)})*({self.vector(d)})",
            lambda d: f"{self.random.choice(SMOOTH + KINKED)}({self.vector(d)})",
            lambda d: f"({self.vector(d)}).*({self.vector(d)})",
            lambda d: f"({self.vector(d)})./(1 + ({self.vector(d)}).^2)",
            lambda d: f"({self.wide(d)})'*y",
            lambda d: f"{self.vector(d)} - {self.vector(d)}",
            lambda d: f"{self.vector(d)} + 1",
            lambda d: f"({self.scalar(d)})*({self.vector(d)})",
            lambda d: f"diag({self.square(d)})",
            lambda d: f"sum({self.wide(d)}, 0)'",
            lambda d: f"softmax({self.vector(d)})",
            lambda d: f"layernorm({self.vector(d)})",
            lambda d: f"stopgrad({self.vector(d)})",
            lambda d: f"huber({self.vector(d)}, c)",
            lambda d: f"conv1d(conv1d_full({self.vector(d)}, q), sin(q))",
            lambda d: f"avgpool1d(kron({self.vector(d)}, q), 2)",
            lambda d: f"maxpool1d(kron({self.vector(d)}, q), 2)",
            lambda d: f"P\\({self.vector(d)})",
            lambda d: f"maximum({self.vector(d)}, z)",
            lambda d: f"where(x, {self.vector(d)}, {self.vector(d)})",
            depth=depth,
        )

    def square(self, depth: int) -> str:
        """An n×n text."""
        if depth <= 0:
            return self.random.choice(["A", "S", "P", "L", "D", "A'", "eye(n)"])
        return self.pick(
            lambda d: f"({self.square(d)})*({self.square(d)})",
            lambda d: f"({self.wide(d)})'*({self.wide(d)})",
            lambda d: f"({self.vector(d)})*({self.vector(d)})'",
            lambda d: f"diag({self.vector(d)})",
            lambda d: f"({self.square(d)})'",
            lambda d: f"{self.square(d)} + {self.square(d)}",
            lambda d: f"({self.square(d)}).*({self.square(d)})",
            lambda d: f"({self.square(d)})^2",
            lambda d: "inv(P)",
            lambda d: f"tril({self.square(d)})",
            lambda d: f"{self.random.choice(SMOOTH)}({self.square(d)})",
            lambda d: f"({self.square(d)}) .+ ({self.vector(d)})",
            depth=depth,
        )

    def wide(self, depth: int) -> str:
        """An m×n text."""
        if depth <= 0:
            return self.random.choice(["B", "C"])
        return self.pick(
            lambda d: f"({self.wide(d)})*({self.square(d)})",
            lambda d: f"({self.wide(d)}).*({self.wide(d)})",
            lambda d: f"{self.wide(d)} - {self.wide(d)}",
            lambda d: f"{self.random.choice(SMOOTH + KINKED)}({self.wide(d)})",
            lambda d: f"y*({self.vector(d)})'",
            lambda d: f"({self.wide(d)}) .+ r",
            lambda d: f"softmax({self.wide(d)})",
            lambda d: f"layernorm({self.wide(d)})",
            lambda d: f"maxpool2d(kron({self.wide(d)}, q*q'), 2)",
            lambda d: f"({self.scalar(d)})*({self.wide(d)})",
            depth=depth,
        )

    def any(self, depth: int) -> str:
        """A text of any shape."""
        return self.random.choice([self.vector, self.square, self.wide])(depth)

    def next(self) -> str:
        """A scalar text with a shared subexpression f."""
        depth = self.random.choice([1, 2, 2, 3, 3])
        shared = next(text for text in iter(lambda: self.scalar(1), "") if "f*f" not in text)
        return f"f = {shared}; {self.scalar(depth)}"
