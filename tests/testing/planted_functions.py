"""Functions of torch with one thing wrong each, and right ones of the same expressions."""

from __future__ import annotations

from typing import Any

import torch
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from matcalc.checking.placement import home

QUADRATIC = "x'*A*x"
LET = {"A": "matrix(n, n)", "x": "vector(n)"}


class Quadratic(Function):
    """x'Ax, right in every way."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Any, A: Any) -> Any:
        return x @ A @ x

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx: Any, u: Any) -> Any:
        x, A = ctx.saved_tensors
        by_x = u * ((A + A.mT) @ x) if ctx.needs_input_grad[0] else None
        by_A = u * torch.outer(x, x) if ctx.needs_input_grad[1] else None
        return by_x, by_A


class _Saving(Function):
    """x'Ax, of which the planted ones change one method."""

    @staticmethod
    def forward(ctx: Any, x: Any, A: Any) -> Any:
        ctx.save_for_backward(x, A)
        return x @ A @ x

    @staticmethod
    def backward(ctx: Any, u: Any) -> Any:
        x, A = ctx.saved_tensors
        return u * ((A + A.mT) @ x), u * torch.outer(x, x)


class WithContext(_Saving):
    """Right, in the older style."""


class IgnoresGradOutput(_Saving):
    @staticmethod
    def backward(ctx: Any, u: Any) -> Any:
        x, A = ctx.saved_tensors
        return (A + A.mT) @ x, torch.outer(x, x)


class AssumesSymmetry(_Saving):
    @staticmethod
    def backward(ctx: Any, u: Any) -> Any:
        x, A = ctx.saved_tensors
        return u * 2 * (A @ x), u * torch.outer(x, x)


class OnlyContiguous(_Saving):
    """Reads the matrix as it lies in memory."""

    @staticmethod
    def backward(ctx: Any, u: Any) -> Any:
        x, A = ctx.saved_tensors
        A = A.as_strided(A.shape, (A.shape[1], 1), A.storage_offset())
        return u * ((A + A.mT) @ x), u * torch.outer(x, x)


class RaisesForStrides(_Saving):
    @staticmethod
    def backward(ctx: Any, u: Any) -> Any:
        x, A = ctx.saved_tensors
        flat = A.view(-1)
        A = flat.view(A.shape)
        return u * ((A + A.mT) @ x), u * torch.outer(x, x)


class HalfInside(_Saving):
    """Casts float32 to half on the way."""

    @staticmethod
    def backward(ctx: Any, u: Any) -> Any:
        x, A = ctx.saved_tensors
        g = (A + A.mT) @ x
        if g.dtype == torch.float32:
            g = g.half().float()
        return u * g, u * torch.outer(x, x)


class SingleInside(_Saving):
    """Casts float64 to float32 on the way."""

    @staticmethod
    def backward(ctx: Any, u: Any) -> Any:
        x, A = ctx.saved_tensors
        return (u * ((A + A.mT) @ x)).float(), u * torch.outer(x, x)


class ChangesItsInput(_Saving):
    @staticmethod
    def forward(ctx: Any, x: Any, A: Any) -> Any:
        ctx.save_for_backward(x.clone(), A)
        value = x @ A @ x
        x.mul_(2)
        return value


class ChangesGradOutput(_Saving):
    @staticmethod
    def backward(ctx: Any, u: Any) -> Any:
        x, A = ctx.saved_tensors
        found = u * ((A + A.mT) @ x), u * torch.outer(x, x)
        u.zero_()
        return found


class ChangesWhatItSaved(_Saving):
    """Right the first time, and wrong the second through one graph."""

    @staticmethod
    def forward(ctx: Any, x: Any, A: Any) -> Any:
        ctx.both = A + A.mT
        ctx.save_for_backward(x)
        return x @ A @ x

    @staticmethod
    def backward(ctx: Any, u: Any) -> Any:
        (x,) = ctx.saved_tensors
        by_x = ctx.both.mul_(u) @ x
        return by_x, u * torch.outer(x, x)


class SavesAnIntermediate(_Saving):
    """Right once, and without a word wrong twice: what it saved has no graph."""

    @staticmethod
    def forward(ctx: Any, x: Any, A: Any) -> Any:
        ctx.gradient = (A + A.mT) @ x
        ctx.save_for_backward(x)
        return x @ A @ x

    @staticmethod
    def backward(ctx: Any, u: Any) -> Any:
        (x,) = ctx.saved_tensors
        return u * ctx.gradient, u * torch.outer(x, x)


class OnceDifferentiable(_Saving):
    @staticmethod
    @once_differentiable
    def backward(ctx: Any, u: Any) -> Any:
        x, A = ctx.saved_tensors
        return u * ((A + A.mT) @ x), u * torch.outer(x, x)


class OtherElsewhere(_Saving):
    """Right on the CPU, and a thousandth off elsewhere, as a kernel of another device may be."""

    @staticmethod
    def backward(ctx: Any, u: Any) -> Any:
        x, A = ctx.saved_tensors
        factor = 1.0 if home() == x.device.type == "cpu" else 1.001  # a backward on a card has a thread of its own
        return factor * u * ((A + A.mT) @ x), u * torch.outer(x, x)


class FailsElsewhere(_Saving):
    @staticmethod
    def forward(ctx: Any, x: Any, A: Any) -> Any:
        if home() != "cpu":
            raise RuntimeError("no kernel for this device")
        ctx.save_for_backward(x, A)
        return x @ A @ x


class ForwardWrong(_Saving):
    """The backward is right, and the value is twice what it should be."""

    @staticmethod
    def forward(ctx: Any, x: Any, A: Any) -> Any:
        ctx.save_for_backward(x, A)
        return 2 * (x @ A @ x)


class NeedsBoth(_Saving):
    """Forgets a term unless both inputs require a gradient."""

    @staticmethod
    def backward(ctx: Any, u: Any) -> Any:
        x, A = ctx.saved_tensors
        by_x = A @ x + (A.mT @ x if ctx.needs_input_grad[1] else 0)
        return u * (by_x if all(ctx.needs_input_grad) else (A + A.mT) @ x), u * torch.outer(x, x) * (
            1 if ctx.needs_input_grad[0] else 2
        )


class TooFew(_Saving):
    @staticmethod
    def backward(ctx: Any, u: Any) -> Any:
        x, A = ctx.saved_tensors
        return u * ((A + A.mT) @ x)


class NotDone(_Saving):
    @staticmethod
    def backward(ctx: Any, u: Any) -> Any:
        raise NotImplementedError("the derivative is an exercise")


class Pushed(Quadratic):
    """With a forward mode of its own."""

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        ctx.save_for_backward(*inputs)
        ctx.save_for_forward(*inputs)

    @staticmethod
    def jvp(ctx: Any, dx: Any, dA: Any) -> Any:
        x, A = ctx.saved_tensors
        found = torch.zeros((), dtype=x.dtype)
        if dx is not None:
            found = found + ((A + A.mT) @ x) @ dx
        if dA is not None:
            found = found + x @ dA @ x
        return found


class PushedWrongly(Pushed):
    @staticmethod
    def jvp(ctx: Any, dx: Any, dA: Any) -> Any:
        x, A = ctx.saved_tensors
        return (A @ x) @ dx if dx is not None else x @ dA @ x


class Product(Function):
    """A*x for a matrix that is not square; a vector comes out."""

    @staticmethod
    def forward(ctx: Any, A: Any, x: Any) -> Any:
        ctx.save_for_backward(A, x)
        return A @ x

    @staticmethod
    def backward(ctx: Any, u: Any) -> Any:
        A, x = ctx.saved_tensors
        return torch.outer(u, x), A.mT @ u


class TransposedProduct(Product):
    @staticmethod
    def backward(ctx: Any, u: Any) -> Any:
        A, x = ctx.saved_tensors
        return torch.outer(x, u), A.mT @ u


class Scaled(Function):
    """c*X: a scalar that is broadcast, and whose gradient is a sum."""

    @staticmethod
    def forward(ctx: Any, c: Any, X: Any) -> Any:
        ctx.save_for_backward(c, X)
        return c * X

    @staticmethod
    def backward(ctx: Any, u: Any) -> Any:
        c, X = ctx.saved_tensors
        return (u * X).sum(), c * u


class ScaledWrongly(Scaled):
    """The gradient of what is broadcast is a mean."""

    @staticmethod
    def backward(ctx: Any, u: Any) -> Any:
        c, X = ctx.saved_tensors
        return (u * X).mean(), c * u


class Elementwise(Function):
    """x.*y with a rule for vmap of its own."""

    @staticmethod
    def forward(x: Any, y: Any) -> Any:
        return x * y

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx: Any, u: Any) -> Any:
        x, y = ctx.saved_tensors
        return u * y, u * x

    @staticmethod
    def vmap(info: Any, in_dims: Any, x: Any, y: Any) -> Any:
        x = x if in_dims[0] is None else x.movedim(in_dims[0], 0)
        y = y if in_dims[1] is None else y.movedim(in_dims[1], 0)
        return Elementwise.apply(x, y), 0


class ElementwiseWrongly(Elementwise):
    """Takes the first axis for the batch, whichever it is."""

    @staticmethod
    def vmap(info: Any, in_dims: Any, x: Any, y: Any) -> Any:
        return ElementwiseWrongly.apply(x, y), 0


class LogDet(Function):
    """log det of a positive-definite matrix by Cholesky."""

    @staticmethod
    def forward(ctx: Any, S: Any) -> Any:
        L = torch.linalg.cholesky(S)
        ctx.save_for_backward(S)
        return 2 * L.diagonal(dim1=-2, dim2=-1).log().sum(-1)

    @staticmethod
    def backward(ctx: Any, u: Any) -> Any:
        (S,) = ctx.saved_tensors
        return u * torch.cholesky_inverse(torch.linalg.cholesky(S))


class _OfEntries(Function):
    """An elementwise function, of which the planted ones change what lies far from zero."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return torch.nn.functional.softplus(x, threshold=1000)

    @staticmethod
    def backward(ctx: Any, u: Any) -> Any:
        (x,) = ctx.saved_tensors
        return torch.sigmoid(x) * u


class Softplus(_OfEntries):
    """Right."""


class SoftplusCutOff(_OfEntries):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return torch.where(x > 30, torch.full_like(x, 30), torch.nn.functional.softplus(x, threshold=1000))


class SoftplusWithoutItsTail(_OfEntries):
    @staticmethod
    def backward(ctx: Any, u: Any) -> Any:
        (x,) = ctx.saved_tensors
        return torch.where(x > 20, torch.zeros_like(x), torch.sigmoid(x)) * u


class Clipped(_OfEntries):
    @staticmethod
    def backward(ctx: Any, u: Any) -> Any:
        return _OfEntries.backward(ctx, u).clamp(-50, 50)


class SignOfOneSide(Function):
    """maximum(x - 20, 0), whose forward and backward have never seen a number above 20."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        return x * 0

    @staticmethod
    def backward(ctx: Any, u: Any) -> Any:
        return 0 * u


class CrossEntropy(Function):
    """-y'*log_softmax(z), whose gradient this is where y adds up to one."""

    @staticmethod
    def forward(ctx: Any, z: Any, y: Any) -> Any:
        ctx.save_for_backward(z, y)
        return -(y * torch.log_softmax(z, 0)).sum()

    @staticmethod
    def backward(ctx: Any, u: Any) -> Any:
        z, y = ctx.saved_tensors
        return u * (torch.softmax(z, 0) - y), None


class Normalised(Function):
    """(x - mean)/deviation, with 1e-5 added to the variance."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        deviation = (((x - x.mean()) ** 2).mean() + 1e-5).sqrt()
        y = (x - x.mean()) / deviation
        ctx.save_for_backward(y, deviation)
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, u: Any) -> Any:
        y, deviation = ctx.saved_tensors
        return (u - u.mean() - y * (u * y).mean()) / deviation


class KeptForAll(Function):
    """exp(x), whose backward reads what the last forward left."""

    kept: Any = None

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        KeptForAll.kept = x.exp()
        return KeptForAll.kept.clone()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, u: Any) -> Any:
        return u * KeptForAll.kept


class LastAlone(Function):
    """exp(x), whose backward works for the last of all forwards alone."""

    calls = 0

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        LastAlone.calls += 1
        ctx.call = LastAlone.calls
        ctx.save_for_backward(x.exp())
        return x.exp()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, u: Any) -> Any:
        if ctx.call != LastAlone.calls:
            raise RuntimeError("the workspace is gone")
        return u * ctx.saved_tensors[0]


class Gaussian(Function):
    """Minus the logarithm of a density by its mean, once."""

    @staticmethod
    def forward(ctx: Any, m: Any, S: Any, x: Any) -> Any:
        d = torch.linalg.inv(S) @ (x - m)
        ctx.save_for_backward(d)
        return 0.5 * d @ (x - m) + 0.5 * torch.logdet(S)

    @staticmethod
    def backward(ctx: Any, u: Any) -> Any:
        (d,) = ctx.saved_tensors
        return -u * d, None, None


class GaussianOnce(Gaussian):
    """The same, which says that it is differentiated once."""

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, u: Any) -> Any:
        (d,) = ctx.saved_tensors
        return -u * d, None, None


class NearlySquare(Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return x**2 * (1 + 1e-8)

    @staticmethod
    def backward(ctx: Any, u: Any) -> Any:
        (x,) = ctx.saved_tensors
        return 2 * u * x


class LogSoftmax(Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        y = torch.log_softmax(x, 0)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, u: Any) -> Any:
        (y,) = ctx.saved_tensors
        return u - y.exp() * u.sum()
