"""A document in GitHub-flavored Markdown with $$ formulas, as GitHub, Jupyter and pandoc show it."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator

from ..present.latex_lines import broken, fits, whole
from ..present.latex_printer import LatexPrinter
from ..present.tree import Node
from .plain import PlainPrinter
from .records import (
    Algorithm,
    Block,
    Derived,
    Diagram,
    Document,
    Formula,
    Formulas,
    Paragraph,
    Section,
    Sentence,
    Table,
)
from .svg import svg

LIMIT = 560.0
"""Width of a displayed formula in points."""
SAFE = (
    (re.compile(r"\\operatorname\{((?:[^{}]|\\,)*)\}"), r"\\mathop{\\mathrm{\1}}"),
    (re.compile(r"\\,"), r"\\thinspace "),
    (re.compile(r"\\\{"), r"\\lbrace "),
    (re.compile(r"\\\}"), r"\\rbrace "),
    (re.compile(r"\\_"), r"\\rule{0.4em}{0.4pt}"),
    (re.compile(r"<"), r"\\lt "),
    (re.compile(r">"), r"\\gt "),
)
"""What Markdown or GitHub would take for something else, and the same in other words."""
SPECIAL = re.compile(r"([\\`*_\[\]<>|$#~])")


def markdown(document: Document) -> str:
    """The document as one file; the drawing is a Mermaid graph."""
    writer = MarkdownWriter(document)
    parts = [f"# {escaped(document.title)}", *map(writer.section, document.sections)]
    return "\n\n".join(parts) + "\n"


def escaped(text: str) -> str:
    """Words without any meaning for Markdown."""
    return SPECIAL.sub(r"\\\1", text)


class MarkdownWriter:
    """Writes one document's sections; with `pictures`, the drawing is an image in the text, else a Mermaid graph."""

    def __init__(self, document: Document, pictures: bool = False) -> None:
        self.document, self.pictures = document, pictures
        self.plain = PlainPrinter(document.view)

    def section(self, section: Section) -> str:
        """A section below its title."""
        return "\n\n".join([f"## {escaped(section.title)}", *filter(None, map(self._block, section.blocks))])

    def sentence(self, pieces: Sentence) -> str:
        """Words and formulas in a line."""
        return "".join(escaped(p) if isinstance(p, str) else f"${self._tex(p)}$" for p in pieces)

    def _block(self, block: Block) -> str:
        match block:
            case Paragraph():
                return self.sentence(block.sentence)
            case Formulas():
                return "\n\n".join(map(self._formula, block.lines))
            case Derived():
                return "\n\n".join([f"**{self.sentence(block.heading)}**", *map(self._formula, block.lines)])
            case Table():
                return "\n".join(self._rows(block))
            case Algorithm():
                return "\n".join(self._steps(block))
            case Diagram():
                return self._drawing(block) if block.boxes else ""

    def _tex(self, node: Node, shapes: bool | None = False) -> str:
        return _safe(whole(LatexPrinter(self.document.view, shapes=shapes).show(node)))

    def _formula(self, line: Formula) -> str:
        """The rule, the formula with its number, and what is to be remarked."""
        left = whole(LatexPrinter(self.document.view).show(line.lhs))
        rows = self._broken(left, line.rhs)
        if line.shape:
            rows[-1] += rf" \qquad {self._shape(line)}"
        inner = " \\\\\n".join(map(_safe, rows))
        body = f"\\begin{{aligned}}\n{inner}\n\\end{{aligned}}" if len(rows) > 1 else inner.replace("&=", "=")
        number = rf" \tag{{{line.number}}}" if line.number else ""
        rule = [self.sentence(line.rule)] if line.rule else []
        return "\n\n".join([*rule, f"$$\n{body}{number}\n$$", *map(self._remark, line.remarks)])

    def _broken(self, left: str, right: Node) -> list[str]:
        view = self.document.view
        lines = broken(left, LatexPrinter(view).show(right), LIMIT)
        return lines if fits(lines, LIMIT) else broken(left, LatexPrinter(view, inline=True).show(right), LIMIT)

    def _shape(self, line: Formula) -> str:
        sizes = r" \times ".join(self._tex(size) for size in line.shape)
        return rf"{{\scriptstyle {sizes}}}"

    def _remark(self, remark: Sentence) -> str:
        return f"> {self.sentence(remark)}"

    def _rows(self, table: Table) -> Iterator[str]:
        yield self._row(table.titles)
        yield "|" + " --- |" * len(table.titles)
        yield from map(self._row, table.rows)

    def _row(self, cells: tuple[Sentence, ...]) -> str:
        return "| " + " | ".join(self.sentence(cell) for cell in cells) + " |"

    def _steps(self, block: Algorithm) -> Iterator[str]:
        for line in block.lines:
            number = f" ({line.number})" if line.number else ""
            yield "  " * line.indent + f"- {self.sentence(line.sentence)}{number}"

    def _drawing(self, diagram: Diagram) -> str:
        label = self.document.words["drawing"]
        if self.pictures:
            picture = base64.b64encode(svg(diagram, self.document.view, alone=True).encode()).decode("ascii")
            return f'<img alt="{label}" src="data:image/svg+xml;base64,{picture}">'
        return "\n".join(["```mermaid", *self._graph(diagram), "```"])

    def _graph(self, diagram: Diagram) -> Iterator[str]:
        """Forward arrows only: a graph with both directions is laid out badly."""
        names = {box.name: f"t{place}" for place, box in enumerate(diagram.boxes)}
        yield "graph LR"
        for box in diagram.boxes:
            below = " × ".join(map(self.plain.show, box.below))
            label = self.plain.show(box.label) + (f"<br>{below}" if below else "")
            left, right = SHAPES.get(box.kind, ("[", "]"))
            yield f'  {names[box.name]}{left}"{label}"{right}'
        for arrow in diagram.arrows:
            if not arrow.backward:
                yield f"  {names[arrow.start]} --> {names[arrow.end]}"


SHAPES = {"parameter": ("[/", "/]"), "input": ("([", "])"), "target": ("([", "])"), "loss": ("((", "))")}
"""How Mermaid spells the outlines of boxes."""


def _safe(formula: str) -> str:
    for pattern, instead in SAFE:
        formula = pattern.sub(instead, formula)
    return formula
