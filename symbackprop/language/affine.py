"""Affine index expressions: coefficients, and the range of values over the indices' dimensions."""

from __future__ import annotations

from collections.abc import Mapping

from sympy import Add, Expr, Integer, Rational

from .brackets import Part
from .nodes import Entry, Index
from .tensor import Dim


def coefficients(expr: Expr) -> tuple[dict[Index, Rational], Rational] | None:
    """Coefficient of each index and the constant of an affine expression; None for another expression."""
    found: dict[Index, Rational] = {}
    constant = Rational(0)
    for term in Add.make_args(expr):
        number, rest = term.as_coeff_Mul()
        if rest == 1:
            constant += number
        elif isinstance(rest, Index) and number.is_Rational:
            found[rest] = found.get(rest, Rational(0)) + number
        else:
            return None
    return found, constant


def reach(expr: Expr, dims: Mapping[Index, Dim] | None = None) -> tuple[Rational, Rational] | None:
    """The least and the largest value of an index expression; None where a dimension has no size.

    `dims` are the indices' dimensions, by default their own.
    """
    if isinstance(expr, Part):
        return Rational(0), expr.args[2] - 1
    if isinstance(expr, Entry):
        return None if expr.tensor.levels is None else (Rational(0), Integer(expr.tensor.levels - 1))
    parts = coefficients(expr)
    if parts is None:
        return None
    low = high = parts[1]
    for index, c in parts[0].items():
        dim = index.dim if dims is None else dims.get(index)
        if dim is None or dim.size is None:
            return None
        ends = (Rational(0), c * (dim.size - 1))
        low, high = low + min(ends), high + max(ends)
    return low, high
