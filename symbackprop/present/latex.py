"""A derivation in LaTeX: an align environment, or the form that notebooks show."""

from __future__ import annotations

from ..records import Derivation, Note
from .latex_lines import LIMIT, broken, fits
from .latex_printer import LatexPrinter
from .matrix import Form
from .notes import SIGMA, english
from .pages import Section, sections

SIGMA_LATEX = r"\sigma(z) = 1/(1 + e^{-z})"


def latex(derivation: Derivation) -> str:
    r"""The derivation as an align environment with \tag numbers, which needs amsmath."""
    body = " \\\\[1ex]\n".join(f"% {page.name}\n" + _joined(_rows(page)) for page in sections(derivation))
    return f"\\begin{{align}}\n{body}\n\\end{{align}}\n"


def repr_latex(derivation: Derivation) -> str:
    r"""The derivation for notebooks: $$\begin{aligned} ... \end{aligned}$$, as MathJax and KaTeX understand it."""
    rows = []
    for page in sections(derivation):
        for line in page.lines:
            *first, last = _lines(line.form, 2 * LIMIT)
            number = f"({line.number})" if line.number else ""
            notes = r",\ ".join(_note(note) for note in line.notes)
            rows += [*first, " && ".join((last, _shape(line.shape), number, notes)).rstrip(" &")]
    return f"$$\\begin{{aligned}}\n{_joined(rows)}\n\\end{{aligned}}$$"


def _shape(text: str) -> str:
    return text.replace(",)", ")")


def _joined(rows: list[str]) -> str:
    return " \\\\\n".join(rows)


def _lines(form: Form, limit: float = LIMIT) -> list[str]:
    """An equation, broken where it is too long; quotients go on the line when that is still too long."""
    left = LatexPrinter().show(form.lhs)
    for printer in (LatexPrinter(), LatexPrinter(opened=True)):
        lines = broken(left, printer.show(form.rhs), limit)
        if fits(lines, limit):
            return lines
    return broken(left, LatexPrinter(inline=True).show(form.rhs), limit)


def _rows(page: Section) -> list[str]:
    """The rows of a section's align, each with its number or without any."""
    rows = []
    for line in page.lines:
        *first, last = _lines(line.form)
        rows += [rf"{row} \notag" for row in first]
        rows.append(f"{last} \\tag{{{line.number}}}" if line.number else rf"{last} \notag")
    return rows


def _note(note: Note) -> str:
    return SIGMA_LATEX if note == SIGMA else rf"\text{{{_escaped(note)}}}"


def _escaped(note: Note) -> str:
    return english(note).replace("_", r"\_")
