"""What notebooks show of networks, derivations and steps: formulas only, without the code and the font of a page."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ..present.latex_lines import whole
from ..present.latex_printer import LatexPrinter
from ..present.matrix import form
from ..present.view import PLAIN, View
from ..present.words import Words
from ..records import Derivation, Equation, System
from .html import fragment
from .make import document
from .records import Document, Formula, Formulas, Section
from .setting import shape_of

LEFT_OUT = ("symbols", "summary", "algorithm")


def derivation_html(derivation: Derivation) -> str:
    """The equations from the forward pass to the update, in sections."""
    made = document(derivation, level="summary")
    return fragment(replace(made, sections=tuple(s for s in made.sections if s.key not in LEFT_OUT)))


def network_html(system: System) -> str:
    """The forward pass and the loss; nothing is differentiated for it."""
    words = Words("en")
    parts = {"forward": system.forward, "loss": (system.objective,)}
    made = (Section(key, words.text(f"section.{key}"), (_formulas(eqs),)) for key, eqs in parts.items() if eqs)
    return fragment(Document(words.text("section.network"), "en", tuple(made)))


def network_latex(system: System) -> str:
    """The same equations for MathJax."""
    return formulas_latex(_formulas((*system.forward, system.objective)).lines)


def formulas_latex(lines: Iterable[Formula], view: View = PLAIN) -> str:
    """Equations below each other, $$ around them; steps do not know their notation, so the default is taken."""
    printer = LatexPrinter(view)
    rows = []
    for line in lines:
        number = f" && ({line.number})" if line.number else ""
        rows.append(f"{whole(printer.show(line.lhs))} &= {whole(printer.show(line.rhs))}{number}")
    inner = " \\\\\n".join(rows)
    return f"$$\\begin{{aligned}}\n{inner}\n\\end{{aligned}}$$"


def _formulas(equations: Iterable[Equation]) -> Formulas:
    return Formulas(tuple(map(_formula, equations)))


def _formula(eq: Equation) -> Formula:
    made = form(eq)
    return Formula("", made.lhs, made.rhs, shape_of(eq.lhs, PLAIN))
