"""What the LaTeX and MathML printers share: where fractions, brackets and factors stand in typeset mathematics."""

from __future__ import annotations

from ..language.tensor import Tensor
from .printer import ADD, ATOM, CALL, FACTOR, HADAMARD, PRODUCT, SUM, Printed, Printer
from .terms import is_plain
from .tree import Add, Apply, Divide, Hadamard, Leaf, Node, Running, Scale, Size, Spread, Subscript, Total
from .view import PLAIN, View


class Typeset(Printer):
    """A printer that sees the derivation through a view."""

    one = "1"

    def __init__(self, view: View = PLAIN) -> None:
        self.view = view

    def symbol(self, tensor: Tensor, indices: str = "", mark: str = "") -> str:
        """The tensor's symbol in the view's notation, with more indices and a mark above."""
        raise NotImplementedError

    def _leaf(self, node: Leaf) -> Printed:
        operator = self.view.symbol(node.tensor).gradient == "nabla"
        return self.name(node), CALL if operator else ATOM

    def _scale(self, node: Scale) -> Printed:
        core, plain = node.core, all(map(is_plain, node.denominator))
        front = tuple(n for n in node.numerator if core is not None or not plain or is_plain(n))
        rest = tuple(n for n in node.numerator if n not in front)
        text = self.factors(front, *((CALL, PRODUCT) if core is None and not rest else (FACTOR, FACTOR)))
        if node.denominator:
            text = self._quotient(node, front, text)
        if rest:
            text = f"{text} {self.factors(rest, CALL)}".lstrip()
        if core is None:
            return text, PRODUCT
        level = {Total: SUM, Running: SUM, Hadamard: HADAMARD, Divide: HADAMARD}.get(type(core), PRODUCT)
        return f"{text} {self.show(core, level)}".lstrip(), level

    def _quotient(self, node: Scale, front: tuple[Node, ...], above: str) -> str:
        return self.fraction(self.factors(front, CALL, ADD) or self.one, self.factors(node.denominator, CALL, ADD))

    def _spread(self, node: Spread) -> Printed:
        return self.printed(node.arg)

    def _size(self, node: Size) -> Printed:
        size = node.dim.size
        return (self.view.batch if size is None else self.number(size)), ATOM


def is_short(node: Node) -> bool:
    """Whether a function's argument needs no parentheses: a tensor or an entry."""
    return isinstance(node, (Leaf, Subscript))


def is_signed(node: Node) -> bool:
    """Whether this is minus a tensor or an entry."""
    return isinstance(node, Add) and len(node.terms) == 1 and is_short(node.terms[0][1])


def log_takes(printer: Printer, arg: Node) -> bool:
    """Whether log may stand before its argument without parentheses."""
    return is_short(arg) or (isinstance(arg, Apply) and printer.printed(arg)[1] == ATOM)
