"""A document's blocks as the HTML templates read them. Fields that hold HTML say so; all others are escaped there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ..present.tree import Node
from .html_text import HtmlText, anchor
from .records import (
    Algorithm,
    Block,
    Code,
    Derived,
    Diagram,
    Document,
    Formula,
    Formulas,
    Paragraph,
    Section,
    Table,
    lines_of,
)
from .svg import svg


@dataclass(frozen=True, slots=True)
class Line:
    """One equation: HTML of its sides, shape, rule and remarks; its code where that stands beside it.

    `mark` is shared by all partners of an equation, `id` and `number` are "" for a step without any.
    """

    id: str
    mark: str
    number: str
    step: bool
    left: str
    right: str
    shape: str
    rule: str
    remarks: tuple[str, ...]
    numpy: str
    c: str


@dataclass(frozen=True, slots=True)
class Equations:
    """Equations below each other; with a `heading` (HTML), the steps to the last of them."""

    kind: str
    heading: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Words:
    """A paragraph, or a drawing (HTML) with the name that readers of screens hear."""

    kind: str
    html: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class Cells:
    """A table of HTML cells."""

    kind: str
    titles: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Step:
    """A line of pseudo-code in HTML."""

    indent: int
    mark: str
    html: str
    reference: str


@dataclass(frozen=True, slots=True)
class Steps:
    """Pseudo-code."""

    kind: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """A section."""

    key: str
    title: str
    blocks: tuple[Equations | Words | Cells | Steps, ...]


class Views:
    """Turns one document's blocks into the templates' records; each equation has its anchor and code once.

    Without `anchors` nothing is linked: a notebook is one page with the ids of all its cells.
    """

    def __init__(self, document: Document, code: Mapping[int, Code], anchors: bool = True) -> None:
        lines = [line for section in document.sections for block in section.blocks for line in lines_of(block)]
        self.document, self.code, self.anchors = document, code, anchors
        self.marks = {line.number: _mark(line) for line in reversed(lines) if line.number}
        self.text = HtmlText(document.view, self.marks if anchors else ())
        self._anchored: set[str] = set()

    def part(self, section: Section) -> Part:
        """A section."""
        return Part(section.key if self.anchors else "", section.title, tuple(map(self._block, section.blocks)))

    def _block(self, block: Block) -> Equations | Words | Cells | Steps:
        text = self.text
        match block:
            case Paragraph():
                return Words("paragraph", text.sentence(block.sentence))
            case Diagram():
                drawn = svg(block, self.document.view) if block.boxes else ""
                return Words("drawing", drawn, self.document.words["drawing"])
            case Table():
                rows = tuple(tuple(map(text.sentence, row)) for row in block.rows)
                return Cells("table", tuple(map(text.sentence, block.titles)), rows)
            case Algorithm():
                return Steps("algorithm", tuple(self._steps(block)))
            case Formulas():
                return Equations("equations", "", tuple(self._lines(block.lines)))
            case Derived():
                return Equations("derived", text.sentence(block.heading), tuple(self._lines(block.lines)))

    def _steps(self, block: Algorithm) -> Iterator[Step]:
        for line in block.lines:
            reference = self.text.reference(line.number) if line.number else ""
            yield Step(line.indent, self.marks.get(line.number, ""), self.text.sentence(line.sentence), reference)

    def _lines(self, lines: tuple[Formula, ...]) -> Iterator[Line]:
        before: Node | None = None
        for place, line in enumerate(lines):
            new = bool(line.number) and line.number not in self._anchored
            self._anchored.add(line.number)
            code = self.code.get(line.code, Code()) if new and line.number == str(line.code) else Code()
            repeated = line.lhs == before and place < len(lines) - 1
            before = line.lhs
            yield Line(
                id=anchor(line.number) if new and self.anchors else "",
                mark=_mark(line),
                number=line.number,
                step=line.is_step or not line.number,
                left="" if repeated else self.text.left(line.lhs),
                right=self.text.right(line.rhs),
                shape=self.text.shape(line.shape),
                rule=self.text.sentence(line.rule),
                remarks=tuple(map(self.text.sentence, line.remarks)),
                numpy=code.numpy.strip("\n"),
                c=code.c.strip("\n"),
            )


def _mark(line: Formula) -> str:
    return str(line.code) if line.code else line.number.partition(".")[0]
