r"""Equations and steps as rows of an alignment: lines that fit, numbers, rules, shapes, and the remarks below."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from ..present.latex_lines import EQUALS, broken, whole, width
from ..present.latex_measure import EM, measure
from ..present.latex_printer import LatexPrinter
from ..present.tree import Node
from .latex_groups import Group, Page, Row
from .latex_text import LINE, Text
from .records import Derived, Formula, Formulas, Sentence

GAP = 16.0
SMALL = 0.92
"""The size of rules and remarks."""
NARROWEST, WIDEST = 105.0, 250.0
"""A column of rules, in points."""
JOT = 7.0


def formulas(block: Formulas, text: Text, page: Page) -> Iterator[Group]:
    """Aligned equations, with their shapes beside them if all have room, and the remarks below."""
    lines = block.lines
    column = _column(lines, text)
    made = [_broken(line, text, page, page.formula, column) for line in lines]
    shapes = [_shape(line, text) for line in lines]
    room = page.formula - max(line.width(column) for line in made) - GAP - max(map(width, shapes))
    beside = shapes if room >= 0 else [""] * len(lines)
    rows = tuple(line.row(extra, last=True) for line, extra in zip(made, beside, strict=True))
    yield _aligned(rows)
    yield from _remarks(lines, text, page)


def derived(block: Derived, text: Text, page: Page) -> Iterator[Group]:
    """A heading, then the steps with their rules beside them or, where that is too narrow, above them."""
    lines = block.lines
    column = _column(lines, text)
    beside = _beside(lines, text, page, column)
    if beside is None:
        full = [_broken(line, text, page, page.formula, column) for line in lines]
        rows = [_led(line, text, page) for line in full]
    else:
        made, room = beside
        rows = [line.row(*_rule(line.formula.rule, text, page, room)) for line in made]
    shown = tuple(_without_repetition(rows, lines))
    head = rf"\par\medskip\noindent\textbf{{{text.sentence(block.heading)}}}\nopagebreak"
    heading = text.height(block.heading, page.width / 1.1) + 8
    yield _aligned(shown, head, heading)
    yield from _remarks(lines, text, page)


@dataclass(frozen=True, slots=True)
class _Line:
    """An equation with the rows that its right side takes."""

    formula: Formula
    shown: list[str]

    def width(self, column: float) -> float:
        """The width with a left side as wide as its block's."""
        left = width(self.shown[0].partition("&=")[0])
        return max(column + width(line) - (left if place == 0 else 0) for place, line in enumerate(self.shown))

    def row(self, extra: str = "", height: float = 0.0, last: bool = False, lead: str = "") -> Row:
        """All lines of it, with what stands beside the first one (or the last) and the number at the end."""
        number = self.formula.number
        label = "" if self.formula.is_step else rf"\label{{eq:{number}}}"
        marks = [r" \notag"] * (len(self.shown) - 1) + [rf" \tag{{{number}}}{label}" if number else r" \notag"]
        extras = [""] * len(self.shown)
        extras[-1 if last else 0] = f" && {extra}" if extra else ""
        rows = [line + beside + mark for line, beside, mark in zip(self.shown, extras, marks, strict=True)]
        heights = [max(measure(line.replace("&", "")).total, LINE) + JOT for line in self.shown]
        return Row(" \\\\*\n".join(rows), max(heights[0], height + JOT) + sum(heights[1:]), lead)


def _column(lines: Sequence[Formula], text: Text) -> float:
    return max(width(whole(LatexPrinter(text.view).show(line.lhs))) for line in lines)


def _broken(line: Formula, text: Text, page: Page, limit: float, column: float) -> _Line:
    """The lines of an equation in the first way of printing it that fits; what never does is made smaller."""
    left = whole(LatexPrinter(text.view).show(line.lhs))
    for printer in _printers(text):
        found = _Line(line, broken(left, printer.show(line.rhs), limit, column))
        if found.width(column) <= limit + 1:
            return found
    return replace(found, shown=[_shrunk(row, page, limit - column) for row in found.shown])


def _printers(text: Text) -> Iterator[LatexPrinter]:
    """From the most beautiful way of writing to the one that can be broken at most places."""
    yield LatexPrinter(text.view)
    yield LatexPrinter(text.view, opened=True)
    yield LatexPrinter(text.view, inline=True)
    if text.view.notation.shapes:
        yield LatexPrinter(text.view, inline=True, shapes=False)


def _shrunk(row: str, page: Page, room: float) -> str:
    """A line in a smaller size, as wide as the room."""
    left, _, right = row.partition("&")
    sign, right = ("=", right.removeprefix("=")) if right.startswith("=") else ("", right)
    fits = width(right) <= room - EQUALS
    return row if fits else rf"{left}&{sign} \resizebox{{{page.points(room - EQUALS)}}}{{!}}{{$\displaystyle {right}$}}"


def _shape(line: Formula, text: Text) -> str:
    sizes = r" \times ".join(LatexPrinter(text.view, shapes=False).show(side) for side in line.shape)
    return rf"\qquad \in \mathbb{{R}}^{{{sizes}}}" if sizes else ""


def _beside(lines: Sequence[Formula], text: Text, page: Page, column: float) -> tuple[list[_Line], float] | None:
    """The lines broken so that a column of rules has room beside them, and its width; None if that costs lines."""
    made = [_broken(line, text, page, page.formula - NARROWEST - GAP, column) for line in lines]
    plain = [_broken(line, text, page, page.formula, column) for line in lines]
    room = page.formula - GAP - max(line.width(column) for line in made)
    if room < NARROWEST - 1 or sum(len(m.shown) for m in made) > sum(len(p.shown) for p in plain):
        return None
    return made, min(room, WIDEST)


def _rule(rule: Sentence, text: Text, page: Page, room: float) -> tuple[str, float]:
    """A rule in a column of its own, and its height."""
    if not rule:
        return "", 0.0
    shown = rf"\quad\parbox[t]{{{page.points(room)}}}{{\raggedright\small {text.sentence(rule)}}}"
    return shown, text.height(rule, room / SMALL / 1.05)


def _led(line: _Line, text: Text, page: Page) -> Row:
    """The line with its rule above it."""
    lead = rf"{{\small {text.sentence(line.formula.rule)}}}" if line.formula.rule else ""
    row = line.row(lead=lead)
    height = text.height(line.formula.rule, page.width / 1.05) + JOT + 3 if lead else 0
    return Row(row.text, row.height + height, lead)


def _without_repetition(rows: Sequence[Row], lines: Sequence[Formula]) -> Iterator[Row]:
    """The rows, less the left sides that were there in the row before."""
    last: Node | None = None
    for row, line in zip(rows, lines, strict=True):
        _, equals, right = row.text.partition("&=")
        yield Row(f"{equals}{right}", row.height, row.lead) if line.lhs == last else row
        last = line.lhs


def _aligned(rows: tuple[Row, ...], head: str = "", heading: float = 0.0) -> Group:
    begin, end = r"\begin{alignat}{2}", r"\end{alignat}"
    return Group(rows, begin, end, " \\\\\n", head, 18.0 + heading, first=2)


def _remarks(lines: Iterable[Formula], text: Text, page: Page) -> Iterator[Group]:
    """What holds for some of the equations, with their numbers; what is said of several is said once."""
    where: dict[Sentence, list[str]] = {}
    for line in lines:
        for remark in line.remarks:
            where.setdefault(remark, []).append(line.number)
    rows = []
    for remark, numbers in where.items():
        named = ", ".join(f"({number})" for number in numbers if number)
        said: Sentence = ((f"{named}: ",) if named else ()) + remark
        shown = rf"\par\noindent\hangindent={EM:.0f}pt{{\small {text.sentence(said)}\par}}"
        rows.append(Row(shown, text.height(said, page.width / 1.1)))
    if rows:
        yield Group(tuple(rows), around=6.0)
