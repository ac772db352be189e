"""Contraction: a partial derivative's Kronecker deltas replace summed indices by the wanted ones."""

from __future__ import annotations

from sympy import And, Eq, Expr, Piecewise

from ..language.indices import make_sum, substitute
from ..language.nodes import Index
from .differentiate import Partial


def contract(adjoint: Expr, summed: tuple[Index, ...], partial: Partial, wanted: tuple[Index, ...]) -> Expr:
    """Sum over `summed` and the partial's own indices of adjoint * factor * product of delta(entry index, wanted).

    A delta on a summed index replaces it and drops its sum. A second delta on the same index (a diagonal,
    `A[i, i]`) or on an integer (`A[n, 0]`) stays as a guard on the wanted indices.
    """
    mapping: dict[Expr, Expr] = {}
    guards = []
    for index, target in zip(partial.entry.indices, wanted, strict=True):
        if isinstance(index, Index) and index not in mapping:
            mapping[index] = target
        else:
            guards.append(Eq(target, mapping.get(index, index), evaluate=False))
    left = tuple(i for i in (*summed, *partial.bound) if i not in mapping)
    total = make_sum(substitute(adjoint * partial.factor, mapping), left)
    return Piecewise((total, And(*guards)), (0, True)) if guards else total
