"""Recognize a sum that is a matrix product, of tensors or of expressions."""

from __future__ import annotations

from sympy import Expr, Mul

from ..language.indices import free_indices
from ..language.nodes import Entry, Index
from .positions import is_plain
from .program import SUM, Gathered, Product, Statement, Where


def as_product(s: Statement) -> Product | None:
    """The matrix product that a sum is, or None: two entries that share exactly the summed indices."""
    if s.op != SUM:
        return None
    factors = Mul.make_args(s.body)
    entries = [f for f in factors if isinstance(f, Entry) and f.indices]
    scalar = Mul(*(f for f in factors if not (isinstance(f, Entry) and f.indices)))
    if len(entries) != 2 or free_indices(scalar):
        return None
    one, two = entries
    if not all(map(is_plain, entries)):
        return None
    for left, right in ((one, two), (two, one)):
        found = _match(s, left, right, scalar)
        if found is not None:
            return found
    return None


def _match(s: Statement, left: Entry, right: Entry, scalar: Expr) -> Product | None:
    inner = set(s.over)
    mine, other = set(left.indices), set(right.indices)
    if mine & other != inner or (mine | other) - inner != set(s.indices):
        return None
    rows = tuple(i for i in s.indices if i in mine)
    columns = tuple(i for i in s.indices if i in other)
    if not rows or not columns or (*rows, *columns) != s.indices:
        return None
    order = tuple(i for i in left.indices if i in inner)
    groups = ((left.indices, rows), (left.indices, order), (right.indices, columns), (right.indices, order))
    if not all(_adjacent(indices, group) for indices, group in groups):
        return None
    return Product(left.tensor, right.tensor, left.indices, right.indices, rows, columns, order, scalar)


def _adjacent(indices: tuple[Expr, ...], group: tuple[Expr, ...]) -> bool:
    start = indices.index(group[0])
    return indices[start : start + len(group)] == group


def as_gathered(s: Statement) -> Gathered | None:
    """The sum as a matrix product of two expressions, or None: some factors know the rows, the others the columns."""
    if s.op != SUM:
        return None
    body, guards = (s.body.args[0], s.body.args[1:]) if isinstance(s.body, Where) else (s.body, ())
    factors = Mul.make_args(body)
    space = set(s.indices)
    for first in factors:
        mine = set(free_indices(first)) & space
        left = [f for f in factors if set(free_indices(f)) & space <= mine]
        right = [f for f in factors if f not in left]
        found = _sides(s, left, right)
        if found is not None:
            return _guarded(found, guards)
    return None


def _sides(s: Statement, left: list[Expr], right: list[Expr]) -> Gathered | None:
    one, two = (set(free_indices(Mul(*side))) for side in (left, right))
    rows = tuple(i for i in s.indices if i in one - two)
    columns = tuple(i for i in s.indices if i in two - one)
    around = tuple(i for i in s.indices if i in one & two)
    known = len(rows) + len(columns) + len(around) == len(s.indices)
    if not rows or not columns or not known or not (one & set(s.over) and two & set(s.over)):
        return None
    if _width(rows) > _width(columns):
        return Gathered(Mul(*right), Mul(*left), around, columns, rows, s.over)
    return Gathered(Mul(*left), Mul(*right), around, rows, columns, s.over)


def _width(group: tuple[Index, ...]) -> float:
    """Entries of a group of indices; one with the batch is wide."""
    total = 1.0
    for index in group:
        total *= float("inf") if index.dim is None or index.dim.size is None else index.dim.size
    return total


def _guarded(found: Gathered, guards: tuple[Expr, ...]) -> Gathered | None:
    """The product with the guards of its body on the side that they are about; the other side is finite."""
    if not guards:
        return found
    about = {i for g in guards for i in free_indices(g)}
    sides = [(found.left, found.rows), (found.right, found.columns)]
    for place, (side, group) in enumerate(sides):
        other = sides[1 - place][0]
        finite = all(isinstance(f, Entry) or f.is_number for f in Mul.make_args(other))
        if finite and about <= {*group, *found.inner, *found.around}:
            sides[place] = (Where(side, *guards), group)
            return Gathered(sides[0][0], sides[1][0], found.around, found.rows, found.columns, found.inner)
    return None
