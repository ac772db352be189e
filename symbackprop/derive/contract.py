"""Contraction: a partial derivative's Kronecker deltas replace summed indices by the wanted ones."""

from __future__ import annotations

from sympy import And, Expr, Integer, Mul, Piecewise, Pow
from sympy.core.function import Function

from ..language.brackets import At, Inside
from ..language.indices import make_sum, rewrite, substitute
from ..language.nodes import Entry, Index, Over, Padded
from .differentiate import Partial
from .solve import solve, within


def contract(adjoint: Expr, summed: tuple[Index, ...], partial: Partial, wanted: tuple[Index, ...]) -> Expr:
    """Sum over `summed` and the partial's own indices of adjoint * factor * product of delta(entry index, wanted).

    A delta on a summed index replaces it and drops its sum (`solve`). Where the index found may leave its range, the
    entries at it read 0 there. A second delta on the same index (a diagonal, `A[i, i]`) or on an integer (`A[n, 0]`)
    stays as a choice around the sum.
    """
    found = solve(partial.entry.indices, wanted, (*summed, *partial.bound))
    body = Mul(substitute(adjoint * partial.factor, found.values), *found.deltas)
    if found.inside:
        body = _guarded(body, found.inside)
    left = tuple(i for i in (*summed, *partial.bound) if i not in found.values)
    total = make_sum(body, left)
    return Piecewise((total, And(*found.conditions)), (0, True)) if found.conditions else total


def _guarded(body: Expr, inside: list[tuple[Expr, int]]) -> Expr:
    """`body` made 0 where a position is not inside its range: by a factor that is 0 there, or by a bracket."""
    body = rewrite(body, _padded)
    brackets = [Inside(position, Integer(size)) for position, size in inside if not _vanishes(body, position, size)]
    return Mul(body, *brackets)


def _padded(node: Expr) -> Expr:
    if type(node) is not Entry:
        return node
    safe = all(within(i, d.size) for i, d in zip(node.indices, node.tensor.dims, strict=True) if not _is_read(i))
    return node if safe else Padded(*node.args)


def _is_read(position: Expr) -> bool:
    return isinstance(position, Entry)


def _vanishes(body: Expr, position: Expr, size: int) -> bool:
    """Whether a factor is 0 where the position is outside, and no other can be infinite there."""
    factors = Mul.make_args(body)
    zero = any(_is_zero_beyond(f, position, size) for f in factors)
    return zero and not any(_may_blow_up(f) for f in factors)


def _is_zero_beyond(factor: Expr, position: Expr, size: int) -> bool:
    if isinstance(factor, At):
        wanted = factor.args[1]
        levels = wanted.tensor.levels if isinstance(wanted, Entry) else None
        return bool(factor.args[0] == position and levels is not None and levels <= size)
    if not isinstance(factor, Padded):
        return False
    return any(i == position and d.size == size for i, d in zip(factor.indices, factor.tensor.dims, strict=True))


def _may_blow_up(factor: Expr) -> bool:
    """Whether a factor made of entries that read 0 may be infinite or no number."""
    if isinstance(factor, Over):
        return _may_blow_up(factor.body)
    divides = isinstance(factor, Pow) and not (factor.exp.is_Integer and factor.exp.is_positive)
    if (divides or isinstance(factor, Function)) and factor.has(Padded):
        return True
    return not isinstance(factor, Entry) and any(map(_may_blow_up, factor.args))
