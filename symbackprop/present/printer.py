"""What the text and LaTeX printers share: precedence. A method `_leaf` prints a `Leaf`, and so on.

Each method returns the printed form and how tightly it binds; `show` adds parentheses where it must.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from types import MappingProxyType

from .tree import Add, Apply, Divide, Hadamard, Leaf, Logic, Node, Number, Product, Relation, Size, Subscript

ADD, SUM, HADAMARD, PRODUCT, CALL, FACTOR, ATOM = range(7)
"""How tightly a form binds: a + b, a running sum, a ⊙ b, a b, log a, a^T, a."""

Printed = tuple[str, int]


class Printer:
    """Walks a tree; the class attributes are a language's words."""

    plus = " + "
    minus = " - "
    times = " ⊙ "
    over = " ⊘ "
    negative = "-"
    space = " "
    dot = "·"
    words: Mapping[str, str] = MappingProxyType({})

    def show(self, node: Node, least: int = ADD) -> str:
        """The node, in parentheses if it binds less tightly than asked."""
        text, level = self.printed(node)
        return text if level >= least else self.group(text)

    def printed(self, node: Node) -> Printed:
        """The node and how tightly it binds."""
        return getattr(self, f"_{type(node).__name__.lower()}")(node)  # type: ignore[no-any-return]

    def group(self, text: str) -> str:
        """Parentheses."""
        return f"({text})"

    def name(self, node: Leaf | Subscript) -> str:
        """A tensor's name."""
        raise NotImplementedError

    def gap(self, left: str, right: str) -> str:
        """What parts two factors side by side besides a space: something where one of them is a word."""
        return ""

    def number(self, value: int | float) -> str:
        """A number as short as it reads back the same."""
        return str(value) if isinstance(value, int) else repr(value)

    def fraction(self, above: str, below: str) -> str:
        """above/below."""
        raise NotImplementedError

    def _leaf(self, node: Leaf) -> Printed:
        return self.name(node), ATOM

    def _number(self, node: Number) -> Printed:
        if not isinstance(node.value, Fraction):
            return self.number(node.value), ATOM
        above, below = node.value.numerator, node.value.denominator
        shown = self.number(above)
        return (shown, ATOM) if below == 1 else (self.fraction(shown, self.number(below)), PRODUCT)

    def _size(self, node: Size) -> Printed:
        return (node.dim.name if node.dim.size is None else str(node.dim.size)), ATOM

    def _product(self, node: Product) -> Printed:
        text = ""
        for a in node.args:
            shown = self.show(a, FACTOR)
            text += (self.gap(text, shown) + self.space if text else "") + shown
        return text, PRODUCT

    def _hadamard(self, node: Hadamard) -> Printed:
        return self.times.join(self.show(a, CALL) for a in node.args), HADAMARD

    def _divide(self, node: Divide) -> Printed:
        left = node.left
        shown = self.show(left) if isinstance(left, Hadamard) else self.show(left, CALL)
        return shown + self.over + self.show(node.right, CALL), HADAMARD

    def _add(self, node: Add) -> Printed:
        text = ""
        for place, (sign, term) in enumerate(node.terms):
            operator = self.minus if sign < 0 else self.plus
            if place == 0:
                operator = self.negative if sign < 0 else ""
            text += operator + self.show(term, SUM)
        return text, ADD

    def _relation(self, node: Relation) -> Printed:
        sign = self.words.get(node.sign, node.sign)
        left = self.show(node.left, FACTOR if node.sign == "mod" else ADD)
        return f"{left} {sign} {self.show(node.right)}", ADD

    def _logic(self, node: Logic) -> Printed:
        return f" {self.words.get(node.word, node.word)} ".join(self.show(a) for a in node.args), ADD

    def factors(self, nodes: tuple[Node, ...], last: int = FACTOR, alone: int = PRODUCT) -> str:
        """Scalars side by side, with a dot between numbers; `last` and `alone`: how tightly those must bind."""
        text = ""
        for place, node in enumerate(nodes):
            least = alone if len(nodes) == 1 else last if place == len(nodes) - 1 else FACTOR
            numbers = place > 0 and _is_number(node) and _is_number(nodes[place - 1])
            shown = self.show(node, least)
            text += (self.dot if numbers else self.gap(text, shown) + self.space if place else "") + shown
        return text

    def _call(self, node: Apply) -> Printed:
        inner = ", ".join(self.show(a) for a in node.args)
        return f"{self.words.get(node.function, node.function)}({inner})", ATOM


def _is_number(node: Node) -> bool:
    return isinstance(node, Number) or (isinstance(node, Size) and node.dim.size is not None)
