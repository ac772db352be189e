"""Solve the deltas of a partial derivative: which values of the summed indices stand at the wanted place.

A partial d y[i] / d x[f(i)], wanted at x[p], has a delta f(i) = p on every axis. Each is solved for one summed index,
the longest, so that the shorter sums stay: i = p - u + 1 for f = i + u - 1, and i = (p - u)/2 for f = 2 i + u, which
counts where it is whole. What cannot be solved stays under the sum as a delta.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sympy import Add, Eq, Expr, Integer

from ..language.affine import coefficients, reach
from ..language.brackets import At, Part
from ..language.indices import substitute
from ..language.nodes import Index


@dataclass
class Solution:
    """Values of summed indices; positions that must lie inside (position, size); deltas under and outside the sum."""

    values: dict[Expr, Expr] = field(default_factory=dict)
    inside: list[tuple[Expr, int]] = field(default_factory=list)
    deltas: list[Expr] = field(default_factory=list)
    conditions: list[Expr] = field(default_factory=list)

    def set(self, index: Index, value: Expr) -> None:
        """Give an index its value, and check whether that always lies in the index's range."""
        self.values = {k: substitute(v, {index: value}) for k, v in self.values.items()}
        self.inside = [(substitute(e, {index: value}), size) for e, size in self.inside]
        self.values[index] = value
        size = None if index.dim is None else index.dim.size
        if size is not None and not within(value, size):
            self.inside.append((value, size))


def within(position: Expr, size: int | None) -> bool:
    """Whether an index expression is always a whole number from 0 to size - 1."""
    if isinstance(position, Index):
        own = None if position.dim is None else position.dim.size
        return size is None or (own is not None and own <= size)
    ends = reach(position)
    parts = coefficients(position)
    whole = parts is None or all(c.is_integer for c in (*parts[0].values(), parts[1]))
    return ends is not None and whole and size is not None and ends[0] >= 0 and ends[1] < size


def solve(positions: Sequence[Expr], wanted: Sequence[Index], unknown: Iterable[Index]) -> Solution:
    """Solve position = wanted on every axis for indices of `unknown`."""
    open_indices = set(unknown)
    found = Solution()
    hard: list[tuple[Expr, Expr]] = []
    for position, target in zip(positions, wanted, strict=True):
        if isinstance(position, Index) and position in open_indices - set(found.values):
            found.set(position, target)
        else:
            hard.append((position, target))
    for position, target in _without_digits(hard):
        _solve_one(substitute(position, found.values), target, open_indices - set(found.values), found)
    return found


def _solve_one(position: Expr, target: Expr, unknown: set[Index], found: Solution) -> None:
    parts = coefficients(position)
    here = [] if parts is None else [i for i in parts[0] if i in unknown]
    if parts is None or (not here and position.atoms(Index) & unknown):
        found.deltas.append(At(target, position))
    elif position == 0 and isinstance(target, Index) and _size(target) == 1:
        return
    elif not here:
        found.conditions.append(Eq(target, position, evaluate=False))
    elif len(here) > 1 and _set_digits(here, parts[0], parts[1], target, found):
        return
    else:
        longest = max(here, key=lambda i: (_size(i), i.sort_key()))
        c = parts[0][longest]
        rest = Add(position, -c * longest)
        found.set(longest, Add(*(t / c for t in Add.make_args(target - rest))))


def _set_digits(here: list[Index], factors: dict[Index, Expr], constant: Expr, target: Expr, found: Solution) -> bool:
    """Solve a flat index, a + size*b with 0 <= a < size, for all its digits; False where it is none."""
    ordered = sorted(here, key=lambda i: (factors[i], _size(i)))
    stride = 1
    for index in ordered:
        if factors[index] != stride:
            return False
        stride *= _size(index)
    if constant != 0 or len(here) < len(factors) or not within(target, stride):
        return False
    for index in ordered:
        found.set(index, Part(target, int(factors[index]), _size(index)))
    return True


def _without_digits(pairs: list[tuple[Expr, Expr]]) -> list[tuple[Expr, Expr]]:
    """Deltas on all digits of one flat index become a delta on the flat index."""
    groups: dict[Expr, list[tuple[Part, Expr]]] = {}
    out: list[tuple[Expr, Expr]] = []
    for position, target in pairs:
        if isinstance(position, Part):
            groups.setdefault(position.args[0], []).append((position, target))
        else:
            out.append((position, target))
    for flat, digits in groups.items():
        digits.sort(key=lambda d: (int(d[0].args[1]), int(d[0].args[2])))
        stride, ends = 1, reach(flat)
        complete = ends is not None
        for digit, _ in digits:
            complete = complete and digit.args[1] == stride
            stride *= int(digit.args[2])
        if complete and ends is not None and ends[0] >= 0 and ends[1] < stride:
            total: Expr = Add(*(Integer(digit.args[1]) * target for digit, target in digits))
            out.append((flat, total))
        else:
            out += digits
    return out


def _size(index: Index) -> int:
    return 0 if index.dim is None or index.dim.size is None else index.dim.size
