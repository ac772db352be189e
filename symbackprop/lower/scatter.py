"""Recognize a sum that adds to places read from data, as an embedding's gradient does."""

from __future__ import annotations

from sympy import Expr, Mul

from ..language.brackets import At
from ..language.indices import free_indices
from ..language.nodes import Entry, Index
from .positions import test_of
from .program import SUM, Scatter, Statement


def as_scatter(s: Statement) -> Scatter | None:
    """The scatter that a sum is, or None: it has a factor [p = t[n]], p of its space and t[n] a whole number."""
    if s.op != SUM:
        return None
    places: dict[Index, Expr] = {}
    others: list[Expr] = []
    for factor in Mul.make_args(s.body):
        found = _place(factor, s)
        if found is None or found[0] in places:
            others.append(factor)
        else:
            places[found[0]] = found[1]
    body = Mul(*others)
    free = {i for e in (body, *places.values()) for i in free_indices(e)}
    return Scatter(tuple(places.items()), body) if places and free.isdisjoint(places) else None


def _place(factor: Expr, s: Statement) -> tuple[Index, Expr] | None:
    if type(factor) is not At:
        return None
    for index, place in (factor.args, factor.args[::-1]):
        if not isinstance(index, Index) or index not in s.indices or not isinstance(place, Entry):
            continue
        size = None if index.dim is None else index.dim.size
        if place.tensor.levels is not None and size is not None and not test_of(place, size):
            return index, place
    return None
