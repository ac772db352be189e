"""A rational function written the way people write it: factored or multiplied out, whichever is shorter."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import sympy as sp

from .rational import Algebra, Element, by_powers, factors, polynomial
from .trees import operations

MOST_COLLECTED = 12
MOST_APART = 6

Factors = tuple[sp.Rational, list[tuple[sp.Expr, int]]]


def readability(expr: sp.Expr) -> tuple[int, int, int, int, int]:
    """The order of preference: few operations, then few functions and powers, short sums, few parts."""
    functions = powers = widest = parts = 0
    for node in sp.preorder_traversal(expr):
        functions += isinstance(node, sp.Function)
        powers += bool(node.is_Pow)
        widest = max(widest, len(node.args) if node.is_Add else 0)
        parts += 1
    return operations(expr), functions, powers, widest, parts


def written_forms(value: Element, within: Algebra) -> list[sp.Expr]:
    """The short forms of an element: in each generator u = exp(g), and in exp(-g)."""
    forms = [_quotient(value.numer, value.denom, within.variables), *_apart(value, within.variables)]
    for i in range(len(within.generators.exponents)):
        top = max(m[i] for p in (value.numer, value.denom) for m in p) if value else 0
        if top:
            inverse = [*within.variables]
            inverse[i] = sp.exp(-within.generators.exponents[i])
            forms.append(_quotient(_reversed(value.numer, i, top), _reversed(value.denom, i, top), inverse))
    return forms


def _apart(value: Element, values: Sequence[sp.Expr]) -> Iterator[sp.Expr]:
    """A quotient by one product, terms over what is their own: c z/r - y/s rather than (c s z - r y)/(r s).

    Every variable that not all terms are divided by alike stays with its terms, or only one of these variables does.
    """
    if len(value.denom) > 1 or not 2 <= len(value.numer) <= MOST_APART:
        return
    ((below, number),) = value.denom.terms()
    terms = [(tuple(a - b for a, b in zip(above, below, strict=True)), c) for above, c in value.numer.terms()]
    columns = list(zip(*(powers for powers, _ in terms), strict=True))
    least = [min(column) for column in columns]
    own = [low if low > 0 else min(max(column), 0) for low, column in zip(least, columns, strict=True)]
    apart = [place for place, (a, b) in enumerate(zip(least, own, strict=True)) if a != b]
    for kept in [apart, *([place] for place in apart if len(apart) > 1)] if apart else ():
        common = [own[place] if place in kept else low for place, low in enumerate(least)]
        rest = [(tuple(a - b for a, b in zip(powers, common, strict=True)), c) for powers, c in terms]
        before = sp.Mul(*(sp.Pow(x, k) for x, k in zip(values, common, strict=False) if k))
        yield product(sp.Rational(1, int(number)), [before, _by_denominators(rest, value.numer.ring, values)])


def _by_denominators(terms: Sequence[tuple[tuple[int, ...], Any]], ring: Any, values: Sequence[sp.Expr]) -> sp.Expr:
    """Terms with powers of both signs as a sum of quotients."""
    rows: dict[tuple[int, ...], Any] = {}
    for powers, c in terms:
        row = rows.setdefault(tuple(min(k, 0) for k in powers), ring.zero)
        row[tuple(max(k, 0) for k in powers)] = c
    over = (sp.Mul(*(sp.Pow(x, k) for x, k in zip(values, below, strict=False) if k)) for below in rows)
    return sp.Add(*(shortest_form(row, values) * below for row, below in zip(rows.values(), over, strict=True)))


def _reversed(poly: Any, index: int, top: int) -> Any:
    turned = poly.ring.zero
    for monomial, c in poly.terms():
        turned[(*monomial[:index], top - monomial[index], *monomial[index + 1 :])] = c
    return turned


def _quotient(numer: Any, denom: Any, values: Sequence[sp.Expr]) -> sp.Expr:
    if not numer:
        return sp.S.Zero
    above, below = _shortest(numer, values), _shortest(denom, values)
    coefficient = above[0] / below[0]
    parts = [(f, k) for f, k in (*above[1], *((f, -k) for f, k in below[1])) if f is not sp.S.One]
    if coefficient.is_negative:
        coefficient, parts = _give_sign_away(coefficient, parts)
    form = product(coefficient, [sp.Pow(f, k) for f, k in parts])
    if len(parts) == 1 and parts[0][1] == 1 and parts[0][0].is_Add and coefficient != 1:
        return min(sp.Add(*(coefficient * term for term in parts[0][0].args)), form, key=readability)
    return form


def product(coefficient: sp.Rational, parts: Sequence[sp.Expr]) -> sp.Expr:
    """A product that keeps a number outside a sum, as in 2*(p - y)."""
    rest = sp.Mul(*parts)
    if rest.is_Add and coefficient not in (1, -1):
        return sp.Mul(coefficient, rest, evaluate=False)
    return sp.Mul(coefficient, *parts)


def _give_sign_away(
    coefficient: sp.Rational, parts: list[tuple[sp.Expr, int]]
) -> tuple[sp.Rational, list[tuple[sp.Expr, int]]]:
    """A minus sign goes into the first difference of the numerator: -(y - p) is p - y."""
    for i, (factor, k) in enumerate(parts):
        signs = {term.could_extract_minus_sign() for term in factor.args} if factor.is_Add else set()
        if k == 1 and len(signs) == 2:
            return -coefficient, [*parts[:i], (-factor, 1), *parts[i + 1 :]]
    return coefficient, parts


def shortest_form(poly: Any, values: Sequence[sp.Expr]) -> sp.Expr:
    """A polynomial as an expression, factored or not."""
    if len(poly) == 1:
        return polynomial(poly, values)
    coefficient, parts = _shortest(poly, values)
    return product(coefficient, [sp.Pow(f, k) for f, k in parts])


def _shortest(poly: Any, values: Sequence[sp.Expr]) -> Factors:
    """The factors of a polynomial, or the polynomial as its only factor, whichever has fewer operations."""
    coefficient, common, rest = _without_content(poly, values)
    options = [(coefficient, [*common, (polynomial(rest, values), 1)]), _by_factors(poly, values)]
    if 3 <= len(poly) <= MOST_COLLECTED:
        options += [_by_variable(poly, i, values) for i in range(len(values)) if _is_linear(poly, i)]
        if common:
            linear = (_by_variable(rest, i, values) for i in range(len(values)) if _is_linear(rest, i))
            options += [(coefficient * number, [*common, *parts]) for number, parts in linear]
    return min(options, key=lambda o: readability(product(o[0], [sp.Pow(f, k) for f, k in o[1]])))


def _by_factors(poly: Any, values: Sequence[sp.Expr]) -> Factors:
    content, found = factors(poly)
    sign = 1 if content > 0 else -1
    parts: list[tuple[sp.Expr, int]] = []
    for factor, k in found:
        flip = _sign(factor)
        sign *= flip**k
        parts.append((polynomial(factor * flip, values), k))
    return sp.Integer(abs(content) * sign), parts


def _without_content(poly: Any, values: Sequence[sp.Expr]) -> tuple[sp.Integer, list[tuple[sp.Expr, int]], Any]:
    """The common number, the common powers, and what is left."""
    content, primitive = poly.primitive()
    common = tuple(map(min, zip(*primitive, strict=True)))
    rest = poly.ring.zero
    for monomial, c in primitive.terms():
        rest[tuple(a - b for a, b in zip(monomial, common, strict=True))] = c
    flip = _sign(rest)
    parts = [(x, k) for x, k in zip(values, common, strict=False) if k]
    return sp.Integer(int(content) * flip), parts, rest * flip


def _is_linear(poly: Any, index: int) -> bool:
    return {m[index] for m in poly} == {0, 1}


def _by_variable(poly: Any, index: int, values: Sequence[sp.Expr]) -> Factors:
    """x*b + c for a polynomial that is linear in x; common powers are taken out first where there are any."""
    rows = by_powers(poly, index)
    slope, rest = (product(c, [sp.Pow(f, k) for f, k in p]) for c, p in (_by_factors(rows[k], values) for k in (1, 0)))
    return sp.S.One, [(values[index] * slope + rest, 1)]


def _sign(poly: Any) -> int:
    """-1 where the negative of a polynomial reads better: 1 - p rather than p - 1."""
    terms = poly.terms()
    constant = next((c for m, c in terms if not any(m)), None)
    if constant is not None:
        return 1 if constant > 0 else -1
    return -1 if all(c < 0 for _, c in terms) or (len(terms) == 1 and terms[0][1] < 0) else 1


def inside_maximum(total: sp.Expr) -> sp.Expr:
    """max(x, 0) + t + rest as max(x + t, t) + rest, t being the terms without functions: no large terms cancel."""
    if not total.is_Add:
        return total
    tops = [t for t in total.args if isinstance(t, sp.Max) and len(t.args) == 2 and sp.S.Zero in t.args]
    plain = [t for t in total.args if not t.has(sp.Function, sp.Max, sp.Min)]
    if len(tops) != 1 or not plain:
        return total
    t = sp.Add(*plain)
    rest = sp.Add(*(a for a in total.args if a not in plain and a not in tops))
    return rest + sp.Max(sp.factor_terms(sum(tops[0].args) + t), sp.factor_terms(t))
