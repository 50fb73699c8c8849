"""The ``matcalc`` command."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Annotated

import typer

from matcalc.checking.witnesses import in_words as witnesses_in_words
from matcalc.cli import clock
from matcalc.cli import doc as documents
from matcalc.cli.derive import Detail, shown
from matcalc.cli.options import Asked, check_options, read_text
from matcalc.cli.suite import HELP as SUITE_HELP
from matcalc.cli.suite import suite
from matcalc.errors import BUG, UNDECIDED, MatcalcError, ParseError, escape
from matcalc.limits import Limits

app = typer.Typer(
    name="matcalc",
    help="Matrix calculus derived symbolically and checked against automatic differentiation.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    epilog='Example: matcalc grad "x.T*A*x - b.T*x" --wrt x',
)

Text = Annotated[str, typer.Argument(metavar="EXPR", help="The expression; - reads standard input, @FILE a file.")]
Wrt = Annotated[str, typer.Option("--wrt", help="The name to differentiate by.")]
Names = Annotated[list[str], typer.Option("--wrt", help="The name to differentiate by; repeatable.")]
Kind = Annotated[str, typer.Option(help="grad, jacobian or hessian; a claim may be of a jvp, vjp or hvp.")]
Let = Annotated[list[str] | None, typer.Option("--let", help='A declaration, as "A: matrix(n,n; symmetric)".')]
Sizes = Annotated[str | None, typer.Option(help="Sizes for the check, as n=5,m=3.")]
Device = Annotated[list[str] | None, typer.Option("--device", help="cpu, cuda, mps, xla, meta or auto; repeatable.")]
Dtype = Annotated[list[str] | None, typer.Option("--dtype", help="float64 or float32; repeatable.")]
Trials = Annotated[int, typer.Option(min=1, max=100, help="How many points to check at.")]
Seed = Annotated[int, typer.Option(min=0, help="Everything random follows from it.")]
NamesOfDoc = Annotated[list[str] | None, typer.Option("--wrt", help="The name to differentiate an expression by.")]
TrialsOfDoc = Annotated[int | None, typer.Option("--trials", min=1, max=100, help="How many points to check at.")]
SeedOfDoc = Annotated[int | None, typer.Option("--seed", min=0, help="Everything random follows from it.")]
NoCheck = Annotated[bool, typer.Option("--no-check", help="Derive only; torch is not imported.")]
Format = Annotated[str, typer.Option("--format", help="text, json, latex or markdown.")]
Form = Annotated[str, typer.Option("--form", help="textbook, expanded or factored.")]
FunctionsFormat = Annotated[str, typer.Option("--format", help="text, json or markdown.")]
Layout = Annotated[str, typer.Option(help="numerator or denominator, for Jacobians; a gradient has its name's shape.")]
Limit = Annotated[list[str] | None, typer.Option("--limit", help="A limit to raise, as nesting=200; repeatable.")]
Unconstrained = Annotated[bool, typer.Option("--unconstrained", help="No projection onto a declared structure.")]
Direction = Annotated[str, typer.Option("--direction", help="A new name for the direction.")]
Witnesses = Annotated[list[str] | None, typer.Option("--witness", help=witnesses_in_words())]
At = Annotated[
    str | None,
    typer.Option(
        "--at",
        help="A JSON file of points to check at as well: names to values.",
    ),
]
Edges = Annotated[bool, typer.Option("--edges", help="Tell what happens at zero, at ties and at lower rank.")]
DirectionOfClaim = Annotated[str, typer.Option("--direction", help="Of a jvp, vjp or hvp: a new name.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show a traceback for a bug in matcalc.")]


def _version(wanted: bool) -> None:
    if wanted:
        from matcalc.version import __version__

        typer.echo(f"matcalc {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Matrix calculus derived symbolically and checked against automatic differentiation."""


def _derivative(kind: str) -> Callable[..., None]:
    def command(
        text: Text, wrt: Wrt, let: Let = None, sizes: Sizes = None, device: Device = None, dtype: Dtype = None,
        trials: Trials = 5, seed: Seed = 0, no_check: NoCheck = False, format: Format = "text", form: Form = "textbook",
        layout: Layout = "numerator", limit: Limit = None, unconstrained: Unconstrained = False,
        witness: Witnesses = None, at: At = None, edges: Edges = False, debug: Debug = False,
    ) -> None:  # fmt: skip
        from matcalc import derivative
        from matcalc.cli.show import show_derivative

        asked = Asked.read(text, let, limit, format, layout)
        options = check_options(trials, seed, device, dtype, sizes, witness, at, edges)
        found = getattr(derivative, kind)(asked.expression(), wrt, unconstrained=unconstrained)
        raise typer.Exit(show_derivative(found.in_form(form), asked, None if no_check else options))

    return command


def _tensor(kind: str) -> Callable[..., None]:
    def command(
        text: Text, wrt: Names, let: Let = None, sizes: Sizes = None, device: Device = None, dtype: Dtype = None,
        trials: Trials = 5, seed: Seed = 0, no_check: NoCheck = False, format: Format = "text", form: Form = "textbook",
        layout: Layout = "numerator", limit: Limit = None, unconstrained: Unconstrained = False,
        witness: Witnesses = None, at: At = None, edges: Edges = False, debug: Debug = False,
    ) -> None:  # fmt: skip
        from matcalc.cli.show import show_derivative
        from matcalc.jacobian_record import Jacobian
        from matcalc.jacobians import tensor

        asked = Asked.read(text, let, limit, format, layout)
        options = check_options(trials, seed, device, dtype, sizes, witness, at, edges)
        found = tensor(asked.expression(), wrt, kind, unconstrained=unconstrained).in_form(form)
        assert isinstance(found, Jacobian)
        raise typer.Exit(show_derivative(found.in_layout(layout), asked, None if no_check else options))

    return command


def _directional(kind: str) -> Callable[..., None]:
    def command(
        text: Text, wrt: Wrt, direction: Direction, let: Let = None, sizes: Sizes = None, device: Device = None,
        dtype: Dtype = None, trials: Trials = 5, seed: Seed = 0, no_check: NoCheck = False, format: Format = "text",
        form: Form = "textbook", limit: Limit = None, unconstrained: Unconstrained = False,
        witness: Witnesses = None, at: At = None, edges: Edges = False, debug: Debug = False,
    ) -> None:  # fmt: skip
        from matcalc.cli.show import show_derivative
        from matcalc.directional_derivatives import directed

        asked = Asked.read(text, let, limit, format)
        options = check_options(trials, seed, device, dtype, sizes, witness, at, edges)
        found = directed(asked.expression(), wrt, kind, direction, unconstrained=unconstrained)
        raise typer.Exit(show_derivative(found.in_form(form), asked, None if no_check else options))

    return command


for _kind, _says, _example, _made in (
    (
        "grad",
        "The gradient of a scalar, checked against autograd.",
        '"norm2(A*x - b)^2" --wrt x --let "b: vector(m)"',
        _derivative,
    ),
    ("jacobian", "The Jacobian of anything; --wrt again differentiates again.", '"tanh(W*x + b)" --wrt x', _tensor),
    ("hessian", "The Hessian of a scalar; two --wrt are a mixed block.", '"sum(log1p(exp(X*w)))" --wrt w', _tensor),
):
    app.command(_kind, help=_says, epilog=f"Example: matcalc {_kind} {_example}")(_made(_kind))
for _kind, _says in (
    ("jvp", "The derivative in a direction."),
    ("vjp", "The transposed derivative applied to a cotangent."),
    ("hvp", "The Hessian of a scalar times a direction."),
):
    app.command(_kind, help=_says, epilog=f'Example: matcalc {_kind} "x.T*A*x" --wrt x --direction v')(
        _directional(_kind)
    )


@app.command(epilog='Example: matcalc check "x.T*A*x" --wrt x --claim "2*A*x"')
def check(
    text: Text, wrt: Names, claim: Annotated[str, typer.Option("--claim", help="Your derivative.")],
    kind: Kind = "grad", direction: DirectionOfClaim = "", let: Let = None, sizes: Sizes = None,
    device: Device = None, dtype: Dtype = None, trials: Trials = 5, seed: Seed = 0, format: Format = "text",
    limit: Limit = None, unconstrained: Unconstrained = False, witness: Witnesses = None, at: At = None,
    edges: Edges = False, debug: Debug = False,
) -> None:  # fmt: skip
    """Whether a derivative of yours holds, and what is wrong with it if not."""
    from matcalc.cli.show import show_check

    asked = Asked.read(text, let, limit, format)
    options = check_options(trials, seed, device, dtype, sizes, witness, at, edges)
    options = {**options, "unconstrained": unconstrained, **({"direction": direction} if direction else {})}
    raise typer.Exit(show_check(asked, wrt, read_text(claim), kind, options))


@app.command(epilog='Example: matcalc derive "norm2(A*x - b)^2" --wrt x --detail normal')
def derive(
    text: Text, wrt: Names, detail: Detail = "normal", kind: Kind = "grad", direction: DirectionOfClaim = "",
    let: Let = None, format: Format = "text", limit: Limit = None, unconstrained: Unconstrained = False,
    debug: Debug = False,
) -> None:  # fmt: skip
    """The steps of a derivation, numbered, each with its rule; every line was found true in numbers."""
    asked = Asked.read(text, let, limit, format)
    typer.echo(shown(asked, wrt, kind, direction, detail, unconstrained), nl=False)


@app.command(epilog='Example: matcalc doc "norm2(A*x - b)^2" --wrt x --format html --out derivation.html')
def doc(
    text: Annotated[str, typer.Argument(metavar="EXPR|PATH", help="An expression, or a suite, notes or a folder.")],
    wrt: NamesOfDoc = None, form: documents.Form = "", out: documents.Out = "", force: documents.Force = False,
    claim: documents.Claim = "", kind: Kind = "grad", detail: documents.Detail = "normal",
    title: Annotated[str, typer.Option(help="The document's title.")] = "", pictures: documents.Pictures = False,
    let: Let = None, sizes: Sizes = None,
    trials: TrialsOfDoc = None, seed: SeedOfDoc = None, limit: Limit = None, unconstrained: Unconstrained = False,
    debug: Debug = False,
) -> None:  # fmt: skip
    """A derivation, or all that files claim, as a document: steps, graph, code, and the check that they passed."""
    written = documents.Written(documents.form_of(form, out), out, force, detail, title, pictures)
    if not wrt:
        documents.refuse_beside_a_path(claim, kind, let, sizes, unconstrained)
        raise typer.Exit(documents.show_document_of_files(text, written, trials, seed))
    raise typer.Exit(
        documents.show_document(
            text, wrt, kind, claim, written, let, sizes, trials or 5, seed or 0, limit, unconstrained
        )
    )


@app.command(epilog='Example: matcalc plot structure "sum(tanh(W*x).^2)" --wrt W --kind hessian --out hessian.svg')
def plot(
    picture: Annotated[str, typer.Argument(help="structure: which entries are zero; errors: of differences and code.")],
    text: Text, wrt: Names, out: Annotated[str, typer.Option(help="The file: svg, png or pdf by its name.")],
    force: documents.Force = False, kind: Kind = "grad", let: Let = None, sizes: Sizes = None, seed: Seed = 0,
    limit: Limit = None, unconstrained: Unconstrained = False, debug: Debug = False,
) -> None:  # fmt: skip
    """A picture: the zeros of a Jacobian or Hessian, or how far differences and code are off. Needs matplotlib."""
    from matcalc.cli.plot import plot_into

    raise typer.Exit(plot_into(picture, text, wrt, kind, out, force, let, sizes, seed, limit, unconstrained))


@app.command(epilog="Example: matcalc doctest README.md docs")
def doctest(
    paths: Annotated[list[str], typer.Argument(metavar="PATH…", help="Markdown, reStructuredText, notebooks, LaTeX.")],
    fix: Annotated[bool, typer.Option("--fix", help="Fill in what stands as a question mark.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", help="Show the statements that hold, too.")] = False,
    trials: Trials = 5, seed: Seed = 0, debug: Debug = False,
) -> None:  # fmt: skip
    """Checks the derivatives that documents state, as d/dx (expression) = claim in blocks called matcalc."""
    from matcalc.cli.doctest import check_documents

    raise typer.Exit(check_documents(paths, fix, verbose, trials=trials, seed=seed))


@app.command(epilog="Example: matcalc replay report.json")
def replay(
    report: Annotated[str, typer.Argument(metavar="REPORT", help="What --format json printed, as a file.")],
    debug: Debug = False,
) -> None:
    """Carries out a recorded check again and compares the reports bit for bit."""
    from matcalc.cli.show import show_replay

    raise typer.Exit(show_replay(report))


@app.command(epilog='Example: matcalc code "x.T*A*x - b.T*x" --wrt x --with-value')
def code(
    text: Text, wrt: Annotated[list[str] | None, typer.Option("--wrt", help="Without it, the value's code.")] = None,
    with_value: Annotated[bool, typer.Option("--with-value", help="Value and gradient together.")] = False,
    kind: Kind = "grad",
    target: Annotated[str, typer.Option(help="torch, numpy or jax.")] = "torch", let: Let = None, sizes: Sizes = None,
    limit: Limit = None, unconstrained: Unconstrained = False, debug: Debug = False,
    batched: Annotated[bool, typer.Option("--batched/--unbatched", help="Whether inputs may have batch axes.")] = True,
) -> None:  # fmt: skip
    """Code for a derivative: one self-contained, documented function for torch, NumPy or JAX."""
    from matcalc.cli.options import sizes_from
    from matcalc.jacobians import tensor
    from matcalc.lowering.targets import target_named

    given = sizes_from(sizes)
    target_named(target)
    expression = Asked.read(text, let, limit).expression()
    found = tensor(expression, wrt, kind, unconstrained=unconstrained) if wrt else expression
    typer.echo(found.source(target, with_value=with_value, sizes=given, batched=batched), nl=False)


@app.command(epilog="Examples: matcalc functions norm; matcalc functions logdet")
def functions(
    search: Annotated[str | None, typer.Argument(help="A name, or a word to look for.")] = None,
    form: FunctionsFormat = "text",
    debug: Debug = False,
) -> None:
    """The functions and properties of the language, those that a word finds, or one function in full."""
    from matcalc.cli.show import show_functions

    if form not in ("text", "json", "markdown"):
        raise ParseError(f"no format {form!r}", why="the formats are text, json and markdown")
    typer.echo(show_functions(search or "", form))


app.command("suite", help=SUITE_HELP, epilog="Example: matcalc suite claims.matcalc.toml --jobs 2")(suite)

_INTERRUPTED = 130
_FLAGS = ("--fix", "--force", "--verbose", "--no-check", "--unconstrained", "--with-value", "--debug", "--help")


def _separated(arguments: list[str]) -> list[str]:
    """An expression that starts with a minus sign is no option: no option has one dash."""
    for k, argument in enumerate(arguments):
        if argument == "--":
            break
        after_option = k > 0 and arguments[k - 1].startswith("--") and arguments[k - 1] not in _FLAGS
        if (
            argument.startswith("-")
            and argument[1:2] not in ("", "-")
            and not (after_option and "=" not in arguments[k - 1])
        ):
            return [*arguments[:k], *arguments[k + 1 :], "--", argument]
    return arguments


def run(arguments: Sequence[str] | None = None) -> None:
    """The console entry: every failure a sentence on standard error and an exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        clock.allow(Limits(), "derivation_seconds")
        app(args=_separated(given), prog_name="matcalc")
    except MatcalcError as error:
        _fail(str(error), error.exit_code)
    except SystemExit as stopped:
        if stopped.code == _INTERRUPTED:
            print("error: interrupted", file=sys.stderr)
        raise
    except BrokenPipeError:
        sys.exit(0)
    except OSError as error:
        _fail(f"cannot write the result: {error.strerror}", 2)
    except MemoryError:
        _fail("out of memory", UNDECIDED)
    except Exception as error:
        if "--debug" in given:
            raise
        _fail(
            f"matcalc has a bug: {type(error).__name__}: {error}\nRun it again with --debug and report what it shows.",
            BUG,
        )
    finally:
        clock.stop()


def _fail(message: str, exit_code: int) -> None:
    lines = [escape(line) for line in message.splitlines()]
    print("error: " + "\n".join(lines), file=sys.stderr)
    sys.exit(exit_code)


if __name__ == "__main__":
    run()
