"""Inputs without leading axes: the code that one writes by hand, and when a compiled function takes it."""

import pytest
import torch
from lowering_cases import CASES, Case, compiled, f, k, lower, n, name, sample, source, x
from test_values import PARTS, agree
from torch.func import grad, hessian, jacrev, vmap

import matcalc as mc
from matcalc.errors import UnsupportedError
from matcalc.expression.sizes import Size
from matcalc.lowering.ready import ready

D = torch.float64
every_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())

RESULTS = {
    "quadratic": "A @ x + A.mT @ x - b",
    "form": "x @ A @ x - b @ x",
    "outer": "torch.outer(3 * x, y)",
    "layer": "(1 - torch.tanh(A @ x + b).square()).unsqueeze(-1) * A",
    "diagonal right": "M * x",
    "broadcast": "M + c.unsqueeze(-1) - 2 * r.squeeze(-2)",
    "solve": "torch.linalg.solve(X, x)",
    "trace": "(A * X.mT).sum()",
    "trace of solve": "torch.linalg.solve(X, A).diagonal(dim1=-2, dim2=-1).sum(-1)",
    "size": "x.sum() / n",
    "determinant squared": "2 * torch.linalg.det(X) * _adjugate(X)",
    "row": "(r.squeeze(-2) @ M.mT).unsqueeze(-2)",
}


def unbatched(case: Case, **options):
    return lower([(case.node, case.storage)], case.variables, batched=False, **options)


def made(case: Case, **options):
    return ready([(case.node, case.storage)], case.variables, "torch", "gradient", "", **options)


@pytest.mark.parametrize(("label", "wanted"), RESULTS.items(), ids=RESULTS.keys())
def test_result_reads(label, wanted):
    assert f"    result = {wanted}\n" in source(unbatched(CASES[label]))


def test_the_module_says_what_it_takes():
    text = source(unbatched(CASES["quadratic"]))
    assert "Inputs have no leading axes." in text
    assert "[..., None]" not in text


@every_case
def test_value(case):
    inputs = [sample(v, torch.float64) for v in case.variables]
    agree(compiled(unbatched(case), source(unbatched(case)))(*inputs), case.formula(*inputs))


@every_case
def test_a_compiled_function_takes_both(case):
    function = made(case)
    inputs = [sample(v, torch.float64) for v in case.variables]
    agree(function(*inputs), case.formula(*inputs))
    batched = function(*(t.expand(3, *t.shape) for t in inputs))
    agree(batched.expand(3, *case.formula(*inputs).shape)[-1], case.formula(*inputs))


ONE = {"x": "vector(1)", "A": "matrix(3, 1)", "y": "vector(3)", "c": "scalar"}


@pytest.mark.parametrize(
    ("text", "by"),
    [("sum(x.^3)", "x"), ("c*sum(x)", "x"), ("y'*A*x", "x"), ("y'*A*x", "A"), ("tr(x*x')", "x"), ("norm2(x)^4", "x")],
)
@pytest.mark.parametrize("kind", ["grad", "hessian"])
def test_a_vector_of_one_entry_keeps_its_axis(text, by, kind):
    """Inside it is a number: the Hessian of sum(x.^3) had three axes, and c*sum(x) a gradient without any."""
    expression = mc.parse(text, {name: kind for name, kind in ONE.items() if name in text})
    inputs = {v.name: torch.rand(tuple(map(int, v.shape)), dtype=D) for v in expression.variables.values()}
    function = expression.compile("torch")
    theirs = {"grad": grad, "hessian": hessian}[kind](lambda moved: function(**{**inputs, by: moved}))(inputs[by])
    derived = {"grad": mc.grad, "hessian": mc.hessian}[kind](expression, by).compile("torch")
    agree(derived(**inputs), theirs)
    batched = derived(**{name: t.expand(2, *t.shape) for name, t in inputs.items()})
    agree(batched.expand(2, *theirs.shape)[-1], theirs)


@pytest.mark.parametrize("text", ["softmax(x)", "x.^3", "A*x"])
def test_the_jacobian_by_a_vector_of_one_entry_keeps_its_axis(text):
    expression = mc.parse(text, {name: kind for name, kind in ONE.items() if name in text})
    inputs = {v.name: torch.rand(tuple(map(int, v.shape)), dtype=D) for v in expression.variables.values()}
    function = expression.compile("torch")
    theirs = jacrev(lambda moved: function(**{**inputs, "x": moved}))(inputs["x"])
    agree(mc.jacobian(expression, "x").compile("torch")(**inputs), theirs)


@every_case
def test_vmap(case):
    function = made(case)
    inputs = [sample(v, torch.float64, 3) for v in case.variables]
    want = torch.stack([case.formula(*(t[k] for t in inputs)) for k in range(3)])
    agree(vmap(function)(*inputs), want)


@every_case
def test_gradient_of_the_function(case):
    """Through the code as through the formula, by the last input, in the subspace that is declared."""
    inputs = [sample(v, torch.float64) for v in case.variables]
    function, which = made(case), len(inputs) - 1
    ours = grad(lambda *args: function(*args).sin().sum(), argnums=which)(*inputs)
    theirs = grad(lambda *args: case.formula(*args).sin().sum(), argnums=which)(*inputs)
    for fact, part in PARTS.items():
        if fact in case.variables[which].facts:
            ours, theirs = part(ours), part(theirs)
    agree(ours, theirs)


def watched(monkeypatch) -> list[str]:
    """The texts that are executed from here on."""
    from matcalc.lowering import compile as module

    texts: list[str] = []
    executed = module.defined
    monkeypatch.setattr(module, "defined", lambda text, name: (texts.append(text), executed(text, name))[1])
    return texts


def test_it_is_taken_where_there_are_no_leading_axes(monkeypatch):
    texts = watched(monkeypatch)
    case = CASES["scaled"]
    function = made(case)
    inputs = [sample(v, torch.float64) for v in case.variables]
    function(inputs[0].expand(2, 4), *inputs[1:])
    assert len(texts) == 1
    assert function(inputs[0].float(), *inputs[1:]).dtype == torch.float64
    agree(function(inputs[0], 2.0, *inputs[2:]), case.formula(inputs[0], 2.0, *inputs[2:]))
    by_keyword = dict(zip(("lambda", "b", "a", "x"), (inputs[3], inputs[2], inputs[1], inputs[0]), strict=True))
    agree(function(**by_keyword), case.formula(*inputs))
    assert len(texts) == 2
    agree(function(*inputs), case.formula(*inputs))
    assert len(texts) == 2


def test_integers_become_floating(monkeypatch):
    texts = watched(monkeypatch)
    function = made(Case(k * f("exp", x), (k, x), "vector", torch.exp))
    assert function(torch.tensor(2), torch.arange(3)).dtype == torch.get_default_dtype()
    assert function(2, torch.arange(3).expand(2, 3)).dtype == torch.get_default_dtype()
    assert len(texts) == 2


def test_parameters_of_a_network_are_tensors(monkeypatch):
    texts = watched(monkeypatch)
    made(CASES["quadratic"])(torch.nn.Parameter(torch.ones(3)), torch.ones(3, 3), torch.ones(3))
    assert len(texts) == 2


def factorization() -> Case:
    m, inner = Size.named("m"), Size.named("k")
    T, U, V = name("T", m, n, "matrix"), name("U", m, inner, "matrix"), name("V", n, inner, "matrix")
    return Case((U @ V.T - T) @ V, (T, U, V), "matrix", lambda T, U, V: (U @ V.mT - T) @ V)


def given(case: Case, **sizes: int) -> list[torch.Tensor]:
    return [torch.randn([sizes[str(s)] for s in v.shape], dtype=torch.float64) for v in case.variables]


def test_the_sizes_of_the_inputs_choose_the_code(monkeypatch):
    texts = watched(monkeypatch)
    case = factorization()
    function = made(case)
    for sizes in ({"m": 200, "n": 300, "k": 2}, {"m": 20, "n": 30, "k": 200}, {"m": 210, "n": 310, "k": 2}):
        inputs = given(case, **sizes)
        agree(function(*inputs), case.formula(*inputs))
    assert ["U @ (V.mT @ V) - T @ V" in text for text in texts] == [False, True, False]


def test_sizes_that_are_given_choose_for_all_inputs(monkeypatch):
    texts = watched(monkeypatch)
    case = factorization()
    function = made(case, sizes={"m": 200, "n": 300, "k": 2})
    inputs = given(case, m=20, n=30, k=200)
    agree(function(*inputs), case.formula(*inputs))
    assert all("U @ (V.mT @ V) - T @ V" in text for text in texts)


def test_many_sizes_make_no_more_functions_than_codes(monkeypatch):
    texts = watched(monkeypatch)
    case = factorization()
    function = made(case)
    for size in range(2, 60):
        inputs = given(case, m=10 * size, n=size, k=2)
        agree(function(*inputs), case.formula(*inputs))
    assert len(texts) <= 3


def test_torch_compile_is_torchs():
    with pytest.raises(UnsupportedError, match="takes torch code"):
        ready([(x, "vector")], (x,), "jax", "value", "", torch_compile=True)


def test_torch_compile_passes_the_function_through(monkeypatch):
    seen: list[str] = []
    monkeypatch.setattr(torch, "compile", lambda function: (seen.append(function.__name__), function)[1])
    function = made(CASES["quadratic"], torch_compile=True)
    inputs = [sample(v, torch.float64) for v in CASES["quadratic"].variables]
    agree(function(*inputs), CASES["quadratic"].formula(*inputs))
    assert seen == ["gradient", "gradient"]


@pytest.mark.parametrize("warm", [False, True])
@pytest.mark.parametrize("label", ["quadratic", "factorization"])
def test_torch_compile_follows_a_compiled_function_without_a_break(label, warm):
    case = factorization() if label == "factorization" else CASES[label]
    function = made(case)
    inputs = given(case, m=20, n=30, k=2) if label == "factorization" else [sample(v, D) for v in case.variables]
    if warm:
        function(*inputs)
    torch._dynamo.reset()
    agree(torch.compile(function, backend="eager", fullgraph=True)(*inputs), case.formula(*inputs))


@pytest.mark.parametrize("label", ["quadratic", "outer", "solve", "layer", "logdet and solve"])
def test_two_derivatives_of_the_code(label):
    inputs = [sample(v, D).requires_grad_() for v in CASES[label].variables]
    assert torch.autograd.gradgradcheck(made(CASES[label]), inputs)


def test_a_keyword_that_is_no_name_is_said():
    with pytest.raises(TypeError, match="there is no 'z'"):
        made(CASES["quadratic"])(x=torch.ones(3), A=torch.ones(3, 3), z=torch.ones(3))
