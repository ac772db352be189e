"""Where an entry stands, in whole numbers, and which of its axes must be tested before it is read."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from sympy import Add, Expr, Integer, Rational

from ..errors import LoweringError
from ..language.brackets import Inside, Part
from ..language.nodes import Entry, Index
from ..language.tensor import Dim

Ends = tuple[Fraction, Fraction]


@dataclass(frozen=True, slots=True)
class Position:
    """(sum of factor*atom + constant)/divisor, all whole; an atom is an index, a digit or an entry of whole numbers."""

    terms: tuple[tuple[Expr, int], ...]
    constant: int
    divisor: int

    def factor(self, atom: Expr) -> int:
        """The factor of one atom, 0 where it does not occur."""
        return next((c for a, c in self.terms if a == atom), 0)


def position(expr: Expr) -> Position:
    """An index expression over one divisor."""
    found: dict[Expr, Rational] = {}
    constant = Rational(0)
    for term in Add.make_args(expr):
        number, rest = term.as_coeff_Mul()
        if rest == 1:
            constant += number
        elif isinstance(rest, (Index, Part, Entry)) and number.is_Rational:
            found[rest] = found.get(rest, Rational(0)) + number
        else:
            raise LoweringError(f"the index {expr} is no sum of indices times numbers")
    divisor = math.lcm(int(constant.q), *(int(c.q) for c in found.values()))
    ordered = sorted(found.items(), key=lambda item: item[0].sort_key())
    return Position(tuple((a, int(c * divisor)) for a, c in ordered), int(constant * divisor), divisor)


def ends(expr: Expr) -> Ends | None:
    """The least and the largest value of an index expression; None where an atom has no known range."""
    found = position(expr)
    low = high = found.constant
    for atom, factor in found.terms:
        last = _last(atom)
        if last is None:
            return None
        low, high = low + min(0, factor * last), high + max(0, factor * last)
    return Fraction(low, found.divisor), Fraction(high, found.divisor)


def _last(atom: Expr) -> int | None:
    """The largest value of an atom; the least is 0."""
    if isinstance(atom, Part):
        return int(atom.args[2]) - 1
    if isinstance(atom, Entry):
        return None if atom.tensor.levels is None else atom.tensor.levels - 1
    assert isinstance(atom, Index)
    return None if atom.dim is None or atom.dim.size is None else atom.dim.size - 1


@dataclass(frozen=True, slots=True)
class Test:
    """What must be asked of a position: is it at least 0, below size, whole? None of them: it always is."""

    position: Expr
    size: int
    low: bool
    high: bool
    whole: bool

    def __bool__(self) -> bool:
        return self.low or self.high or self.whole


def test_of(expr: Expr, size: int) -> Test:
    """The questions whose answers are not known beforehand of a position on an axis of `size` entries."""
    found, reach = position(expr), ends(expr)
    whole = found.divisor > 1
    if reach is None:
        return Test(expr, size, True, True, whole)
    return Test(expr, size, reach[0] < 0, reach[1] >= size, whole)


def tests_of(node: Entry | Inside) -> tuple[Test, ...]:
    """The questions before an entry is read, or a guard is open: one a doubtful axis."""
    if isinstance(node, Inside):
        found = [test_of(node.args[0], int(node.args[1]))]
    elif node.outside is None:
        return ()
    else:
        pairs = zip(node.indices, node.tensor.dims, strict=True)
        found = [test_of(i, d.size) for i, d in pairs if d.size is not None]
    return tuple(t for t in found if t)


def is_plain(e: Entry) -> bool:
    """Whether an entry has a different index on every axis, each running over all of its axis."""
    if e.outside is not None or len(set(e.indices)) < len(e.indices):
        return False
    return all(isinstance(i, Index) and spans(i, d) for i, d in zip(e.indices, e.tensor.dims, strict=True))


def spans(index: Index, dim: Dim) -> bool:
    """Whether an index runs over all of an axis."""
    return index.dim is not None and index.dim.size == dim.size


@dataclass(frozen=True, slots=True)
class Axis:
    """A position on an axis; `size` is None along the batch, called `name`."""

    position: Expr
    size: int | None
    name: str


def axes_of(e: Entry) -> tuple[Axis, ...]:
    """The axes of an entry; neighbors that hold the digits of one number are one axis, as after a reshape."""
    axes: list[Axis] = []
    for index, dim in zip(e.indices, e.tensor.dims, strict=True):
        here = Axis(index, dim.size, dim.name)
        joint = _joint(axes[-1], here) if axes else None
        if joint is None:
            axes.append(here)
        else:
            axes[-1] = joint
    return tuple(Axis(simplified(a.position), a.size, a.name) for a in axes)


def _joint(one: Axis, two: Axis) -> Axis | None:
    """Two axes as one, where they hold neighboring digits of one number."""
    a, b = one.position, two.position
    if not isinstance(a, Part) or not isinstance(b, Part) or a.args[0] != b.args[0]:
        return None
    if a.args[1] != b.args[1] * b.args[2] or one.size != a.args[2] or two.size != b.args[2]:
        return None
    size = int(a.args[2] * b.args[2])
    return Axis(Part(a.args[0], int(b.args[1]), size), size, "")


def simplified(expr: Expr) -> Expr:
    """An index expression with its digits worked out where the range of their numbers allows it."""
    if not expr.has(Part):
        return expr
    if isinstance(expr, Part):
        return _digit(simplified(expr.args[0]), int(expr.args[1]), int(expr.args[2]))
    if isinstance(expr, Entry) or not expr.args:
        return expr
    return expr.func(*map(simplified, expr.args))


def _digit(flat: Expr, stride: int, size: int) -> Expr:
    """floor(flat/stride) modulo size, split into what the stride divides and a rest below it."""
    found = position(flat)
    if found.divisor > 1:
        return Part(flat, stride, size)
    high = _combination([(a, c) for a, c in found.terms if c % stride == 0], found.constant // stride * stride)
    low = _combination([(a, c) for a, c in found.terms if c % stride], found.constant % stride)
    reach = ends(low)
    if reach is None or reach[0] < 0 or reach[1] >= stride:
        return Part(flat, stride, size)
    quotient = position(high / stride)
    rest = _combination([(a, c) for a, c in quotient.terms if c % size], quotient.constant % size)
    reach = ends(rest)
    if reach is not None and reach[0] >= 0 and reach[1] < size:
        return rest
    return Part(rest * stride + low if stride > 1 else rest, stride, size)


def _combination(terms: Sequence[tuple[Expr, int]], constant: int) -> Expr:
    return Add(Integer(constant), *(c * a for a, c in terms))


def row_major(expr: Expr) -> tuple[Index, ...] | None:
    """The indices i, j, k of a position (i*J + j)*K + k, which runs over all entries of its axis in order."""
    found = position(expr)
    if found.divisor > 1 or found.constant or len(found.terms) < 2:
        return None
    ordered = sorted(found.terms, key=lambda item: -item[1])
    stride = 1
    for atom, factor in reversed(ordered):
        last = _last(atom)
        if not isinstance(atom, Index) or last is None or factor != stride:
            return None
        stride *= last + 1
    return tuple(atom for atom, _ in ordered if isinstance(atom, Index))
