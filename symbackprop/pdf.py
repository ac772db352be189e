"""LaTeX to PDF by whichever engine is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from .errors import EmissionError
from .files import write_bytes, write_text

ENGINES = ("pdflatex", "lualatex", "xelatex", "tectonic")
GET_ENGINE = (
    "to get one: apt-get install texlive-latex-recommended texlive-pictures lmodern (Debian, Ubuntu; for Polish "
    "and Russian also texlive-lang-polish texlive-lang-cyrillic cm-super), "
    "dnf install texlive-scheme-basic (Fedora), brew install --cask basictex (macOS)"
)
_FLAGS = ("-interaction=nonstopmode", "-halt-on-error", "-file-line-error", "-no-shell-escape")
_TIMEOUT = 120
"""Seconds for one run of the engine."""


def find_engine() -> str | None:
    """The path of the first LaTeX engine on the PATH, None when there is none."""
    return next(filter(None, map(shutil.which, ENGINES)), None)


def write_pdf(tex: str, path: str | os.PathLike[str]) -> Path:
    """Typeset a whole LaTeX document into `path`.

    Raises `EmissionError` when no engine is installed (with the way to get one) and when the engine fails
    (with its first message; the log is kept beside `path`).
    """
    engine = find_engine()
    path = Path(path)
    if engine is None:
        raise EmissionError(
            f"{path} needs a LaTeX engine ({', '.join(ENGINES)}), and none is on the PATH; {GET_ENGINE}"
        )
    with tempfile.TemporaryDirectory(prefix="symbackprop-") as folder:
        source = Path(folder, "document.tex")
        source.write_text(tex, encoding="utf-8")
        flags = _FLAGS if Path(engine).stem != "tectonic" else ()
        output = _run([engine, *flags, source.name], folder)
        made = source.with_suffix(".pdf")
        if not made.exists():
            log = write_text(path.with_suffix(".log"), output)
            raise EmissionError(f"{engine} failed on {path}: {_first_error(output)}; its whole output is in {log}")
        return write_bytes(path, made.read_bytes())


def _run(command: list[str], folder: str) -> str:
    """The output of two runs (the second one knows the references)."""
    passes = 1 if "tectonic" in command[0] else 2
    output = ""
    for _ in range(passes):
        try:
            done = subprocess.run(
                command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                timeout=_TIMEOUT, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return f"! no end after {_TIMEOUT} s"
        output = done.stdout.decode("utf-8", "replace")
    return output


def _first_error(output: str) -> str:
    lines = output.splitlines()
    found = [line for line in lines if line.startswith("!") or ".tex:" in line or line.startswith("error:")]
    return (found or lines[-1:] or ["no output"])[0].strip()
