"""The command line: demo, derive, emit, doctor, cache. What a command needs is imported when it runs."""

from __future__ import annotations

import io
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from . import __version__
from .errors import SymbackpropError

if TYPE_CHECKING:
    from .records import Derivation

NET_HELP = (
    "NET is file.py:name, as in model.py:net: a Python file and the sb.Network in it. "
    "The file is IMPORTED, so the code in it runs: name only files that you trust."
)
SUFFIXES = {"c": ".c", "numpy": ".py"}


class _Group(click.Group):
    """Turns the library's errors into one clean message and the exit status 1."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except SymbackpropError as error:
            raise click.ClickException(str(error)) from error


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="symbackprop")
def cli() -> None:
    """Backpropagation derived symbolically, printed as mathematics, compiled to C and NumPy."""


@cli.command()
@click.option("--out", default="out", show_default=True, type=click.Path(path_type=Path), help="Folder for the files.")
@click.option("--epochs", default=40, show_default=True, type=click.IntRange(min=1), help="Epochs a split.")
def demo(out: Path, epochs: int) -> None:
    """Derive, compile and train a network on scanned digits; needs scikit-learn."""
    from .demo import run

    run(out, epochs)


@cli.command(epilog=NET_HELP)
@click.argument("net")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File: .txt, .tex, .pdf, .html, .md or .ipynb.  [default: print]",
)
@click.option("--optimizer", help="Derive its update too: sgd, momentum, adam, ...")
@click.option("--notation", default="rows", show_default=True, help="rows, columns, ng, torch, keras or lecture-1.")
@click.option("--level", default="steps", show_default=True, help="summary, steps or every-index.")
@click.option("--language", default="en", show_default=True, help="en, pl, sk or ru.")
@click.option("--slides", is_flag=True, help="A presentation (.tex or .pdf).")
@click.option("--symbol", multiple=True, metavar="OLD=NEW", help="Another name, as W=Theta or x=xi.")
@click.option("--bold", is_flag=True, help="Bold vectors and matrices.")
@click.option("--numerator", is_flag=True, help="Gradients in numerator layout.")
@click.option("--shapes", is_flag=True, help="Write under every factor which shape it has.")
@click.pass_context
def derive(context: click.Context, /, net: str, output: Path | None, optimizer: str | None, **options: Any) -> None:
    """Print the derivation of NET, or write it to a file."""
    from .netfile import load_network

    given = [name for name in options if context.get_parameter_source(name) is ParameterSource.COMMANDLINE]
    if given and (output is None or output.suffix == ".txt"):
        raise click.UsageError(f"--{given[0]} is for documents, and this is plain text; write one: -o net.html, say")
    network, _ = load_network(net)
    derivation = network.derive(optimizer=optimizer)
    if output is None:
        click.echo(derivation.text())
    else:
        click.echo(f"wrote {_write_derivation(derivation, output, options)}")


def _write_derivation(derivation: Derivation, path: Path, options: dict[str, Any]) -> Path:
    """Write by the suffix; raises `PresentationError` for an unknown one."""
    from .files import write_text
    from .present.notation import Notation

    if path.suffix == ".txt":
        return write_text(path, derivation.text() + "\n")
    notation = Notation(
        options["notation"],
        symbols=dict(map(_renaming, options["symbol"])),
        fonts="bold" if options["bold"] else "plain",
        layout="numerator" if options["numerator"] else "denominator",
        shapes=options["shapes"],
    )
    derivation.document(path, notation, options["level"], options["language"], options["slides"])
    return path


def _renaming(text: str) -> tuple[str, str]:
    old, equals, new = text.partition("=")
    if not equals:
        raise click.UsageError(f"--symbol takes OLD=NEW, as W=Theta; got {text!r}")
    return old.strip(), new.strip()


@cli.command(epilog=NET_HELP)
@click.argument("net")
@click.option("--target", default="c", show_default=True, type=click.Choice(list(SUFFIXES)), help="Language.")
@click.option("--dtype", default="float32", show_default=True, type=click.Choice(["float32", "float64"]))
@click.option("--optimizer", help="Whose update the training step has.  [default: sgd]")
@click.option("-o", "--output", type=click.Path(path_type=Path, file_okay=False), help="Folder.  [default: print]")
def emit(net: str, target: str, dtype: str, optimizer: str | None, output: Path | None) -> None:
    """Print the generated source of NET, or write it to a folder."""
    from .files import write_text
    from .netfile import load_network

    network, name = load_network(net)
    source = network.emit(target=target, optimizer=optimizer, dtype=dtype)
    if output is None:
        click.echo(source.text, nl=False)
    else:
        click.echo(f"wrote {write_text(output / (name + SUFFIXES[target]), source.text)}")


@cli.command()
def doctor() -> None:
    """Show compiler, CPU features, BLAS, cache and LaTeX: what is there, what is missing, how to get it.

    The exit status is 0 if C works, else 1.
    """
    from .doctor import report

    raise SystemExit(0 if report() else 1)


@cli.command()
@click.option("--where", is_flag=True, help="Print the folder only.")
@click.option("--clear", is_flag=True, help="Remove all compiled libraries.")
def cache(where: bool, clear: bool) -> None:
    """Show or clear the cache of compiled libraries."""
    from .load import cache as store

    if where and clear:
        raise click.UsageError("--where and --clear exclude each other")
    if where:
        click.echo(store.cache_root())
        return
    files, size = store.usage()
    if clear:
        store.clear()
        click.echo(f"removed {files} files, {size / 1e6:.1f} MB, from {store.cache_root()}")
    else:
        click.echo(f"{store.cache_root()}: {files} files, {size / 1e6:.1f} MB")


def _plain_warning(
    message: Warning | str, category: type[Warning], filename: str, lineno: int, line: str | None = None
) -> str:
    return f"Warning: {message}\n"


def main() -> None:
    """The entry point of the command `symbackprop`."""
    warnings.formatwarning = _plain_warning
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without Greek letters shows question marks
    cli(prog_name="symbackprop")
