"""Sums of exponentials of unrelated exponents, with the largest exponent taken out."""

from __future__ import annotations

from collections.abc import Iterator

import sympy as sp
from sympy.codegen.cfunctions import expm1, log1p

from .exponentials import exponential_form
from .rational import is_exponential
from .trees import rebuild

Term = tuple[sp.Expr, sp.Expr]


def scaled(expr: sp.Expr) -> Iterator[sp.Expr]:
    """`expr` with log(sum c e^h) as m + log(sum c e^(h - m)), and quotients by such sums scaled alike."""
    plain = exponential_form(expr)
    for rewrite in (_visit, _differences):
        form = rewrite(plain)
        if form != plain:
            yield form


def _differences(node: sp.Basic) -> sp.Basic:
    """c e^a - c e^b as c e^max(a, b) sign(a - b) (1 - e^-|a - b|)."""
    if not node.args:
        return node
    args = tuple(map(_differences, node.args))
    node = node if all(a is b for a, b in zip(args, node.args, strict=True)) else rebuild(node, args)
    terms = _exponential_terms(node) if node.is_Add else []
    for i, (c, a) in enumerate(terms):
        for j in range(i):
            other, b = terms[j]
            if c == -other:
                pair = -c * sp.exp(sp.Max(a, b)) * sp.sign(a - b) * expm1(-sp.Abs(a - b))
                rest = (x * sp.exp(h) for k, (x, h) in enumerate(terms) if k not in (i, j))
                return sp.Add(pair, *rest)
    return node


def _visit(node: sp.Basic) -> sp.Basic:
    if not node.args:
        return node
    if isinstance(node, sp.log):
        terms = _exponential_terms(node.args[0])
        if terms:
            return _log_of_sum(terms)
    if node.is_Mul or node.is_Pow:
        quotient = _quotient(node)
        if quotient is not None:
            return quotient
    args = tuple(map(_visit, node.args))
    return node if all(a is b for a, b in zip(args, node.args, strict=True)) else rebuild(node, args)


def _exponential_terms(total: sp.Expr) -> list[Term]:
    """[(c, h)] with total = sum c*e^h, where at least one exponent is not 0; else nothing."""
    terms: list[Term] = []
    for term in sp.Add.make_args(total):
        powers = [f for f in sp.Mul.make_args(term) if is_exponential(f)]
        exponent = sp.Add(*(f.args[0] for f in powers))
        terms.append((sp.Mul(*(f for f in sp.Mul.make_args(term) if f not in powers)), exponent))
    return terms if len(terms) > 1 and any(h is not sp.S.Zero for _, h in terms) else []


def _log_of_sum(terms: list[Term]) -> sp.Expr:
    if len(terms) == 2 and all(c is sp.S.One for c, _ in terms):
        (_, a), (_, b) = terms
        return sp.Max(a, b) + log1p(sp.exp(-sp.Abs(a - b)))
    top = sp.Max(*(h for _, h in terms))
    return top + sp.log(_scaled_sum(terms, top))


def _scaled_sum(terms: list[Term], top: sp.Expr) -> sp.Expr:
    return sp.Add(*(c * sp.exp(h - top) for c, h in terms))


def _quotient(node: sp.Expr) -> sp.Expr | None:
    """Numerator and denominator, each sums of exponentials, divided by the denominator's largest."""
    below = [f for f in sp.Mul.make_args(node) if f.is_Pow and f.exp.is_Integer and f.exp.is_negative]
    sums = [(f, _exponential_terms(f.base)) for f in below]
    sums = [(f, terms) for f, terms in sums if terms]
    if not sums:
        return None
    rest = [f for f in sp.Mul.make_args(node) if all(f is not s for s, _ in sums)]
    under: list[sp.Expr] = []
    shift = sp.S.Zero
    for factor, terms in sums:
        top = sp.Max(*(h for _, h in terms))
        shift -= factor.exp * top
        under.append(sp.Pow(_scaled_sum(terms, top), factor.exp))
    over = _scaled_sum(_exponential_terms(sp.expand_mul(sp.Mul(*rest))) or _single(rest), shift)
    return over * sp.Mul(*under)


def _single(factors: list[sp.Expr]) -> list[Term]:
    powers = [f for f in factors if is_exponential(f)]
    return [(sp.Mul(*(f for f in factors if f not in powers)), sp.Add(*(f.args[0] for f in powers)))]
