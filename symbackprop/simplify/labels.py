"""An expression affine in a label y that is nearly always 0 or 1, put together from its two ends.

E = (1 - y) E(0) + y E(1): each end can be made accurate by itself, where E as a whole cancels.
"""

from __future__ import annotations

from collections.abc import Iterator

import sympy as sp

from .forms import inside_maximum, written_forms
from .rational import OutOfReachError, algebra, to_fraction
from .trees import replace


def label_ends(expr: sp.Expr, y: sp.Symbol) -> tuple[sp.Expr, sp.Expr] | None:
    """E(0) and E(1), where `expr` is affine in `y`; else None."""
    if expr == y or y not in expr.free_symbols:
        return None
    try:
        within = algebra([expr])
        value = to_fraction(expr, within)
    except OutOfReachError:
        return None
    others = [v for v in within.variables if v != y]
    if y not in within.variables or any(y in v.free_symbols for v in others):
        return None
    index = within.variables.index(y)
    if max(m[index] for m in value.numer) != 1 or max(m[index] for m in value.denom):
        return None
    return replace(expr, {y: sp.S.Zero}), replace(expr, {y: sp.S.One})


def rejoined(y: sp.Symbol, zero: sp.Expr, one: sp.Expr) -> Iterator[sp.Expr]:
    """(1 - y)*zero + y*one in several forms."""
    yield (1 - y) * zero + y * one
    below, above_zero, above_one = _common_denominator(zero, one)
    if below is not sp.S.One:
        yield ((1 - y) * above_zero + y * above_one) / below
    zero, one = _with_one_maximum(zero), _with_one_maximum(one)
    try:
        within = algebra([zero, one], [y])
        value = to_fraction((1 - y) * zero + y * one, within)
    except OutOfReachError:
        return
    for form in written_forms(value, within)[:1]:
        yield form
        yield inside_maximum(form)


def _common_denominator(zero: sp.Expr, one: sp.Expr) -> tuple[sp.Expr, sp.Expr, sp.Expr]:
    shared = [f for f in sp.Mul.make_args(zero) if f.is_Pow and f.exp == -1 and f in sp.Mul.make_args(one)]
    below = sp.Mul(*(f.base for f in shared))
    return below, *(sp.Mul(*(f for f in sp.Mul.make_args(e) if f not in shared)) for e in (zero, one))


def _with_one_maximum(expr: sp.Expr) -> sp.Expr:
    """max(-x, 0) as max(x, 0) - x, for symbols x."""
    turned = [m for m in expr.atoms(sp.Max) if len(m.args) == 2 and sp.S.Zero in m.args and (-sum(m.args)).is_Symbol]
    return replace(expr, {m: sp.Max(-sum(m.args), 0) + sum(m.args) for m in turned})
