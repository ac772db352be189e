"""What the LaTeX and MathML printers share: where fractions, brackets and factors stand in typeset mathematics."""

from __future__ import annotations

from ..language.tensor import Dim, Tensor
from .printer import ADD, ATOM, CALL, FACTOR, HADAMARD, PRODUCT, SUM, Printed, Printer
from .terms import is_plain
from .tree import Add, Apply, Cases, Divide, Hadamard, Leaf, Node, Running, Scale, Size, Spread, Subscript, Total
from .view import PLAIN, View


class Typeset(Printer):
    """A printer that sees the derivation through a view."""

    one = "1"

    def __init__(self, view: View = PLAIN, opened: bool = False, shapes: bool | None = None) -> None:
        self.view, self.opened = view, opened
        self.shapes = view.notation.shapes if shapes is None else shapes

    def symbol(self, tensor: Tensor, indices: str = "", mark: str = "") -> str:
        """The tensor's symbol in the view's notation, with more indices and a mark above."""
        raise NotImplementedError

    def under(self, text: str, sides: tuple[Dim | int, ...]) -> str:
        """The text with a shape below it."""
        raise NotImplementedError

    def shape(self, tensor: Tensor, turned: bool = False) -> tuple[Dim | int, ...]:
        """The dimensions of a factor as it is printed; a plain vector has one."""
        dims = tuple(tensor.dims[axis] for axis in self.view.order(tensor))
        column = len(dims) == 1 and (not self.view.profile.implicit or self.view.columns or turned)
        sides: tuple[Dim | int, ...] = (*dims, 1) if column else dims
        return sides[::-1] if turned else sides

    def shaped(self, text: str, sides: tuple[Dim | int, ...]) -> str:
        """The text with a shape below it, where the notation asks for that."""
        return self.under(text, sides) if self.shapes and sides else text

    def _leaf(self, node: Leaf) -> Printed:
        operator = self.view.symbol(node.tensor).gradient == "nabla"
        return self.shaped(self.name(node), self.shape(node.tensor)), CALL if operator else ATOM

    def _scale(self, node: Scale) -> Printed:
        core, plain = node.core, all(map(is_plain, node.denominator))
        behind = core is None and (plain or self.opened)
        front = tuple(n for n in node.numerator if not behind or (is_plain(n) if plain else not _is_long(n)))
        if node.denominator:
            front = tuple(n for n in front if not self._is_quotient(n))
        rest = tuple(n for n in node.numerator if n not in front)
        text = self.factors(front, *((CALL, PRODUCT) if core is None and not rest else (FACTOR, FACTOR)))
        if node.denominator:
            text = self._quotient(node, front, text)
        if rest:
            text = self._joined(text, self.factors(rest, CALL))
        if core is None:
            return text, PRODUCT
        level = {Total: SUM, Running: SUM, Hadamard: HADAMARD, Divide: HADAMARD}.get(type(core), PRODUCT)
        return self._joined(text, self.show(core, level)), level

    def _joined(self, left: str, right: str) -> str:
        return f"{left}{self.gap(left, right)} {right}" if left else right

    def _is_quotient(self, node: Node) -> bool:
        """Whether a factor is printed as a fraction, which stands beside another fraction and not in it."""
        return isinstance(node, (Leaf, Subscript)) and self.view.symbol(node.tensor).gradient == "partial"

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


def _is_long(node: Node) -> bool:
    """Whether a factor of a numerator is a sum, which should not make a fraction wide."""
    return isinstance(node, (Add, Running, Cases))


def log_takes(printer: Printer, arg: Node) -> bool:
    """Whether log may stand before its argument without parentheses."""
    return is_short(arg) or (isinstance(arg, Apply) and printer.printed(arg)[1] == ATOM)
