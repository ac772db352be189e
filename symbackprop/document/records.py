"""A document before it is written: sections of blocks, in one language and one notation. Every writer prints these.

Formulas are trees (`present/tree.py`); a writer shows them with the document's `view`, which knows the symbols.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from ..present import words
from ..present.tree import Node
from ..present.view import PLAIN, View

Piece = words.Piece
Sentence = words.Sentence


@dataclass(frozen=True, slots=True)
class Formula:
    """One equation, or one step on the way to one.

    `number` is printed in parentheses: "7", a step's "7.2", or "" for none. `rule` says what leads to a step.
    `shape` holds the sizes of the left side, `remarks` what holds at some entries only or was made use of.
    `code` is the key of the lines of code that compute it (0: none); steps have that of their equation.
    """

    number: str
    lhs: Node
    rhs: Node
    shape: tuple[Node, ...] = ()
    rule: Sentence = ()
    remarks: tuple[Sentence, ...] = ()
    code: int = 0

    @property
    def is_step(self) -> bool:
        """Whether this stands on the way to a numbered equation."""
        return "." in self.number

    def _repr_latex_(self) -> str:
        from .jupyter import formulas_latex

        return formulas_latex((self,))


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Sentences that belong together."""

    sentence: Sentence


@dataclass(frozen=True, slots=True)
class Formulas:
    """Equations that stand below each other, aligned at their equal signs."""

    lines: tuple[Formula, ...]


@dataclass(frozen=True, slots=True)
class Derived:
    """How one equation comes about: a heading in words, the steps, and the equation itself, which is the last line."""

    heading: Sentence
    lines: tuple[Formula, ...]

    def _repr_latex_(self) -> str:
        from .jupyter import formulas_latex

        return formulas_latex(self.lines)


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells below a row of titles; what does not fit in one page's width is the writer's matter."""

    titles: tuple[Sentence, ...]
    rows: tuple[tuple[Sentence, ...], ...]


@dataclass(frozen=True, slots=True)
class CodeLine:
    """A line of pseudo-code: how far it is indented, its words and formulas, and the equation it refers to."""

    indent: int
    sentence: Sentence
    number: str = ""


@dataclass(frozen=True, slots=True)
class Algorithm:
    """Pseudo-code."""

    lines: tuple[CodeLine, ...]


@dataclass(frozen=True, slots=True)
class Box:
    """A tensor in the drawing: where its center is, how large it is (in columns and rows), and what stands in it.

    `kind` is that of the tensor (input, target, parameter, intermediate, ...), "loss", or "dots" for boxes that are
    left out. `below` are the sizes of its axes, in smaller letters below the label; `more` are further tensors that
    are drawn in the same box, activations of the first one.
    """

    name: str
    kind: str
    column: float
    row: float
    label: Node
    below: tuple[Node, ...] = ()
    width: float = 0.56
    height: float = 0.5
    more: tuple[Node, ...] = ()


@dataclass(frozen=True, slots=True)
class Arrow:
    """From one box to another, by name; `backward` carries a derivative, whose name stands beside it.

    `points` are the corners of its line from start to end, `at` the center of its label, in columns and rows.
    """

    start: str
    end: str
    label: Node | None = None
    backward: bool = False
    points: tuple[tuple[float, float], ...] = ()
    at: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Diagram:
    """The drawn network."""

    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]


Block = Paragraph | Formulas | Derived | Table | Algorithm | Diagram


def lines_of(block: Block) -> tuple[Formula, ...]:
    """The equations of a block."""
    return block.lines if isinstance(block, (Formulas, Derived)) else ()


@dataclass(frozen=True, slots=True)
class Section:
    """A titled part; `key` names it in every language."""

    key: str
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Code:
    """The lines of generated code that compute one equation; "" where a target has none of its own."""

    numpy: str = ""
    c: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """A whole document. `words` are the writers' own labels in the document's language, `code` the partners' code.

    `language` is a two-letter code; `code` has keys as `Formula.code`.
    """

    title: str
    language: str
    sections: tuple[Section, ...]
    words: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    code: Mapping[int, Code] = field(default_factory=lambda: MappingProxyType({}))
    view: View = PLAIN

    def _repr_html_(self) -> str:
        from .html import fragment

        return fragment(self)
