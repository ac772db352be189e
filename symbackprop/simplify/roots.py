"""Sums that hold one square root R = sqrt(A), written so that nothing cancels.

With R^2 = A every such expression is a quotient of sums p + q R. Where p and q have opposite signs such a sum is
written (p^2 - q^2 A)/(p - q R), whose denominator does not cancel.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sympy as sp

from .forms import written_forms
from .rational import Algebra, Element, OutOfReachError, algebra, by_powers, to_fraction
from .trees import replace, subtrees

_ROOT = sp.Dummy("root", positive=True)


def without_cancelling_roots(expr: sp.Expr) -> Iterator[sp.Expr]:
    """The forms of an expression with square roots of one sum."""
    powers = [n for n in subtrees(expr) if n.is_Pow and n.exp.is_Rational and n.exp.q == 2 and n.base.is_Add]
    bases = {n.base for n in powers}
    if len(bases) != 1:
        return
    (base,) = bases
    table = {n: _ROOT ** (2 * n.exp) for n in powers}
    try:
        within = algebra([replace(expr, table), base], [_ROOT])
        value = to_fraction(replace(expr, table), within)
        square = to_fraction(base, within)
        above, below = (_even_odd(p, square, within) for p in (value.numer, value.denom))
        over = list(_sums(*above, square, sp.sqrt(base), within))
        under = list(_sums(*below, square, sp.sqrt(base), within))
    except OutOfReachError:
        return
    back = {_ROOT: sp.sqrt(base)}
    yield from (replace(n / under[0], back) for n in over)
    yield from (replace(over[-1] / d, back) for d in under[1:])


def _even_odd(poly: Any, square: Element, within: Algebra) -> tuple[Element, Element]:
    """p and q with poly = p + q R."""
    parts = [within.field.zero, within.field.zero]
    for k, row in by_powers(poly, within.variables.index(_ROOT)).items():
        parts[k % 2] += within.field(row) * square ** (k // 2)
    return parts[0], parts[1]


def _sums(p: Element, q: Element, square: Element, root: sp.Expr, within: Algebra) -> Iterator[sp.Expr]:
    """p + q R as it stands, as a quotient, and as one or the other by the sign of p q."""

    def written(value: Element) -> sp.Expr:
        return written_forms(value, within)[0]

    yield written(p) + written(q) * root
    if p and q:
        other = written(p * p - q * q * square) / (written(p) - written(q) * root)
        yield other
        same = written(p) + written(q) * root
        yield sp.Piecewise((same, sp.Gt(written(p * q), 0)), (other, True), evaluate=False)
