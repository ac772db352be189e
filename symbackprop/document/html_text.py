"""Sentences and formulas as HTML: everything escaped, numbers of equations turned into links."""

from __future__ import annotations

import re
from collections.abc import Collection
from html import escape

from ..present.mathml import bare
from ..present.mathml_printer import MathmlPrinter, math, parts
from ..present.tree import Node
from ..present.view import View
from .records import Sentence

REFERENCE = re.compile(r"\(([A-Z]?\d+(?:\.\d+)*)\)")
WIDE = 28
"""Letters and signs of a formula from which on it may be broken."""
EQUALS = '<mo form="infix" lspace="0.2778em" rspace="0.2778em">=</mo>'


def anchor(number: str) -> str:
    """The id of a numbered equation."""
    return f"eq-{number}"


class HtmlText:
    """Prints in one document's notation; `numbers` are those that can be linked to."""

    def __init__(self, view: View, numbers: Collection[str]) -> None:
        self.printer = MathmlPrinter(view)
        self.flat = MathmlPrinter(view, flat=True)
        self.plain = MathmlPrinter(view, shapes=False)
        self.numbers = numbers

    def sentence(self, pieces: Sentence) -> str:
        """Words and formulas."""
        return "".join(self.words(p) if isinstance(p, str) else math(self.plain.show(p)) for p in pieces)

    def words(self, text: str) -> str:
        """Escaped words with links."""
        made, end = "", 0
        for found in REFERENCE.finditer(text):
            made += escape(text[end : found.start()], quote=False) + self.reference(found.group(1))
            end = found.end()
        return made + escape(text[end:], quote=False)

    def reference(self, number: str) -> str:
        """(3), a link where the equation is there."""
        return f'<a href="#{anchor(number)}">({number})</a>' if number in self.numbers else f"({number})"

    def left(self, node: Node) -> str:
        """A left side."""
        return math(self.printer.show(node), display=True)

    def right(self, node: Node) -> str:
        """The equal sign and a right side; a wide one in pieces between which the line may end."""
        text = EQUALS + self.printer.show(node)
        if len(bare(text)) < WIDE:
            return math(text, display=True)
        flat = EQUALS + self.flat.show(node)
        return "<wbr>".join(math(part, display=True) for part in parts(flat, WIDE))

    def shape(self, sizes: tuple[Node, ...]) -> str:
        """N × 32; "" for none."""
        shown = '<mo lspace="0.1em" rspace="0.1em">×</mo>'.join(self.plain.show(size) for size in sizes)
        return math(shown) if shown else ""
