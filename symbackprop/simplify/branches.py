"""An expression in one exponential u = exp(g), by the sign of g: a rational function of e = exp(-|g|) each.

Powers of u become powers of e, which never overflow; log(P(u)) becomes a multiple of g plus the logarithm of a
polynomial in e whose value at e = 0 is finite. These logarithms, and roots, are variables of their own (slots).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from math import gcd
from typing import Any

import sympy as sp
from sympy.functions.elementary.piecewise import ExprCondPair

from .exponentials import Generators, exponential_form, generators
from .rational import (
    Algebra,
    Element,
    OutOfReachError,
    factors,
    is_exponential,
    lowest,
    make_algebra,
    times_power,
    to_fraction,
)
from .trees import replace, subtrees

MOST_SLOTS = 5
SMALL = sp.Symbol("e", positive=True)
"""Stands for exp(-|g|)."""
EXPONENT = sp.Dummy("g", real=True)
"""Stands for g."""
_SLOTS = tuple(sp.Dummy(f"slot{i}", real=True) for i in range(MOST_SLOTS))

_OPEN = (sp.log, sp.Abs, sp.sign, sp.Max, sp.Min, sp.Piecewise, ExprCondPair)

SlotKey = tuple[str, Any, Any, Any]


@dataclass(slots=True)
class Branches:
    """An expression over the variables e, g, its atoms and slots; `slots` tells what each slot stands for."""

    exponent: sp.Expr
    expr: sp.Expr
    algebra: Algebra
    slots: dict[SlotKey, Element] = field(default_factory=dict)
    decided: bool = False
    values: dict[tuple[int, bool], Element] = field(default_factory=dict)

    @property
    def slot_symbols(self) -> dict[sp.Symbol, SlotKey]:
        """The slot variables in use."""
        return dict(zip(_SLOTS, self.slots, strict=False))

    def value(self, sign: int, center: bool = False) -> Element:
        """The rational function for g > 0 (`sign` 1) or g < 0 (-1); `center` keeps logarithms whole, for g near 0."""
        key = (sign, center)
        if key not in self.values:
            self.values[key] = to_fraction(self.expr, self.algebra, lambda node: self._leaf(node, sign, center))
        return self.values[key]

    def _leaf(self, node: sp.Expr, sign: int, center: bool) -> Element | None:
        if is_exponential(node):
            return self._power(node.args[0], sign)
        if not node.has(EXPONENT) or node is EXPONENT:
            return None
        if isinstance(node, sp.log) and _in_exponential(node):
            return self._log(
                to_fraction(node.args[0], self.algebra, lambda n: self._leaf(n, sign, center)), sign, center
            )
        if node.is_Pow and node.exp.is_Rational and _in_exponential(node):
            return self._root(to_fraction(node.base, self.algebra, lambda n: self._leaf(n, sign, center)), node.exp)
        decided = decide(node, sign)
        if decided is None:
            return None
        self.decided = True
        return to_fraction(decided, self.algebra, lambda n: self._leaf(n, sign, center))

    def _power(self, x: sp.Expr, sign: int) -> Element | None:
        k = x.coeff(EXPONENT)
        rest = x - k * EXPONENT
        if not k.is_Integer or rest.has(EXPONENT):
            return None
        value = self.algebra.variable(SMALL) ** int(-sign * k)
        return value * self.algebra.variable(sp.exp(rest)) if rest else value

    def _log(self, value: Element, sign: int, center: bool) -> Element:
        above, below = value.numer, value.denom
        if not value:
            raise OutOfReachError
        if center and above.evaluate(0, 1) == below.evaluate(0, 1):
            return self._slot("log", above, below)
        low = lowest(above, 0) - lowest(below, 0)
        total = self.algebra.variable(EXPONENT) * (-sign * low)
        above, below = (times_power(p, 0, -lowest(p, 0)) for p in (above, below))
        if above.evaluate(0, 0) == below.evaluate(0, 0):
            return total if above == below else total + self._log_of_quotient(above, below)
        top, bottom = int(above.content()), int(below.content())
        if top != bottom:
            common = gcd(top, bottom)
            total += self._slot("log", above.ring(top // common), above.ring(bottom // common))
        return total + self._log_of_quotient(above.quo_ground(top), below.quo_ground(bottom))

    def _log_of_quotient(self, above: Any, below: Any) -> Element:
        if above == 1 and _is_positive(below):
            return -self._logs(below)
        if below == 1 and _is_positive(above):
            return self._logs(above)
        return self.algebra.field.zero if above == below else self._slot("log", above, below)

    def _logs(self, poly: Any) -> Element:
        """log of a polynomial with positive coefficients: its factors' logarithms where these are positive too."""
        _, found = factors(poly)
        if not all(_is_positive(f) for f, _ in found):
            found = [(poly, 1)]
        return sum((self._slot("log", f, poly.ring.one) * k for f, k in found if f != 1), self.algebra.field.zero)

    def _root(self, value: Element, power: sp.Rational) -> Element | None:
        if not value:
            raise OutOfReachError
        low = (lowest(value.numer, 0) - lowest(value.denom, 0)) * power
        if not low.is_Integer:
            return None
        above, below = (times_power(p, 0, -lowest(p, 0)) for p in (value.numer, value.denom))
        return self.algebra.variable(SMALL) ** int(low) * self._slot("root", above, below, power)

    def _slot(self, kind: str, above: Any, below: Any, power: Any = None) -> Element:
        key = (kind, above, below, power)
        if key not in self.slots:
            if len(self.slots) == MOST_SLOTS:
                raise OutOfReachError
            self.slots[key] = self.algebra.variable(_SLOTS[len(self.slots)])
        return self.slots[key]


def _is_positive(poly: Any) -> bool:
    return all(c > 0 and not any(m[1:]) for m, c in poly.terms())


@lru_cache(maxsize=512)
def _in_exponential(node: sp.Expr) -> bool:
    return any(is_exponential(n) and n.has(EXPONENT) for n in subtrees(node))


def decide(node: sp.Expr, sign: int) -> sp.Expr | None:
    """|g|, sign g, max, min and choices by the sign of g, where g's sign is known."""
    if isinstance(node, (sp.Abs, sp.sign)):
        k = node.args[0] / EXPONENT
        if k.is_Rational:
            size = 1 if k * sign > 0 else -1
            return size * node.args[0] if isinstance(node, sp.Abs) else sp.Integer(size)
    if isinstance(node, (sp.Max, sp.Min)) and len(node.args) == 2:
        k = sp.expand(node.args[0] - node.args[1]) / EXPONENT
        if k.is_Rational:
            return node.args[0 if (k * sign > 0) == isinstance(node, sp.Max) else 1]
    if isinstance(node, sp.Piecewise):
        return _chosen(node, sign)
    return None


def _chosen(node: sp.Piecewise, sign: int) -> sp.Expr | None:
    for value, condition in node.args:
        if condition == sp.true:
            return value
        if not isinstance(condition, (sp.Gt, sp.Ge, sp.Lt, sp.Le)):
            return None
        k = (condition.lhs - condition.rhs) / EXPONENT
        if not k.is_Rational or not k:
            return None
        if (k * sign > 0) == isinstance(condition, (sp.Gt, sp.Ge)):
            return value
    return None


def branches_of(expr: sp.Expr) -> Iterator[Branches]:
    """`expr` over each of its generators in turn (two at most), the other exponentials being atoms."""
    plain = exponential_form(expr)
    gens = generators(_reachable(plain))
    root = max((n.exp.q for n in subtrees(plain) if n.is_Pow and n.exp.is_Rational), default=1)
    outermost = sorted(range(len(gens.exponents)), key=lambda i: not gens.exponents[i].has(sp.exp))
    for i in outermost[:2]:
        if gens.exponents[i].has(sp.Piecewise):
            continue
        isolated = _isolated(plain, gens, i, root)
        try:
            made = make_algebra(Generators((), {}), [SMALL, EXPONENT, *_atoms(isolated), *_SLOTS])
            branches = Branches(gens.exponents[i] / root, isolated, made)
            branches.value(1), branches.value(-1)
        except OutOfReachError:
            continue
        yield branches


def _reachable(expr: sp.Expr) -> list[sp.Expr]:
    """The exponentials outside each other and outside functions that are not looked into."""
    found: dict[sp.Expr, None] = {}

    def visit(node: sp.Basic) -> None:
        if is_exponential(node):
            found[node] = None
        elif node.is_Add or node.is_Mul or node.is_Pow or isinstance(node, _OPEN):
            for arg in node.args:
                visit(arg)

    visit(expr)
    return list(found)


def _isolated(plain: sp.Expr, gens: Generators, index: int, root: int) -> sp.Expr:
    """g as a symbol of its own: in the exponentials, and elsewhere too where that rids the expression of its parts."""
    exponent = gens.exponents[index] / root
    table = {}
    for node, (powers, constant) in gens.powers.items():
        k = dict(powers).get(index, 0) * root
        if k:
            rest = sp.Add(constant, *(n * gens.exponents[i] for i, n in powers if i != index))
            table[node] = sp.exp(k * EXPONENT + rest)
    inside = replace(plain, table)
    for term in sp.Add.make_args(exponent):
        coefficient, symbol = term.as_coeff_Mul()
        rest = exponent - term
        if symbol.is_Symbol and inside.has(symbol) and not rest.has(symbol):
            moved = replace(inside, {symbol: (EXPONENT - rest) / coefficient})
            if not moved.free_symbols & rest.free_symbols:
                return moved
    return inside


def _atoms(expr: sp.Expr) -> list[sp.Expr]:
    """The variables besides e and g: whatever the branches cannot look into."""
    found: dict[sp.Expr, None] = {}

    def visit(node: sp.Expr) -> None:
        if node.is_Add or node.is_Mul or (isinstance(node, sp.log) and _in_exponential(node)):
            for arg in node.args:
                visit(arg)
        elif node.is_Pow and (node.exp.is_Integer or (node.exp.is_Rational and _in_exponential(node))):
            visit(node.base)
            if not node.exp.is_Integer:
                found[node] = None
        elif is_exponential(node) and node.has(EXPONENT):
            rest = node.args[0] - node.args[0].coeff(EXPONENT) * EXPONENT
            found.update({sp.exp(rest): None} if rest else {})
        elif node.has(EXPONENT) and node is not EXPONENT and decide(node, 1) is not None:
            visit(decide(node, 1))
            visit(decide(node, -1))
            found[node] = None
        elif not node.is_Rational and node is not EXPONENT:
            found[node] = None

    visit(expr)
    return list(found)
