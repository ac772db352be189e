"""Irrational numbers as people write them: 1/√2, √(2/π) and 1/√(2π), where SymPy has √2/2 and √2/√π."""

from __future__ import annotations

from fractions import Fraction
from math import isqrt

import sympy as sp
from sympy import Expr

from .terms import Term
from .tree import Apply, Constant, Node, Number, Scale


def split_root(product: sp.Mul) -> tuple[Term, Expr] | None:
    """The irrational number in front of a product with a square root below a line, and the other factors; else None."""
    numbers = [f for f in product.args if f.is_number]
    if not any(f.is_Pow and abs(f.exp) == sp.S.Half for f in numbers):
        return None
    number = sp.Mul(*numbers)
    term = _below(number)
    return None if term is None else (term, sp.Mul(*(f for f in product.args if not f.is_number)))


def _below(number: Expr) -> Term | None:
    """sqrt(p/(q r)) with r = 1 or pi: the whole numbers that are no squares under one root."""
    square = sp.Mul(*(f**2 for f in sp.Mul.make_args(number)))
    pi = (Constant("pi"),) if (square * sp.pi).is_Rational else ()
    square = square * sp.pi if pi else square
    if not square.is_Rational:
        return None
    p, q = int(square.p), int(square.q)
    sign = Fraction(-1 if number.is_negative else 1)
    if isqrt(p) ** 2 == p and (pi or isqrt(q) ** 2 != q):
        return Term(sign * isqrt(p), (), (_root(_product(q, pi)),))
    if pi:
        return Term(sign, (_root(Scale((_whole(p),), (*((_whole(q),) if q > 1 else ()), *pi))),))
    return None


def _product(q: int, pi: tuple[Constant, ...]) -> Node:
    factors: tuple[Node, ...] = (*((_whole(q),) if q > 1 or not pi else ()), *pi)
    return factors[0] if len(factors) == 1 else Scale(factors)


def _whole(n: int) -> Number:
    return Number(Fraction(n))


def _root(node: Node) -> Node:
    return Apply("sqrt", (node,))
