"""Recognize a sum that is a matrix product."""

from __future__ import annotations

from sympy import Expr, Mul

from ..language.indices import free_indices
from ..language.nodes import Entry, Index
from .program import SUM, Product, Statement


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
    if not all(_plain(e) for e in entries):
        return None
    for left, right in ((one, two), (two, one)):
        found = _match(s, left, right, scalar)
        if found is not None:
            return found
    return None


def _plain(e: Entry) -> bool:
    return all(isinstance(i, Index) for i in e.indices) and len(set(e.indices)) == len(e.indices)


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
