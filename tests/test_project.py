"""What holds for the project as a whole: its version, its import time, its layers and its wording."""

import ast
import importlib.metadata
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import matcalc.version

ROOT = Path(__file__).resolve().parent.parent


# The version is written down once.


def test_pyproject_takes_its_version_from_the_package() -> None:
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))

    assert "version" not in pyproject["project"]
    assert "version" in pyproject["project"]["dynamic"]
    assert pyproject["tool"]["hatch"]["version"]["path"] == "matcalc/version.py"


def test_installed_distribution_has_the_version_of_the_package() -> None:
    assert importlib.metadata.version("matcalc-checker") == matcalc.version.__version__


# `import matcalc` is fast: it leaves the heavy libraries alone.

HEAVY = frozenset({"torch", "jax", "matplotlib", "sympy"})


def heavy_modules_after(statement: str) -> frozenset[str]:
    """The heavy libraries that a fresh interpreter has loaded once it has run the statement."""
    program = f"{statement}\nimport sys\nprint(*sys.modules)"
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True, timeout=100
    )
    return HEAVY.intersection(run.stdout.split())


def test_importing_matcalc_loads_no_heavy_library() -> None:
    assert heavy_modules_after("import matcalc") == frozenset()


def test_a_heavy_library_would_be_noticed() -> None:
    assert "torch" in heavy_modules_after("import matcalc, torch")


# Modules import down the street only.

# From the bottom up. "matcalc" stands for the package's own __init__.
LAYERS = (
    ("errors", "limits", "version"),
    ("expression",),
    ("operators", "properties"),
    ("language", "calculus", "lowering"),
    ("checking",),
    ("documents",),
    (
        "parsed",
        "derivative",
        "directional_derivatives",
        "jacobian_record",
        "jacobians",
        "function_checks",
        "jacobian_checks",
        "directional_checks",
        "linear_operator",
        "fitted_claims",
        "verification",
        "recorded_checks",
        "reproduction",
        "testing",
        "matcalc",
    ),
    ("handbook", "plots"),
    ("pages",),
    ("suites", "literate"),
    ("pytest_plugin",),
    ("gallery", "compendium"),
    ("cli", "__main__"),
)
# On one layer, yet strangers to one another.
STRANGERS = frozenset({"language", "calculus", "lowering"})

HEIGHT = {component: height for height, layer in enumerate(LAYERS) for component in layer}


def component_of(dotted: str, tree: Path) -> str:
    """The component that a dotted name under matcalc belongs to; a name that is no module is the root's."""
    parts = dotted.split(".")
    if len(parts) == 1:
        return "matcalc"
    is_module = (tree / "matcalc" / parts[1]).is_dir() or (tree / "matcalc" / f"{parts[1]}.py").is_file()
    return parts[1] if is_module or parts[1] in HEIGHT else "matcalc"


def imported_names(module: Path, tree: Path) -> Iterator[tuple[int, str]]:
    """Every import in a module, lazy ones too: line and absolute dotted name."""
    package = module.relative_to(tree).parent.parts
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"), filename=str(module))):
        match node:
            case ast.Import(names=names):
                for alias in names:
                    yield node.lineno, alias.name
            case ast.ImportFrom(module=source, names=names, level=level):
                base = list(package[: len(package) - level + 1]) if level else []
                origin = ".".join(base + ([source] if source else []))
                for alias in names:
                    yield node.lineno, f"{origin}.{alias.name}"
            case ast.Call(
                func=ast.Name(id="import_module" | "__import__") | ast.Attribute(attr="import_module"),
                args=[ast.Constant(value=str(name)), *_],
            ):
                yield node.lineno, name


def layer_violations(tree: Path) -> list[str]:
    """One line for every import under tree/matcalc that does not look down the street."""
    found = []
    for module in sorted((tree / "matcalc").rglob("*.py")):
        where = module.relative_to(tree).as_posix()
        first = Path(where).parts[1]
        importer = "matcalc" if first == "__init__.py" else first.removesuffix(".py")
        if importer not in HEIGHT:
            found.append(f"{where}: {importer} has no place in LAYERS")
            continue
        for line, name in imported_names(module, tree):
            if name.split(".")[0] != "matcalc":
                continue
            imported = component_of(name, tree)
            if imported == importer:
                continue
            if imported not in HEIGHT:
                found.append(f"{where}:{line}: {imported} has no place in LAYERS")
            elif HEIGHT[imported] > HEIGHT[importer]:
                found.append(f"{where}:{line}: {importer} imports {imported}, which lies above it")
            elif STRANGERS.issuperset({importer, imported}):
                found.append(f"{where}:{line}: {importer} imports {imported}, which lies beside it")
    return found


def plant(tree: Path, module: str, source: str) -> None:
    for path in (tree / "matcalc" / "__init__.py", tree / "matcalc" / module):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (tree / "matcalc" / module).write_text(source, encoding="utf-8")


def test_modules_import_down_the_street_only() -> None:
    assert list((ROOT / "matcalc").rglob("*.py")), "no modules found"
    assert layer_violations(ROOT) == []


@pytest.mark.parametrize(
    ("module", "source", "complaint"),
    [
        ("errors.py", "import matcalc.expression", "errors imports expression, which lies above it"),
        (
            "expression/nodes.py",
            "from matcalc.operators import x",
            "expression imports operators, which lies",
        ),
        ("expression/nodes.py", "from matcalc import cli", "expression imports cli, which lies above it"),
        (
            "expression/nodes.py",
            "from .. import properties",
            "expression imports properties, which lies above",
        ),
        (
            "expression/nodes.py",
            "from ..checking.run import x",
            "expression imports checking, which lies above",
        ),
        ("expression/__init__.py", "from ..cli import x", "expression imports cli, which lies above it"),
        ("expression/a/b.py", "from ...cli import x", "expression imports cli, which lies above it"),
        ("expression/nodes.py", "def f():\n    import matcalc.cli", "nodes.py:2: expression imports cli"),
        (
            "expression/nodes.py",
            "import_module('matcalc.cli')",
            "expression imports cli, which lies above it",
        ),
        ("language/parser.py", "import matcalc.calculus", "language imports calculus, which lies beside it"),
        (
            "calculus/rules.py",
            "from matcalc.lowering import x",
            "calculus imports lowering, which lies beside",
        ),
        (
            "lowering/torch.py",
            "from matcalc import language",
            "lowering imports language, which lies beside it",
        ),
        (
            "checking/run.py",
            "import matcalc.documents.report",
            "checking imports documents, which lies above",
        ),
        ("documents/report.py", "import matcalc.cli.main", "documents imports cli, which lies above it"),
        (
            "documents/report.py",
            "from matcalc import testing",
            "documents imports testing, which lies above it",
        ),
        ("documents/report.py", "import matcalc", "documents imports matcalc, which lies above it"),
        (
            "documents/report.py",
            "from matcalc import Derivative",
            "documents imports matcalc, which lies above",
        ),
        ("__init__.py", "from matcalc.cli import main", "matcalc imports cli, which lies above it"),
        ("testing.py", "from .cli.main import run", "testing imports cli, which lies above it"),
        ("unplaced.py", "", "unplaced has no place in LAYERS"),
    ],
)
def test_an_import_up_the_street_is_noticed(tmp_path: Path, module: str, source: str, complaint: str) -> None:
    plant(tmp_path, module, source)

    (violation,) = layer_violations(tmp_path)

    assert complaint in violation


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("expression/nodes.py", "import numpy\nfrom matcalc.errors import x\nfrom matcalc import limits"),
        (
            "expression/nodes.py",
            "from matcalc.expression.sizes import x\nfrom . import walk\nfrom .walk import y",
        ),
        ("properties/rank.py", "import matcalc.operators"),
        ("operators/table.py", "import matcalc.properties"),
        ("language/parser.py", "import matcalc.expression, matcalc.operators, matcalc.properties"),
        ("checking/run.py", "from matcalc import language, calculus, lowering"),
        ("derivative.py", "from matcalc.documents import x\nimport matcalc.testing"),
        (
            "cli/main.py",
            "import matcalc\nfrom matcalc import Derivative, __version__\nimport matcalc.documents",
        ),
    ],
)
def test_an_import_down_the_street_passes(tmp_path: Path, module: str, source: str) -> None:
    plant(tmp_path, module, source)

    assert layer_violations(tmp_path) == []


# Some words have no place in a file of the project.

# Put together here, so that this file does not hold them itself.
FORBIDDEN = tuple("".join(halves).encode() for halves in (("/wo", "rk/"), ("sha", "red/cases"), ("iss", "ue #")))


def forbidden_words(path: Path) -> list[str]:
    """The forbidden words that a file holds, whatever their case."""
    content = path.read_bytes().lower()
    return [word.decode() for word in FORBIDDEN if word in content]


def test_no_file_holds_a_forbidden_word() -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    # What is committed, and what a commit of everything would add.
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    files = [path for name in listing.stdout.split("\0") if name and (path := ROOT / name).is_file()]

    assert Path(__file__).resolve() in files
    assert {str(path): words for path in files if (words := forbidden_words(path))} == {}


@pytest.mark.parametrize("word", [word.decode() for word in FORBIDDEN])
def test_a_forbidden_word_would_be_noticed(tmp_path: Path, word: str) -> None:
    file = tmp_path / "notes.md"
    file.write_text(f"see {word.upper()}12", encoding="utf-8")

    assert forbidden_words(file) == [word]
