"""Rational functions of e = exp(-|g|) written as expressions that are computed without losing digits.

Powers of e are nested, so that one exponential is evaluated; factors 1 - e become expm1; what the two signs of g
have in common is written once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import comb
from typing import Any

import sympy as sp
from sympy.codegen.cfunctions import expm1, log1p

from .branches import EXPONENT, Branches
from .forms import inside_maximum, shortest_form
from .rational import SHORT, Element, by_powers, factors, lowest, times_power
from .trees import above_zero, cost, replace


@dataclass(frozen=True, slots=True)
class Pen:
    """How the variables are written: e as exp(`minus`), g, the atoms, the slots; `shifted`: in powers of e - 1."""

    branches: Branches
    minus: sp.Expr
    shifted: bool

    @property
    def small(self) -> sp.Expr:
        """e."""
        return sp.exp(self.minus)

    @property
    def below(self) -> sp.Expr:
        """e - 1."""
        return expm1(self.minus)

    def values(self) -> list[sp.Expr]:
        """The expressions that stand for the variables, slots excepted."""
        g = self.branches.exponent
        atoms = (replace(v, {EXPONENT: g}) for v in self.branches.algebra.variables[2:])
        return [self.small, g, *atoms]

    def write(self, value: Element) -> sp.Expr:
        """An element as an expression: a sum over the products of slots that occur in it."""
        slots = self.branches.slot_symbols
        if not slots:
            return self.quotient(value.numer, value.denom)
        table: dict[sp.Basic, sp.Basic] = {}
        for symbol, key in slots.items():
            table[symbol] = replace(self._slot(key), table)
        first = self.branches.algebra.variables.index(next(iter(slots)))
        if any(any(m[first:]) for m in value.denom):
            return replace(self.quotient(value.numer, value.denom), table)
        rows: dict[tuple[int, ...], Any] = {}
        for monomial, c in value.numer.terms():
            row = rows.setdefault(monomial[first:], value.numer.ring.zero)
            row[(*monomial[:first], *(0 for _ in monomial[first:]))] = c
        terms = []
        for powers, row in rows.items():
            part = self.branches.algebra.field(row) / self.branches.algebra.field(value.denom)
            logs = [sp.Pow(x, k) for x, k in zip(table.values(), powers, strict=False) if k]
            terms.append(sp.Mul(self.quotient(part.numer, part.denom), *logs))
        return sp.Add(*terms)

    def _slot(self, key: Any) -> sp.Expr:
        kind, above, below, power = key
        if kind == "root":
            return sp.Pow(self.quotient(above, below), power)
        if above == 1 and _constant_term(below) == 1:
            return -log1p(self.quotient(below - 1, below.ring.one))
        near = above.evaluate(0, 1) == below.evaluate(0, 1) or above.evaluate(0, 0) == below.evaluate(0, 0)
        if near or (below == 1 and _constant_term(above) == 1):
            rest = self.branches.algebra.field(above - below) / self.branches.algebra.field(below)
            return log1p(self.quotient(rest.numer, rest.denom))
        return sp.log(self.quotient(above, below))

    def quotient(self, above: Any, below: Any) -> sp.Expr:
        """above/below: powers of e, of e - 1, then what is left."""
        if not above:
            return sp.S.Zero
        e_power = lowest(above, 0) - lowest(below, 0)
        above, below = (times_power(p, 0, -lowest(p, 0)) for p in (above, below))
        (above, up), (below, down) = _without_ones(above), _without_ones(below)
        content, found = factors(below)
        under = [sp.Pow(self.polynomial(f), -k) for f, k in found]
        over = self._numerator(above) / content
        return sp.Mul(over, sp.exp(e_power * self.minus), sp.Pow(self.below, up - down), *under)

    def _numerator(self, poly: Any) -> sp.Expr:
        nested = self.polynomial(poly)
        if len(poly) > SHORT:
            return nested
        content, found = factors(poly)
        factored = sp.Mul(content, *(sp.Pow(self.polynomial(f), k) for f, k in found))
        return min(nested, factored, key=cost)

    def polynomial(self, poly: Any) -> sp.Expr:
        """A polynomial in e (or e - 1) in nested form."""
        rows = by_powers(poly, 0)
        letter = self.small
        if self.shifted and len(rows) > 1:
            rows, letter = _about_one(rows), self.below
        values = self.values()
        powers = sorted(rows, reverse=True)
        total = shortest_form(rows[powers[0]], values)
        for high, low in pairwise(powers):
            total = total * letter ** (high - low) + shortest_form(rows[low], values)
        return total * letter ** powers[-1]


def _constant_term(poly: Any) -> Any:
    return poly.coeff(1)


def _without_ones(poly: Any) -> tuple[Any, int]:
    """`poly` divided by (e - 1) as often as it goes, and how often."""
    root = poly.ring.gens[0] - 1
    count = 0
    while poly.degree(0) > 0 and not poly.evaluate(0, 1):
        poly, count = poly.exquo(root), count + 1
    return poly, count


def _about_one(rows: dict[int, Any]) -> dict[int, Any]:
    """The coefficients of the powers of e - 1."""
    shifted: dict[int, Any] = {}
    for k, row in rows.items():
        for j in range(k + 1):
            shifted[j] = shifted.get(j, row.ring.zero) + row * comb(k, j)
    return {j: row for j, row in shifted.items() if row}


def two_sided(branches: Branches, shifted: bool) -> Iterator[sp.Expr]:
    """The expression for both signs of g, in e = exp(-|g|)."""
    g = branches.exponent
    pen = Pen(branches, -sp.Abs(g), shifted)
    up, down = branches.value(1), branches.value(-1)
    if up == down:
        yield pen.write(up)
        return
    if up == -down:
        yield sp.sign(g) * pen.write(up)
    joint = _with_kink(up, down, pen)
    if joint is not None:
        yield joint
        yield inside_maximum(joint)
    elif not branches.slots and up.denom == down.denom:
        common = up.numer.gcd(down.numer)
        parts = (pen.quotient(v.numer.exquo(common), common.ring.one) for v in (up, down))
        yield pen.quotient(common, up.denom) * by_sign(g, *parts)
    yield by_sign(g, pen.write(up), pen.write(down))


def by_sign(g: sp.Expr, up: sp.Expr, down: sp.Expr) -> sp.Expr:
    """A choice by the sign of g."""
    return sp.Piecewise((up, above_zero(g)), (down, True), evaluate=False)


def _with_kink(up: Element, down: Element, pen: Pen) -> sp.Expr | None:
    """One formula plus a multiple of max(g, 0), max(-g, 0) or |g| where the two differ by a multiple of g."""
    within = pen.branches.algebra
    letter, g = within.variable(EXPONENT), pen.branches.exponent
    slope = (up - down) / letter
    if any(m[0] or m[1] for p in (slope.numer, slope.denom) for m in p):
        return None
    factor = pen.write(slope)
    if not _depends_on_g(down):
        return pen.write(down) + factor * sp.Max(g, 0)
    if not _depends_on_g(up):
        return pen.write(up) + factor * sp.Max(-g, 0)
    middle = up - slope * letter / 2
    if not _depends_on_g(middle):
        return pen.write(middle) + factor / 2 * sp.Abs(g)
    return pen.write(down) + factor * sp.Max(g, 0)


def _depends_on_g(value: Element) -> bool:
    return any(m[1] for p in (value.numer, value.denom) for m in p)


def cancels(value: Element) -> bool:
    """Whether a numerator or denominator has terms of both signs, so that powers of e - 1 may serve better."""
    return any(c < 0 for p in (value.numer, value.denom) for c in p.values())


def one_sided(branches: Branches, sign: int, shifted: bool) -> sp.Expr:
    """The formula for one sign of g, in exp(-g) or exp(g)."""
    return Pen(branches, -sign * branches.exponent, shifted).write(branches.value(sign))


def near_zero(branches: Branches, far: sp.Expr) -> sp.Expr | None:
    """`far`, with logarithms of ratios that are 1 at g = 0 taken whole where |g| < 1."""
    g = branches.exponent
    up, down = branches.value(1, center=True), branches.value(-1, center=True)
    pen = Pen(branches, -sp.Abs(g), False)
    near = pen.write(up) if up == down else by_sign(g, pen.write(up), pen.write(down))
    return sp.Piecewise((near, sp.Lt(sp.Abs(g), 1)), (far, True), evaluate=False)


def proper(branches: Branches, sign: int) -> sp.Expr | None:
    """Quotient and remainder of the formula for one sign, where the quotient is not 0."""
    value = branches.value(sign)
    if branches.slots or not value:
        return None
    whole, rest = value.numer.div(value.denom)
    if not whole or not rest:
        return None
    pen = Pen(branches, -sign * branches.exponent, False)
    return pen.quotient(whole, whole.ring.one) + pen.quotient(rest, value.denom)


def in_tanh(branches: Branches) -> sp.Expr | None:
    """The expression in t = tanh(g) or tanh(g/2), with 1 - t^2 written 1/cosh^2."""
    value = branches.value(-1)
    if branches.slots or not value:
        return None
    rows = [by_powers(p, 0) for p in (value.numer, value.denom)]
    low, high = min(rows[0]) - min(rows[1]), max(rows[1]) - max(rows[0])
    if low != high or (not low and value.numer.evaluate(0, 1)):
        return None
    step = 1 if any(k % 2 for row in rows for k in row) else 2
    field, half = branches.algebra.field, branches.exponent * sp.Rational(step, 2)
    t = field.ring.gens[0]
    u = field(1 + t) / field(1 - t)
    above, below = (sum((field(r) * u ** (k // step) for k, r in row.items()), field.zero) for row in rows)
    return _in_edges(above / below, t, [sp.tanh(half), *Pen(branches, half, False).values()[1:]], sp.cosh(half))


def _in_edges(value: Element, t: Any, values: Sequence[sp.Expr], cosh: sp.Expr) -> sp.Expr | None:
    """A rational function of t with 1 - t and 1 + t in pairs; None where they are not."""
    parts: list[sp.Expr] = []
    edges = [0, 0]
    for poly, side in ((value.numer, 1), (value.denom, -1)):
        content, found = factors(poly)
        parts.append(sp.Integer(content) ** side)
        for f, k in found:
            if f in (t - 1, t + 1):
                edges[f == t + 1] += side * k
            else:
                parts.append(shortest_form(f, values) ** (side * k))
    if edges[0] != edges[1]:
        return None
    return sp.Mul(*parts, (-(cosh**-2)) ** edges[0])
