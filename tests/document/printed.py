"""The gallery's derivations as documents."""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path
from types import ModuleType

from symbackprop.present.latex_lines import broken
from symbackprop.present.latex_printer import LatexPrinter
from symbackprop.present.matrix import form
from symbackprop.present.notation import Notation
from symbackprop.present.view import View
from symbackprop.records import Derivation

ROOT = Path(__file__).resolve().parents[2]


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
def printed(name: str, profile: str) -> str:
    """The equations up to the parameters' gradients, lines broken."""
    made = derivation(name)
    view = View(Notation(profile), made)
    printer = LatexPrinter(view)
    rows = []
    for number, eq in enumerate((*made.forward, made.objective, *made.adjoints, *made.gradients), 1):
        shown = form(view.shown(eq), view=view)
        *first, last = broken(printer.show(shown.lhs), printer.show(shown.rhs))
        rows += [*(rf"{row} \notag" for row in first), rf"{last} \tag{{{number}}}"]
    body = " \\\\\n".join(rows)
    return f"\\documentclass{{article}}\n\\begin{{align}}\n{body}\n\\end{{align}}\n"
