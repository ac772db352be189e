"""The textbook's form of an equation's right side: known sums dropped, scalar bodies shortened."""

from __future__ import annotations

from dataclasses import replace

from sympy import Expr, Integer

from ..language.indices import canonical, make_sum, refresh
from ..language.nodes import Entry, Over, Sum
from ..language.scalars import Skeleton
from ..records import Equation, Note, Step
from .shorten import COMMON, shorten

NORMALIZED = "normalized"
"""The key of the remark that the rows of a tensor sum to 1."""


def tidy(eq: Equation) -> tuple[Equation, tuple[Step, ...]]:
    """The equation with a shorter right side, and the steps taken."""
    notes: list[Note] = []
    after = canonical(_tidy(eq.rhs, notes))
    if after == eq.rhs:
        return eq, ()
    rules = tuple(dict.fromkeys(notes)) or (Note(COMMON),)
    step = Step(eq.lhs.name, rules, eq.rhs, after)
    remarks = tuple(n for n in rules if n.key == NORMALIZED)
    return replace(eq, rhs=after, notes=(*eq.notes, *remarks)), (step,)


def _tidy(expr: Expr, notes: list[Note]) -> Expr:
    expr = _tidy_sums(expr, notes)
    skeleton = Skeleton()
    short = shorten(skeleton.strip(expr), {})
    notes += map(Note, short.rules)
    return skeleton.restore(short.expr)


def _tidy_sums(expr: Expr, notes: list[Note]) -> Expr:
    if isinstance(expr, Sum):
        node = refresh(expr)
        assert isinstance(node, Sum)
        return _drop_normalized(make_sum(_tidy(node.body, notes), node.bound), notes)
    if not expr.args or isinstance(expr, Entry) or not expr.has(Over):
        return expr
    args = tuple(_tidy_sums(a, notes) for a in expr.args)
    return expr if args == expr.args else expr.func(*args)


def _drop_normalized(expr: Expr, notes: list[Note]) -> Expr:
    """The sum of a normalized tensor over its last axis is 1, because its declaration says so."""
    if not isinstance(expr, Sum):
        if expr.is_Mul:
            return expr.func(*(_drop_normalized(a, notes) for a in expr.args))
        return expr
    entry = expr.body
    if not isinstance(entry, Entry) or "normalized" not in entry.tensor.traits:
        return expr
    last = entry.indices[-1]
    if last not in expr.bound or last in entry.indices[:-1]:
        return expr
    notes.append(Note(NORMALIZED, (entry.tensor,)))
    return make_sum(Integer(1), tuple(b for b in expr.bound if b != last))
