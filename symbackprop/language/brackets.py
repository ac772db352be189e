"""Nodes about where an entry stands: digits of flat indices, and brackets that are 1 or 0."""

from __future__ import annotations

from typing import Any

from sympy import Eq, Expr, Integer, Piecewise

from .nodes import as_index


class Part(Expr):  # type: ignore[misc]
    """One digit of a flat index: floor(flat/stride) modulo size. `args` are (flat, stride, size)."""

    is_commutative = True
    is_integer = True
    is_real = True
    is_nonnegative = True

    def __new__(cls, flat: Any, stride: int, size: int) -> Expr:
        """A node of the expression tree; equal arguments make equal nodes."""
        return Expr.__new__(cls, as_index(flat), Integer(stride), Integer(size))

    def _sympystr(self, printer: Any) -> str:
        flat, stride, size = (printer._print(a) for a in self.args)
        return f"floor(({flat})/{stride}) mod {size}"


class Inside(Expr):  # type: ignore[misc]
    """1 where a position is a whole number from 0 to size - 1, else 0. `args` are (position, size)."""

    is_commutative = True
    is_real = True
    is_nonnegative = True

    def _sympystr(self, printer: Any) -> str:
        return f"[0 <= {printer._print(self.args[0])} < {printer._print(self.args[1])}]"


class At(Expr):  # type: ignore[misc]
    """1 where an index is the one given (`ArgMax`, an entry of whole numbers), else 0.

    A node rather than a choice: SymPy rewrites choices whose conditions hold other choices.
    """

    is_commutative = True
    is_real = True
    is_nonnegative = True

    @property
    def choice(self) -> Expr:
        """The same as a choice between two numbers."""
        return Piecewise((1, Eq(*self.args, evaluate=False)), (0, True))

    def _sympystr(self, printer: Any) -> str:
        return f"[{printer._print(self.args[0])} = {printer._print(self.args[1])}]"


class NotAt(At):
    """0 where an index is the one given, else 1."""

    @property
    def choice(self) -> Expr:
        """The same as a choice between two numbers."""
        return Piecewise((0, Eq(*self.args, evaluate=False)), (1, True))
