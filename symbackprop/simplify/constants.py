"""Numbers that algebra should not take apart: floats and products of roots become constants of their own.

Otherwise 0.044715 would turn every coefficient into a fraction over 1000000.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import sympy as sp
from sympy.core.numbers import NumberSymbol

from .trees import rebuild

LONGEST = 4
"""The largest denominator for which a float is taken as a fraction, as 0.5 is."""


class Constant(NumberSymbol):  # type: ignore[misc]
    """A positive number that algebra leaves whole; `value` is the SymPy number that it stands for."""

    is_positive = True
    __slots__ = ("value",)
    value: sp.Expr

    def _hashable_content(self) -> tuple[Any, ...]:
        return (self.value,)

    def _as_mpf_val(self, prec: int) -> Any:
        return self.value._eval_evalf(prec)._mpf_

    def _sympystr(self, printer: Any) -> str:
        return f"constant({self.value})"

    _sympyrepr = _sympystr


@cache
def constant(value: sp.Expr) -> Constant:
    """The one constant of a value; two of the same value are the same object."""
    made = Constant.__new__(Constant)
    made.value = value
    return made


def with_constants(expr: sp.Expr) -> sp.Expr:
    """`expr` with floats as short fractions or constants, and several roots in one product as one constant."""

    def visit(node: sp.Basic) -> sp.Basic:
        if node.is_Float:
            return _named(node)
        if not node.args:
            return node
        args = tuple(map(visit, node.args))
        changed = node if all(a is b for a, b in zip(args, node.args, strict=True)) else rebuild(node, args)
        return _joined(changed) if changed.is_Mul else changed

    return visit(expr)


def _named(number: sp.Float) -> sp.Expr:
    if not number.is_finite:
        return number
    exact = sp.Rational(repr(float(number)))
    if exact.q <= LONGEST:
        return exact
    return constant(number) if number > 0 else -constant(-number)


def _joined(product: sp.Expr) -> sp.Expr:
    roots = [f for f in product.args if f.is_number and not f.is_Rational and f.is_positive]
    if len(roots) < 2:
        return product
    return sp.Mul(constant(sp.Mul(*roots)), *(f for f in product.args if f not in roots))


def without_constants(expr: sp.Expr) -> sp.Expr:
    """The numbers back in the places of their constants."""

    def visit(node: sp.Basic) -> sp.Basic:
        if isinstance(node, Constant):
            return node.value
        if not node.args:
            return node
        args = tuple(map(visit, node.args))
        return node if all(a is b for a, b in zip(args, node.args, strict=True)) else rebuild(node, args)

    return visit(expr)
