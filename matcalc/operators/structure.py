"""Diagonals, triangles, vec, parts of a matrix and matrices made of parts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from matcalc.expression import build
from matcalc.expression.nodes import interned
from matcalc.expression.operator import Lowering, Operator, Sample, define
from matcalc.expression.sizes import AnySize

if TYPE_CHECKING:
    from matcalc.expression.nodes import Node

_SIGNS = frozenset({"positive", "nonnegative", "nonzero"})


def _pull_scalar(name: str, arg: Node, params: tuple[Any, ...] = ()) -> Node | None:
    """A linear operator of a multiple is the multiple."""
    if arg.op == "scale":
        return build.multiply(arg.args[0], build.apply(name, arg.args[1], params=params))
    return None


def _diag_simplify(args: tuple[Node, ...], params: tuple[Any, ...]) -> Node | None:
    arg = args[0]
    if arg.cols != 1:
        return build.apply("diagonal", arg) if arg.is_square else None
    if arg.op == "ones":
        return build.eye(arg.rows)
    if build.is_zero(arg):
        return build.zeros(arg.rows, arg.rows)
    return arg if arg.is_scalar else _pull_scalar("diag", arg)


def _diag_joins(left: Node, right: Node) -> Node | None:
    """diag(v)·x = v⊙x for a column, diag(v)·diag(w) = diag(v⊙w)."""
    if left.op == right.op == "diag":
        return build.apply("diag", build.times(left.args[0], right.args[0]))
    if left.op == "diag" and right.cols == 1:
        return build.times(left.args[0], right)
    if right.op == "diag" and left.rows == 1:
        return build.times(left, right.args[0].T)
    return None


def _diag_facts(node: Node) -> frozenset[str]:
    facts = {"diagonal", "symmetric", "lower", "upper"}
    entries = node.args[0].facts
    if "nonzero" in entries:
        facts.add("invertible")
    if "nonnegative" in entries:
        facts.add("psd")
    if "positive" in entries:
        facts |= {"posdef", "invertible"}
    return frozenset(facts)


def _diagonal_simplify(args: tuple[Node, ...], params: tuple[Any, ...]) -> Node | None:
    arg = args[0]
    if arg.is_scalar:
        return arg
    if arg.op in ("eye", "ones"):
        return build.ones(arg.rows, 1)
    if build.is_zero(arg):
        return build.zeros(arg.rows, 1)
    if arg.op == "diag":
        return arg.args[0]
    if arg.op == "transpose":
        return build.apply("diagonal", arg.args[0])
    if arg.op == "product" and arg.args[-1].op == "diag":
        return build.times(build.apply("diagonal", build.product(*arg.args[:-1])), arg.args[-1].args[0])
    return _pull_scalar("diagonal", arg)


def _np(name: str) -> Any:
    def evaluate(node: Node, args: Any, size: Any) -> Any:
        import numpy as np

        return getattr(np, name)(args[0])

    return evaluate


def _diag_reference(node: Node, args: Any, size: Any) -> Any:
    import numpy as np

    return np.diagflat(args[0])


def _diagonal_reference(node: Node, args: Any, size: Any) -> Any:
    return args[0].diagonal().reshape(-1, 1).copy()


def _image_diagonal(node: Node, args: Any, size: Any) -> Any:
    import sympy

    n = size(node.rows)
    return sympy.MatMul(sympy.HadamardProduct(sympy.Identity(n), args[0]), sympy.OneMatrix(n, 1))


def _triangle(name: str) -> None:
    kept = "lower" if name == "tril" else "upper"

    def simplify(args: tuple[Node, ...], params: tuple[Any, ...]) -> Node | None:
        arg = args[0]
        if kept in arg.facts or "diagonal" in arg.facts or arg.is_scalar or build.is_zero(arg):
            return arg
        return _pull_scalar(name, arg)

    def image(node: Node, args: Any, size: Any) -> Any:
        import sympy

        i, j = sympy.symbols("i j", integer=True)
        keep = i >= j if name == "tril" else i <= j
        mask = sympy.FunctionMatrix(
            size(node.rows), size(node.cols), sympy.Lambda((i, j), sympy.Piecewise((1, keep), (0, True)))
        )
        return sympy.HadamardProduct(mask, args[0])

    define(
        Operator(
            name,
            says=f"the {kept} triangle, zero elsewhere",
            source="Golub & Van Loan 2013, ch. 1.2",
            signatures=("(m,n) -> (m,n)",),
            transpose=lambda node, i, u: build.apply(name, u),
            transposed=lambda node: build.apply("triu" if name == "tril" else "tril", node.args[0].T),
            simplify=simplify,
            facts=lambda node: frozenset({kept} if node.is_square else ()),
            reference=_np(name),
            sympy=image,
            lowers=Lowering(torch=f"torch.{name}({{0}})", numpy=f"np.{name}({{0}})", jax=f"jnp.{name}({{0}})"),
            latex=rf"\operatorname{{{{{name}}}}}({{0}})",
            samples=(Sample(f"norm2({name}(X))^2", {"X": "matrix(n, n)"}), Sample(f"sum({name}(A*X))")),
        )
    )


_triangle("tril")
_triangle("triu")


def _vec_simplify(args: tuple[Node, ...], params: tuple[Any, ...]) -> Node | None:
    arg = args[0]
    if arg.cols == 1:
        return arg
    if arg.rows == 1:
        return arg.T
    if arg.op in ("ones", "zeros"):
        return interned(arg.op, (), (), (arg.rows * arg.cols, 1))
    return _pull_scalar("vec", arg)


def _unvec_simplify(args: tuple[Node, ...], params: tuple[Any, ...]) -> Node | None:
    arg = args[0]
    if params[1] == 1:
        return arg
    if arg.op == "vec" and arg.args[0].shape == params:
        return arg.args[0]
    if arg.op in ("ones", "zeros"):
        return interned(arg.op, (), (), params)
    return _pull_scalar("unvec", arg, params)


def _vec_reference(node: Node, args: Any, size: Any) -> Any:
    return args[0].reshape(-1, 1, order="F")


def _image_unvec(node: Node, args: Any, size: Any) -> Any:
    import sympy

    i, j = sympy.symbols("i j", integer=True)
    entry = args[0][i + j * size(node.rows), 0]
    return sympy.FunctionMatrix(size(node.rows), size(node.cols), sympy.Lambda((i, j), entry))


def _unvec_reference(node: Node, args: Any, size: Any) -> Any:
    return args[0].reshape(size(node.rows), size(node.cols), order="F")


def _image_vec(node: Node, args: Any, size: Any) -> Any:
    import sympy

    matrix, rows = args[0], size(node.args[0].rows)
    i, j = sympy.symbols("i j", integer=True)
    entry = sympy.Lambda((i, j), matrix[sympy.Mod(i, rows), sympy.floor(i / rows)])
    return sympy.FunctionMatrix(size(node.rows), 1, entry)


define(
    Operator(
        "diag",
        says="the diagonal matrix of a vector; of a square matrix, the vector of its diagonal",
        source="Magnus & Neudecker 2019, ch. 1",
        signatures=("(n,1) -> (n,n)", "(n,n) -> (n,1)"),
        transpose=lambda node, i, u: build.apply("diagonal", u),
        simplify=_diag_simplify,
        joins=_diag_joins,
        facts=_diag_facts,
        reference=_diag_reference,
        sympy=lambda node, args, size: __import__("sympy").DiagMatrix(args[0]),
        lowers=Lowering(
            role="diagonal",
            torch="torch.diag_embed({0:a}[..., 0])",
            numpy="({0:a} * np.eye({rows}, {like}))",
            jax="({0:a} * jnp.eye({rows}, {like}))",
        ),
        latex=r"\operatorname{{diag}}({0})",
        samples=(
            Sample("norm2(diag(x) - A)^2"),
            Sample("x'*diag(y)*x"),
            Sample("logdet(L*L' + diag(p))", {"L": "matrix(3, 2)", "p": "vector(3; positive)"}),
            Sample("sum(square(diag(X)))", {"X": "matrix(n, n)"}),
        ),
        errors=(("let A: matrix(2,3); sum(diag(A))", "diag"),),
    )
)
define(
    Operator(
        "diagonal",
        says="the diagonal of a square matrix as a vector, written diag(X)",
        source="Magnus & Neudecker 2019, ch. 1",
        notation=True,
        shape=lambda args, params: (args[0].rows, 1),
        transpose=lambda node, i, u: build.apply("diag", u),
        simplify=_diagonal_simplify,
        facts=lambda node: node.args[0].facts & _SIGNS,
        reference=_diagonal_reference,
        sympy=_image_diagonal,
        lowers=Lowering(
            torch="{0:a}.diagonal(dim1=-2, dim2=-1)[..., None]",
            numpy="np.diagonal({0}, axis1=-2, axis2=-1)[..., None]",
            jax="jnp.diagonal({0}, axis1=-2, axis2=-1)[..., None]",
        ),
        latex=r"\operatorname{{diag}}({0})",
        written=lambda node, args, size: f"diag({args[0]})",
        samples=(Sample("sum(exp(diag(X*Y)))"),),
    )
)
define(
    Operator(
        "vec",
        says="the columns of a matrix, one under the other",
        source="Magnus & Neudecker 2019, ch. 2.4",
        signatures=("(m,n) -> (m*n,1)",),
        transpose=lambda node, i, u: build.apply("unvec", u, params=node.args[0].shape),
        simplify=_vec_simplify,
        facts=lambda node: node.args[0].facts & _SIGNS,
        reference=_vec_reference,
        sympy=_image_vec,
        lowers=Lowering(
            torch="{0:a}.mT.flatten(-2)[..., None]",
            numpy="np.swapaxes({0}, -1, -2).reshape(*{0:a}.shape[:-2], {rows}, 1)",
            jax="jnp.swapaxes({0}, -1, -2).reshape(*{0:a}.shape[:-2], {rows}, 1)",
        ),
        latex=r"\operatorname{{vec}}({0})",
        samples=(Sample("vec(A*X*B)'*vec(C)"), Sample("sum(square(vec(X)))")),
    )
)


def _unvec_text(swap: str) -> Any:
    def spell(node: Node, args: Any, size: Any) -> str:
        rows, cols = size(node.rows), size(node.cols)
        return swap.format(f"{args[0]}.reshape(*{args[0]}.shape[:-2], {cols}, {rows})")

    return spell


define(
    Operator(
        "unvec",
        says="the m×n matrix whose columns, one under the other, are a vector",
        source="Magnus & Neudecker 2019, ch. 2.4",
        signatures=("(k,1), size m, size n -> (m,n)",),
        call=lambda v, m, n: build.apply("unvec", v, params=(m, n)),
        shape=lambda args, params: params,
        transpose=lambda node, i, u: build.apply("vec", u),
        simplify=_unvec_simplify,
        facts=lambda node: node.args[0].facts & _SIGNS,
        reference=_unvec_reference,
        sympy=_image_unvec,
        lowers=Lowering(
            torch=_unvec_text("{}.mT"),
            numpy=_unvec_text("np.swapaxes({}, -1, -2)"),
            jax=_unvec_text("jnp.swapaxes({}, -1, -2)"),
        ),
        latex=r"\operatorname{{unvec}}({0})",
        written=lambda node, args, size: f"unvec({args[0]}, {size(node.rows)}, {size(node.cols)})",
    )
)

# ------------------------------------------------------------------------------------------ parts and wholes


def _whole(node: Node) -> tuple[Any, ...]:
    return (0, node.rows, 0, node.cols)


def _index_simplify(args: tuple[Node, ...], params: tuple[Any, ...]) -> Node | None:
    """All of it is itself; a part of a sum, a multiple or an elementwise product is that of the parts."""
    arg = args[0]
    if params == _whole(arg):
        return arg
    if arg.op == "scale":
        return build.multiply(arg.args[0], build.apply("index", arg.args[1], params=params))
    rows, cols = params[1] - params[0], params[3] - params[2]
    if arg.op in ("ones", "zeros"):
        return getattr(build, arg.op)(rows, cols)
    if arg.op == "transpose":
        return build.apply("index", arg.args[0], params=(*params[2:], *params[:2])).T
    if arg.op == "index":
        top, left = arg.params[0], arg.params[2]
        inner = (top + params[0], top + params[1], left + params[2], left + params[3])
        return build.apply("index", arg.args[0], params=inner)
    return None


def _index_transpose(node: Node, i: int, u: Node) -> Node:
    return build.apply("placed", u, params=(node.params[0], node.params[2], *node.args[0].shape))


def _slice_text(start: AnySize, stop: AnySize, size: Any, whole: AnySize) -> str:
    if (start, stop) == (0, whole):
        return ":"
    if stop - start == 1:
        return size(start)
    return f"{'' if start == 0 else size(start)}:{'' if stop == whole else size(stop)}"


def _index_written(node: Node, args: Any, size: Any) -> str:
    r0, r1, c0, c1 = node.params
    arg = node.args[0]
    rows = _slice_text(r0, r1, size, arg.rows)
    if arg.cols == 1:
        return f"{args[0]}[{rows}]"
    return f"{args[0]}[{rows}, {_slice_text(c0, c1, size, arg.cols)}]"


def _index_spelled(node: Node, args: Any, size: Any) -> str:
    r0, r1, c0, c1 = (size(p) for p in node.params)
    return f"{args[0]}[..., {r0}:{r1}, {c0}:{c1}]"


def _index_reference(node: Node, args: Any, size: Any) -> Any:
    r0, r1, c0, c1 = (size(p) for p in node.params)
    return args[0][r0:r1, c0:c1]


def _image_index(node: Node, args: Any, size: Any) -> Any:
    from sympy.matrices.expressions.slice import MatrixSlice

    r0, r1, c0, c1 = (size(p) for p in node.params)
    return args[0][r0, c0] if node.is_scalar else MatrixSlice(args[0], (r0, r1, 1), (c0, c1, 1))


def _placed_simplify(args: tuple[Node, ...], params: tuple[Any, ...]) -> Node | None:
    arg = args[0]
    if params == (0, 0, *arg.shape):
        return arg
    if build.is_zero(arg):
        return build.zeros(*params[2:])
    top, left, rows, cols = params
    if arg.is_scalar:
        unit = _unit(top, rows) @ _unit(left, cols).T
        return build.multiply(arg, unit)
    if arg.op == "scale":
        return build.multiply(arg.args[0], build.apply("placed", arg.args[1], params=params))
    if arg.rows == 1 and arg.cols == cols and rows != 1:
        return _unit(top, rows) @ arg
    if arg.cols == 1 and arg.rows == rows and cols != 1:
        return arg @ _unit(left, cols).T
    return None


def _unit(i: AnySize, n: AnySize) -> Node:
    return interned("basis", (), (i,), (n, 1)) if n != 1 else build.number(1)


def _placed_written(node: Node, args: Any, size: Any) -> str:
    top, left, rows, cols = node.params
    arg = node.args[0]
    wide = _between("hstack", args[0], (arg.rows, left), (arg.rows, cols - left - arg.cols), size, across=True)
    return _between("vstack", wide, (top, cols), (rows - top - arg.rows, cols), size, across=False)


def _between(name: str, text: str, before: Any, after: Any, size: Any, *, across: bool) -> str:
    def zeros(shape: Any) -> str | None:
        if (shape[1] if across else shape[0]) == 0:
            return None
        return f"zeros({size(shape[0])})" if shape[1] == 1 else f"zeros({size(shape[0])}, {size(shape[1])})"

    parts = [part for part in (zeros(before), text, zeros(after)) if part is not None]
    return text if len(parts) == 1 else f"{name}({', '.join(parts)})"


def _placed_reference(node: Node, args: Any, size: Any) -> Any:
    import numpy as np

    top, left, rows, cols = (size(p) for p in node.params)
    made = np.zeros((rows, cols), dtype=object)
    made[top : top + args[0].shape[0], left : left + args[0].shape[1]] = args[0]
    return made


def _image_placed(node: Node, args: Any, size: Any) -> Any:
    import sympy

    i, j = sympy.symbols("i j", integer=True)
    top, left, rows, cols = (size(p) for p in node.params)
    arg = node.args[0]

    def shifted(high: Any, wide: Any, shift: Any) -> Any:
        return sympy.FunctionMatrix(high, wide, sympy.Lambda((i, j), sympy.KroneckerDelta(i, j + shift)))

    right = sympy.Transpose(shifted(cols, size(arg.cols), left))
    return sympy.MatMul(shifted(rows, size(arg.rows), top), args[0], right)


def _placed_torch(node: Node, args: Any, size: Any) -> str:
    top, left, rows, cols = node.params
    arg = node.args[0]
    pads = (left, cols - left - arg.cols, top, rows - top - arg.rows)
    return f"torch.nn.functional.pad({args[0]}, ({', '.join(size(p) for p in pads)}))"


def _placed_pad(module: str) -> Any:
    def spell(node: Node, args: Any, size: Any) -> str:
        top, left, rows, cols = node.params
        arg = node.args[0]
        pads = f"({size(top)}, {size(rows - top - arg.rows)}), ({size(left)}, {size(cols - left - arg.cols)})"
        return f"{module}.pad({args[0]}, [(0, 0)] * ({args[0]}.ndim - 2) + [{pads}])"

    return spell


define(
    Operator(
        "index",
        says="an element, row, column or block; counted from 0, the end excluded",
        source="Golub & Van Loan 2013, ch. 1.1",
        notation=True,
        shape=lambda args, params: (params[1] - params[0], params[3] - params[2]),
        transpose=_index_transpose,
        simplify=_index_simplify,
        facts=lambda node: node.args[0].facts & _SIGNS,
        reference=_index_reference,
        sympy=_image_index,
        lowers=Lowering(torch=_index_spelled, numpy=_index_spelled, jax=_index_spelled),
        written=_index_written,
        samples=(
            Sample("x[0]*x[1]", {"x": "vector(4)"}),
            Sample("norm2(x[1:3])", {"x": "vector(4)"}),
            Sample("X[0,1]^2 + sum(exp(X[:,0])) + norm2(X[1,:])", {"X": "matrix(3, 4)"}),
            Sample("sum(square(X[0:2,1:3]))", {"X": "matrix(3, 4)"}),
        ),
    )
)
define(
    Operator(
        "placed",
        says="a block in a matrix that is zero elsewhere",
        source="Golub & Van Loan 2013, ch. 1.1",
        notation=True,
        shape=lambda args, params: (params[2], params[3]),
        transpose=lambda node, i, u: build.apply(
            "index",
            u,
            params=(
                node.params[0],
                node.params[0] + node.args[0].rows,
                node.params[1],
                node.params[1] + node.args[0].cols,
            ),
        ),
        transposed=lambda node: build.apply(
            "placed", node.args[0].T, params=(node.params[1], node.params[0], node.params[3], node.params[2])
        ),
        simplify=_placed_simplify,
        reference=_placed_reference,
        sympy=_image_placed,
        lowers=Lowering(torch=_placed_torch, numpy=_placed_pad("np"), jax=_placed_pad("jnp")),
        written=_placed_written,
    )
)


def _stack(name: str, axis: int) -> None:
    """``vstack`` (axis 0) and ``hstack`` (axis 1)."""
    other = "hstack" if axis == 0 else "vstack"

    def shape(args: tuple[Node, ...], params: tuple[Any, ...]) -> Any:
        total: AnySize = 0
        for arg in args:
            total = total + arg.shape[axis]
        return (total, args[0].cols) if axis == 0 else (args[0].rows, total)

    def offset(node: Node, i: int) -> AnySize:
        total: AnySize = 0
        for arg in node.args[:i]:
            total = total + arg.shape[axis]
        return total

    def rule(node: Node, i: int, d: Node) -> Node:
        start = offset(node, i)
        return build.apply("placed", d, params=(*((start, 0) if axis == 0 else (0, start)), *node.shape))

    def transposed_rule(node: Node, i: int, u: Node) -> Node:
        start = offset(node, i)
        stop = start + node.args[i].shape[axis]
        part = (start, stop, 0, node.cols) if axis == 0 else (0, node.rows, start, stop)
        return build.apply("index", u, params=part)

    def call(*args: Node) -> Node:
        flat = [inner for arg in args for inner in (arg.args if arg.op == name else (arg,))]
        return flat[0] if len(flat) == 1 else build.apply(name, *flat)

    def reference(node: Node, args: Any, size: Any) -> Any:
        import numpy as np

        return np.concatenate(args, axis=axis)

    def image(node: Node, args: Any, size: Any) -> Any:
        import sympy

        column = [sympy.Matrix([[a]]) if arg.is_scalar else a for arg, a in zip(node.args, args, strict=True)]
        return sympy.BlockMatrix([[c] for c in column] if axis == 0 else [column])

    def spell(module: str, keyword: str) -> Any:
        return lambda node, args, size: f"{module}(({', '.join(args)},), {keyword}={axis - 2})"

    pattern = "(m,n)... -> (m,n)"
    define(
        Operator(
            name,
            says="the arguments " + ("one under the other" if axis == 0 else "side by side"),
            source="Golub & Van Loan 2013, ch. 1.3",
            signatures=(pattern,),
            call=call,
            shape=shape,
            differential=rule,
            transpose=transposed_rule,
            transposed=lambda node: build.apply(other, *(arg.T for arg in node.args)),
            facts=lambda node: frozenset.intersection(*(arg.facts for arg in node.args)) & _SIGNS,
            reference=reference,
            sympy=image,
            lowers=Lowering(
                torch=spell("torch.cat", "dim"),
                numpy=spell("np.concatenate", "axis"),
                jax=spell("jnp.concatenate", "axis"),
            ),
            samples=(
                Sample(f"norm2({name}(A, X))^2", {"A": "matrix(3, 3)", "X": "matrix(3, 3)"}),
                Sample(f"sum(exp({name}(a, b, a*b)))"),
            ),
        )
    )


_stack("vstack", 0)
_stack("hstack", 1)


def _reshape_simplify(args: tuple[Node, ...], params: tuple[Any, ...]) -> Node | None:
    arg = args[0]
    if arg.shape == params:
        return arg
    if arg.op in ("ones", "zeros"):
        return interned(arg.op, (), (), params)
    return _pull_scalar("reshape", arg, params)


def _image_reshape(node: Node, args: Any, size: Any) -> Any:
    import sympy

    i, j = sympy.symbols("i j", integer=True)
    k, width = i * size(node.cols) + j, size(node.args[0].cols)
    matrix = sympy.Matrix([[args[0]]]) if node.args[0].is_scalar else args[0]
    entry = matrix[sympy.floor(k / width), sympy.Mod(k, width)]
    return sympy.FunctionMatrix(size(node.rows), size(node.cols), sympy.Lambda((i, j), entry))


def _reshape_text(node: Node, args: Any, size: Any) -> str:
    return f"{args[0]}.reshape(*{args[0]}.shape[:-2], {size(node.rows)}, {size(node.cols)})"


define(
    Operator(
        "reshape",
        says="the entries, read row by row, in another shape",
        source="Harris et al. 2020, Array programming with NumPy",
        signatures=("(p,q), size m, size n -> (m,n)",),
        call=lambda x, m, n: build.apply("reshape", x, params=(m, n)),
        shape=lambda args, params: params,
        transpose=lambda node, i, u: build.apply("reshape", u, params=node.args[0].shape),
        simplify=_reshape_simplify,
        facts=lambda node: node.args[0].facts & _SIGNS,
        reference=lambda node, args, size: args[0].reshape(size(node.rows), size(node.cols)),
        sympy=_image_reshape,
        lowers=Lowering(torch=_reshape_text, numpy=_reshape_text, jax=_reshape_text),
        written=lambda node, args, size: f"reshape({args[0]}, {size(node.rows)}, {size(node.cols)})",
        samples=(Sample("norm2(reshape(X, 2, 6) - B)^2", {"X": "matrix(3, 4)"}),),
    )
)
