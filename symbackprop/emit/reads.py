"""Entries in C: which place in memory they are, and what is asked before it is read."""

from __future__ import annotations

from collections.abc import Mapping

from sympy import Expr

from ..language.brackets import At, Inside, NotAt, Part
from ..language.nodes import Entry, Index
from ..language.tensor import Tensor
from ..lower.positions import Test, axes_of, tests_of
from .integers import Integers
from .printer import UNARY

Made = Mapping[Tensor, tuple[tuple[Index, ...], str]]


class Reads:
    """Spells the leaves of one kernel.

    `made` are the tensors that the kernel has at hand: where, and the local name. `flat` is the space of a kernel that
    runs over all entries in one loop, with i for the number of the entry.
    """

    def __init__(
        self, names: Mapping[Tensor, str], letters: Mapping[Index, str], made: Made, flat: tuple[Index, ...] | None
    ) -> None:
        self.names, self.made, self.flat = names, made, flat
        self.integers = Integers(letters, self.text)

    def leaf(self, e: Expr, answered: frozenset[Test] = frozenset()) -> str | tuple[str, int] | None:
        """An entry, an index for its number, or a test; `answered` are tests that hold wherever this stands."""
        if isinstance(e, Entry):
            return self._entry(e, answered)
        if isinstance(e, (Index, Part)):
            return as_real(self.integers.text(e)), UNARY
        if isinstance(e, At):
            one, two = e.args
            return self.integers.equal(one, two, "!=" if isinstance(e, NotAt) else "=="), 0
        if isinstance(e, Inside):
            tests = [t for t in tests_of(e) if t not in answered]
            return (self.integers.conditions(tests), 0) if tests else "1"
        return None

    def _entry(self, e: Entry, answered: frozenset[Test]) -> str:
        """An entry, or the value beyond its axes where a test fails."""
        indices, local = self.made.get(e.tensor, (None, ""))
        if e.indices == indices:
            return local
        text = self.text(e)
        tests = [t for t in tests_of(e) if t not in answered]
        beyond = "0" if e.outside == 0 else "-INFINITY"
        return f"({self.integers.conditions(tests)} ? {text} : {beyond})" if tests else text

    def text(self, e: Entry) -> str:
        """An entry in memory, inside its axes."""
        return f"{self.names[e.tensor]}[{'i' if e.indices == self.flat else self._offset(e)}]"

    def _offset(self, e: Entry) -> str:
        text = ""
        for axis in axes_of(e):
            here = self.integers.text(axis.position)
            if not text:
                text = here
            else:
                size = axis.name if axis.size is None else str(axis.size)
                here = f"({here})" if here.startswith("-") else here
                text = f"({text})*{size} + {here}" if " " in text else f"{text}*{size} + {here}"
        return text or "0"


def as_real(text: str) -> str:
    """A whole number as a real one."""
    return f"(real)({text})" if " " in text else f"(real){text}"
