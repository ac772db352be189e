"""Between which numbers a hyper-parameter lies: at declaration, when it is set, and at every step of a schedule."""

from __future__ import annotations

import operator
from typing import Any, NamedTuple


class Bounds(NamedTuple):
    """least <= x, above < x, x <= most and x < below, each where it is given.

    A plain tuple to the stages that only hand it on (`Tensor.bounds`, `Manifest.bounds`): `Bounds(*them)` reads it.
    """

    least: float | None = None
    below: float | None = None
    above: float | None = None
    most: float | None = None

    def holds(self, value: Any) -> Any:
        """Whether a number, or each number of an array, lies within; a NaN does not lie within any bound."""
        found: Any = True
        for limit, keeps in (
            (self.least, operator.ge),
            (self.above, operator.gt),
            (self.most, operator.le),
            (self.below, operator.lt),
        ):
            found = found if limit is None else found & keeps(value, limit)
        return found

    def __str__(self) -> str:
        """`>= 0`, `> 0`, `in [0, 1)`, or nothing; as it follows "must be a finite number"."""
        low = self.above if self.least is None else self.least
        high = self.below if self.most is None else self.most
        if low is not None and high is not None:
            left, right = "(" if self.least is None else "[", ")" if self.most is None else "]"
            return f"in {left}{low:g}, {high:g}{right}"
        if low is not None:
            return f"{'>' if self.least is None else '>='} {low:g}"
        return "" if high is None else f"{'<' if self.most is None else '<='} {high:g}"

    @property
    def wanted(self) -> str:
        """`a finite number >= 0`: what is wanted, for messages."""
        return f"a finite number {self}".rstrip()


FREE = Bounds()
POSITIVE = Bounds(above=0.0)
NOT_NEGATIVE = Bounds(least=0.0)
