"""A derivation in LaTeX: an align environment, a whole article, or the form that notebooks show."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from ..language.nodes import Entry
from ..language.tensor import Tensor
from ..records import Derivation, Note, Update
from .latex_lines import LIMIT, broken, fits
from .latex_printer import LatexPrinter
from .matrix import Form
from .notes import SIGMA, english
from .pages import Section, sections, update_tensors
from .symbols import latex_name
from .tree import Apply, Bracket, Divide, Hadamard, Node, Norm, Ones, Power, Total

SIGMA_LATEX = r"\sigma(z) = 1/(1 + e^{-z})"
ROWS_A_TABLE = 24
"""Rows of one table of symbols: two fit a page, one the first page below the title."""


@dataclass(frozen=True, slots=True)
class Symbol:
    """A row of the table of symbols."""

    symbol: str
    shape: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Part:
    """A section of the article: title, an opening sentence, the lines of its align, remarks by number."""

    title: str
    opening: str
    rows: tuple[str, ...]
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Article:
    """What the template of the article sees."""

    legend: tuple[str, ...]
    tables: tuple[tuple[Symbol, ...], ...]
    parts: tuple[Part, ...]


def latex(derivation: Derivation, standalone: bool = False) -> str:
    r"""The derivation as an align environment with \tag numbers, or with `standalone` as an article.

    The align needs amsmath; the article compiles with amsmath, amssymb, geometry and booktabs.
    """
    pages = sections(derivation)
    if not standalone:
        body = " \\\\[1ex]\n".join(f"% {page.name}\n" + _joined(_rows(page)) for page in pages)
        return f"\\begin{{align}}\n{body}\n\\end{{align}}\n"
    from ..emit.render import render

    return render("latex/derivation.tex.jinja", _article(derivation, pages))


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


def _article(derivation: Derivation, pages: tuple[Section, ...]) -> Article:
    symbols = tuple(_symbols(derivation))
    tables = tuple(symbols[i : i + ROWS_A_TABLE] for i in range(0, len(symbols), ROWS_A_TABLE))
    nodes = [node for page in pages for node in page.nodes()]
    legend = tuple(sentence for sentence, used in LEGEND if any(map(used, nodes)))
    return Article(legend, tables, tuple(_part(page) for page in pages))


LEGEND: tuple[tuple[str, Callable[[Node], bool]], ...] = (
    (r"$\odot$ is the elementwise product", lambda n: isinstance(n, Hadamard)),
    (r"$\oslash$ is the elementwise quotient", lambda n: isinstance(n, Divide)),
    (r"$A^{\circ 2}$ is the elementwise square", lambda n: isinstance(n, Power) and n.elementwise),
    (r"$\mathbf{1}$ is a column of ones", lambda n: isinstance(n, Ones)),
    (r"$\sum$ without an index runs over all entries", lambda n: isinstance(n, Total)),
    (r"$\lVert A \rVert^{2}$ is the sum of the squares of the entries", lambda n: isinstance(n, Norm) and n.kind == 2),
    (r"$\lVert A \rVert_{1}$ is the sum of the absolute values", lambda n: isinstance(n, Norm) and n.kind == 1),
    (r"$[c]$ is 1 where $c$ holds and 0 elsewhere", lambda n: isinstance(n, Bracket)),
    (r"$\operatorname{softmax}$ acts on rows", lambda n: isinstance(n, Apply) and n.function == "softmax"),
    (
        r"$\operatorname{rowsum}$ is the column of the rows' sums",
        lambda n: isinstance(n, Apply) and n.function == "rowsum",
    ),
    (f"${SIGMA_LATEX}$", lambda n: isinstance(n, Apply) and n.function == "sigma"),
)

TITLES = {
    "forward": ("Forward pass", "The rows of the input are the $N$ samples of a batch."),
    "loss": ("Objective", "Training looks for parameters that make this number small."),
    "backward": ("Backward pass", "The chain rule is applied from the loss back to the first layer."),
    "gradients": ("Gradients", "Every gradient has the shape of its parameter."),
    "prediction": ("Prediction", "A trained network predicts with these in the place of the equations above."),
    "states": ("Running values", "They are renewed after every step of training."),
    "update": ("Update", "The optimizer changes every entry of every parameter in the same way."),
}


def _part(page: Section) -> Part:
    title, opening = TITLES[page.name]
    remarks = [_update_remark(page.update)] if page.update is not None else []
    where: dict[str, list[str]] = {}
    for line in page.lines:
        for note in line.notes:
            if note != SIGMA:
                where.setdefault(_sentence(note), []).append(f"({line.number})")
    remarks += [f"In {', '.join(numbers)}: {note}." for note, numbers in where.items()]
    return Part(title, opening, tuple(_rows(page)), tuple(remarks))


def _note(note: Note) -> str:
    return SIGMA_LATEX if note == SIGMA else rf"\text{{{_escaped(note)}}}"


def _escaped(note: Note) -> str:
    return english(note).replace("_", r"\_")


def _sentence(note: Note) -> str:
    return _escaped(replace(note, key="kink_sentence") if note.key == "kink" else note)


def _update_remark(update: Update) -> str:
    used, fresh = update_tensors(update)
    steps = f", ${latex_name(update.step)}$ counts steps from 1" if update.step in used else ""
    values = ", ".join(f"${latex_name(h)} = {LatexPrinter().number(h.value or 0.0)}$" for h in update.hypers)
    theta, gradient = latex_name(update.theta), latex_name(update.gradient)
    return (
        f"{update.name}: ${theta}$ is an entry of a parameter, ${gradient}$ of its gradient{steps}; "
        f"${latex_name(fresh, mark='+')}$ is the new ${latex_name(fresh)}$. Values: {values}."
    )


def _symbols(derivation: Derivation) -> Iterator[Symbol]:
    system = derivation.system
    yield Symbol("N", "", "samples in the batch")
    for t in system.inputs:
        yield _symbol(t, "input")
    for t in system.targets:
        known = ", rows sum to 1" if "normalized" in t.traits else ", entries in $[0, 1]$" if "unit" in t.traits else ""
        known = ", entries $-1$ or $1$" if "sign" in t.traits else known
        yield _symbol(t, f"target{known}")
    for t in system.parameters:
        yield _symbol(t, "parameter")
    for t in system.states:
        yield _symbol(t, "kept with the parameters, no gradient")
    for t in system.randoms:
        yield _symbol(t, "uniform in $[0, 1)$, drawn anew at every step")
    weights = {e.tensor for e in derivation.objective.rhs.atoms(Entry)}
    for t in system.hypers:
        meaning = "weight in the objective" if t in weights else "number set at run time"
        yield _symbol(t, f"{meaning}, ${LatexPrinter().number(t.value or 0.0)}$")
    for eq in derivation.forward:
        yield _symbol(eq.lhs, f"defined in ({eq.number})")
    of = {t.adjoint or f"delta_{t.name}": t for t in (eq.lhs for eq in derivation.forward)}
    for eq in derivation.adjoints:
        source = of.get(eq.lhs.name)
        known = rf"$\partial L/\partial {latex_name(source)}$, " if source is not None else ""
        yield _symbol(eq.lhs, f"{known}({eq.number})")


def _symbol(tensor: Tensor, meaning: str) -> Symbol:
    return Symbol(latex_name(tensor), _shape(tensor.shape_text) if tensor.dims else "", meaning)
