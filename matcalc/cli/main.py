"""The ``matcalc`` command."""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from matcalc.cli.options import Asked, CheckAsked, read_text
from matcalc.errors import LimitError, MatcalcError, ParseError, escape

app = typer.Typer(
    name="matcalc",
    help="Matrix calculus derived symbolically and checked against automatic differentiation.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    epilog='Example: matcalc grad "x.T*A*x - b.T*x" --wrt x',
)

Text = Annotated[str, typer.Argument(metavar="EXPR", help="The expression; - reads standard input, @FILE a file.")]
Wrt = Annotated[str, typer.Option("--wrt", "-w", help="The name to differentiate by.")]
Let = Annotated[list[str] | None, typer.Option("--let", "-l", help='A declaration, as "A: matrix(n,n; symmetric)".')]
Sizes = Annotated[str | None, typer.Option(help="Sizes for the check, as n=5,m=3.")]
Device = Annotated[list[str] | None, typer.Option("--device", help="cpu, cuda or auto; repeatable.")]
Dtype = Annotated[list[str] | None, typer.Option("--dtype", help="float64 or float32; repeatable.")]
Trials = Annotated[int, typer.Option(min=1, max=100, help="How many points to check at.")]
Seed = Annotated[int, typer.Option(min=0, help="Everything random follows from it.")]
NoCheck = Annotated[bool, typer.Option("--no-check", help="Derive only; torch is not imported.")]
Format = Annotated[str, typer.Option("--format", "-f", help="text, json, latex or markdown.")]
Layout = Annotated[str, typer.Option(help="numerator or denominator, for Jacobians; a gradient has its name's shape.")]
Limit = Annotated[list[str] | None, typer.Option("--limit", help="A limit to raise, as nesting=200; repeatable.")]
Unconstrained = Annotated[bool, typer.Option("--unconstrained", help="No projection onto a declared structure.")]
Direction = Annotated[str, typer.Option("--direction", "-d", help="A new name for the direction.")]
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


@app.command(epilog='Example: matcalc grad "norm2(A*x - b)^2" --wrt x --let "b: vector(m)"')
def grad(
    text: Text, wrt: Wrt, let: Let = None, sizes: Sizes = None, device: Device = None, dtype: Dtype = None,
    trials: Trials = 5, seed: Seed = 0, no_check: NoCheck = False, form: Format = "text", layout: Layout = "numerator",
    limit: Limit = None, unconstrained: Unconstrained = False, debug: Debug = False,
) -> None:  # fmt: skip
    """The gradient of a scalar, checked against autograd."""
    from matcalc import derivative
    from matcalc.cli.show import show_derivative

    asked = Asked.read(text, let, limit, form)
    if layout not in ("numerator", "denominator"):
        raise ParseError(f"no layout {layout!r}", why="the layouts are numerator and denominator")
    found = derivative.grad(asked.expression(), wrt, unconstrained=unconstrained)
    check = None if no_check else CheckAsked(trials, seed, device, dtype, sizes, unconstrained)
    raise typer.Exit(show_derivative(found, asked, check))


def _directional(kind: str) -> Any:
    def command(
        text: Text, wrt: Wrt, direction: Direction, let: Let = None, form: Format = "text", limit: Limit = None,
        debug: Debug = False,
    ) -> None:  # fmt: skip
        from matcalc import derivative
        from matcalc.cli.show import show_derivative

        asked = Asked.read(text, let, limit, form)
        found = getattr(derivative, kind)(asked.expression(), wrt, direction)
        raise typer.Exit(show_derivative(found, asked, None))

    return command


for _kind, _says in (
    ("jvp", "The derivative in a direction."),
    ("vjp", "The transposed derivative applied to a cotangent."),
    ("hvp", "The Hessian of a scalar times a direction."),
):
    app.command(_kind, help=_says, epilog=f'Example: matcalc {_kind} "x.T*A*x" --wrt x --direction v')(
        _directional(_kind)
    )


def _later(kind: str) -> Any:
    def command(text: Text, wrt: Wrt, let: Let = None, limit: Limit = None, debug: Debug = False) -> None:
        from matcalc import derivative

        getattr(derivative, kind)(Asked.read(text, let, limit, "text").expression(), wrt)

    return command


app.command("jacobian", help="The Jacobian (not there yet).")(_later("jacobian"))
app.command("hessian", help="The Hessian (not there yet).")(_later("hessian"))


@app.command(epilog='Example: matcalc check "x.T*A*x" --wrt x --claim "2*A*x"')
def check(
    text: Text, wrt: Wrt, claim: Annotated[str, typer.Option("--claim", "-c", help="Your gradient.")], let: Let = None,
    sizes: Sizes = None, device: Device = None, dtype: Dtype = None, trials: Trials = 5, seed: Seed = 0,
    form: Format = "text", limit: Limit = None, unconstrained: Unconstrained = False, debug: Debug = False,
) -> None:  # fmt: skip
    """Whether a gradient of yours holds, and what is wrong with it if not."""
    from matcalc.cli.show import show_check

    asked = Asked.read(text, let, limit, form)
    options = CheckAsked(trials, seed, device, dtype, sizes, unconstrained)
    raise typer.Exit(show_check(asked, wrt, read_text(claim), options))


@app.command(epilog='Example: matcalc code "x.T*A*x - b.T*x" --wrt x --with-value')
def code(
    text: Text, wrt: Annotated[str | None, typer.Option("--wrt", "-w", help="Without it, the value's code.")] = None,
    with_value: Annotated[bool, typer.Option("--with-value", help="Value and gradient together.")] = False,
    target: Annotated[str, typer.Option(help="torch, numpy or jax.")] = "torch", let: Let = None, sizes: Sizes = None,
    limit: Limit = None, unconstrained: Unconstrained = False, debug: Debug = False,
) -> None:  # fmt: skip
    """Code for the gradient: one self-contained, documented function for torch, NumPy or JAX."""
    from matcalc import derivative
    from matcalc.cli.options import sizes_from

    expression = Asked.read(text, let, limit, "text").expression()
    found = expression if wrt is None else derivative.grad(expression, wrt, unconstrained=unconstrained)
    typer.echo(found.source(target, with_value=with_value, sizes=sizes_from(sizes)), nl=False)


@app.command(epilog="Examples: matcalc functions norm; matcalc functions logdet")
def functions(
    search: Annotated[str | None, typer.Argument(help="A name, or a word to look for.")] = None,
    debug: Debug = False,
) -> None:
    """The operators of the language, or one of them in full."""
    from matcalc.cli.show import show_functions

    typer.echo(show_functions(search or ""))


def _time_is_up(signum: int, frame: object) -> None:
    raise LimitError("it takes too long", limit="seconds", why="raise it with --limit seconds=60")


def _watch(arguments: Sequence[str]) -> None:
    """A time limit for the whole command, where the system has one."""
    if hasattr(signal, "setitimer"):
        seconds = [a.rpartition("=")[2] for a in arguments if "seconds=" in a]
        signal.signal(signal.SIGALRM, _time_is_up)
        signal.setitimer(
            signal.ITIMER_REAL,
            float(seconds[-1]) if seconds and seconds[-1].isascii() and seconds[-1].isdigit() else 20.0,
        )


_WITH_TEXT = ("grad", "check", "code", "jvp", "vjp", "hvp", "jacobian", "hessian")


def _separated(arguments: list[str]) -> list[str]:
    """An expression that starts with a minus sign is no option."""
    if len(arguments) > 1 and arguments[0] in _WITH_TEXT:
        first = arguments[1]
        if first.startswith("-") and len(first) > 2 and not first.startswith("--") and not _is_option(first):
            return [arguments[0], *arguments[2:], "--", first]
    return arguments


def _is_option(text: str) -> bool:
    return text[1] in "wlfcd" and (len(text) == 2 or text[2] == "=")


def run(arguments: Sequence[str] | None = None) -> None:
    """The console entry: every failure a sentence on standard error and an exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        _watch(given)
        app(args=_separated(given), prog_name="matcalc")
    except MatcalcError as error:
        _fail(str(error), error.exit_code)
    except KeyboardInterrupt:
        _fail("interrupted", 130)
    except BrokenPipeError:
        sys.exit(0)
    except MemoryError:
        _fail("out of memory", 3)
    except Exception as error:
        if "--debug" in given:
            raise
        _fail(
            f"matcalc has a bug: {type(error).__name__}: {error}\nRun it again with --debug and report what it shows.",
            70,
        )
    finally:
        if hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_REAL, 0)


def _fail(message: str, exit_code: int) -> None:
    lines = [escape(line) for line in message.splitlines()]
    print("error: " + "\n".join(lines), file=sys.stderr)
    sys.exit(exit_code)


if __name__ == "__main__":
    run()
