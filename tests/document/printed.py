"""The gallery's derivations as documents."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType

from symbackprop.document.make import document
from symbackprop.document.records import Derived, Document, Formula, Formulas
from symbackprop.present.latex_lines import broken
from symbackprop.present.latex_printer import LatexPrinter
from symbackprop.records import Derivation

ROOT = Path(__file__).resolve().parents[2]
SECTION = re.compile(r"(?=\\section\{)")


@cache
def gallery() -> ModuleType:
    spec = importlib.util.spec_from_file_location("gallery_of_examples", ROOT / "examples" / "gallery.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def derivation(name: str) -> Derivation:
    network, optimizer, _ = gallery().GALLERY[name]
    made: Derivation = network.derive(optimizer)
    return made


@cache
def whole(name: str, profile: str, level: str = "summary") -> str:
    """The LaTeX document."""
    return _article(document(derivation(name), profile, level))


def printed(name: str, profile: str, level: str = "summary") -> str:
    """The document without what holds in the other mode only, where other equations stand in the place of these."""
    sections = SECTION.split(whole(name, profile, level))
    return "".join(s for s in sections if not s.startswith((r"\section{Prediction}", r"\section{Running values}")))


def _article(made: Document) -> str:
    printer = LatexPrinter(made.view)
    text = "\\documentclass{article}\n"
    for section in made.sections:
        text += f"\\section{{{section.title}}}\n"
        for block in section.blocks:
            if isinstance(block, (Formulas, Derived)):
                rows = " \\\\\n".join(row for line in block.lines for row in _rows(line, printer))
                text += f"\\begin{{align}}\n{rows}\n\\end{{align}}\n"
    return text


def _rows(line: Formula, printer: LatexPrinter) -> Iterator[str]:
    *first, last = broken(printer.show(line.lhs), printer.show(line.rhs))
    yield from (rf"{row} \notag" for row in first)
    yield rf"{last} \tag{{{line.number}}}"
