"""Blocks of a document as groups of LaTeX rows: one function a kind of block."""

from __future__ import annotations

from collections.abc import Iterator

from .latex_diagram import drawn
from .latex_formulas import derived, formulas
from .latex_groups import Group, Page, Row
from .latex_tables import algorithm, table
from .latex_text import Text
from .records import Algorithm, Block, Derived, Diagram, Document, Formulas, Paragraph, Table, lines_of


def groups(block: Block, text: Text, page: Page, known: frozenset[str]) -> Iterator[Group]:
    """The groups that a block is printed as; `known` are the numbers of the document's equations."""
    match block:
        case Paragraph():
            height = text.height(block.sentence, page.width)
            yield Group((Row(rf"\par {text.sentence(block.sentence)}", height, leads=True),))
        case Formulas():
            yield from formulas(block, text, page)
        case Derived():
            yield from derived(block, text, page)
        case Table():
            yield from table(block, text, page)
        case Algorithm():
            yield algorithm(block, text, page, known)
        case Diagram():
            if block.boxes:
                yield drawn(block, text, page)


def numbers(document: Document) -> frozenset[str]:
    """The numbers of all equations that carry one."""
    blocks = (block for section in document.sections for block in section.blocks)
    lines = (line for block in blocks for line in lines_of(block))
    return frozenset(line.number for line in lines if line.number and not line.is_step)
