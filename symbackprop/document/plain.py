"""Formulas in one line of Unicode text in a document's notation, W₁, δ⁽²⁾, ∂L/∂W₁, for labels without markup."""

from __future__ import annotations

from ..present.symbols import GREEK, Symbol
from ..present.text import TextPrinter
from ..present.tree import Leaf, Size, Subscript
from ..present.view import PLAIN, View

ABOVE = str.maketrans("0123456789()[]+-ln", "⁰¹²³⁴⁵⁶⁷⁸⁹⁽⁾[]⁺⁻ˡⁿ")
BELOW = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


class PlainPrinter(TextPrinter):
    """The text printer with the view's symbols."""

    def __init__(self, view: View = PLAIN) -> None:
        self.view = view

    def name(self, node: Leaf | Subscript) -> str:
        """A tensor's name; next(v) is v⁺."""
        new = isinstance(node, Leaf) and node.new
        return plain_symbol(self.view.symbol(node.tensor)) + ("⁺" if new else "")

    def _size(self, node: Size) -> tuple[str, int]:
        text, level = super()._size(node)
        return (self.view.batch if node.dim.size is None else text), level


def plain_symbol(symbol: Symbol) -> str:
    """The symbol in Unicode."""
    letter = GREEK[symbol.letter][0] if symbol.letter in GREEK else symbol.letter
    inner = letter + ("\u0302" if symbol.hat else "") + _below(symbol.below)
    inner += symbol.above.translate(ABOVE) + "′" * symbol.primes
    return {
        "": inner,
        "partial": f"∂{symbol.loss}/∂{inner}",
        "d": f"d{inner}",
        "nabla": f"∇{symbol.loss}({inner})",
        "grad": f"{inner}.grad",
    }[symbol.gradient]


def _below(below: Symbol | str) -> str:
    text = plain_symbol(below) if isinstance(below, Symbol) else below
    return text.translate(BELOW) if text.isdigit() else f"_{text}" if text else ""
