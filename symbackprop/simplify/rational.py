"""Expressions as rational functions over the integers: cancelled always, and written back in several forms.

The variables are the generators u = exp(g) of the exponentials, then whatever is not a sum, product or
integer power (symbols, functions, roots): the atoms.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sympy as sp
from sympy.polys.domains import ZZ
from sympy.polys.fields import field

from .exponentials import Generators, exponential_form, generators
from .trees import rebuild, replace, subtrees

MOST_ATOMS = 14
MOST_TERMS = 150
MOST_POWER = 12
SHORT = 8

Element = Any
"""An element of SymPy's field of fractions: `numer` and `denom` are sparse polynomials."""
Leaf = Callable[[sp.Expr], Element | None]


class OutOfReachError(ValueError):
    """An expression is not rational in the variables, or has too many terms to be worth the time."""


@dataclass(frozen=True, slots=True)
class Algebra:
    """A field of fractions, and which expression each variable stands for (generators first)."""

    field: Any
    variables: tuple[sp.Expr, ...]
    generators: Generators
    table: dict[sp.Expr, Element]

    def variable(self, expr: sp.Expr) -> Element:
        """The variable that stands for `expr`."""
        return self.table[expr]


def is_exponential(node: sp.Basic) -> bool:
    """exp of something that is not a number."""
    return isinstance(node, sp.exp) and not node.args[0].is_number


def leaves(expr: sp.Expr) -> list[sp.Expr]:
    """The maximal parts that are not sums, products, integer powers or rational numbers, each once."""
    found: dict[sp.Expr, None] = {}

    def visit(node: sp.Expr) -> None:
        if node.is_Add or node.is_Mul:
            for arg in node.args:
                visit(arg)
        elif node.is_Pow and node.exp.is_Integer:
            visit(node.base)
        elif not node.is_Rational:
            found[node] = None

    visit(expr)
    return list(found)


def algebra(exprs: Iterable[sp.Expr], extra: Iterable[sp.Expr] = ()) -> Algebra:
    """The smallest algebra that holds `exprs`, with variables for `extra` as well."""
    found = dict.fromkeys(leaf for e in exprs for leaf in leaves(e))
    exponentials = [n for n in found if is_exponential(n)]
    gens = generators(exponentials)
    constants = [sp.exp(c) for _, c in gens.powers.values() if c is not sp.S.Zero]
    atoms = dict.fromkeys([*(n for n in found if n not in gens.powers), *constants, *extra])
    return make_algebra(gens, list(atoms))


def make_algebra(gens: Generators, atoms: Sequence[sp.Expr]) -> Algebra:
    """An algebra with given generators and atoms."""
    variables = (*map(sp.exp, gens.exponents), *atoms)
    if len(variables) > MOST_ATOMS:
        raise OutOfReachError
    made, *elements = field([f"t{i}" for i in range(max(len(variables), 1))], ZZ)
    table = dict(zip(variables, elements, strict=False))
    return Algebra(made, variables, gens, table)


def to_fraction(expr: sp.Expr, within: Algebra, leaf: Leaf | None = None) -> Element:
    """`expr` in the algebra, cancelled; `leaf` may give the value of a leaf (None: the algebra's own)."""
    done: dict[sp.Expr, Element] = {}

    def visit(node: sp.Expr) -> Element:
        value = done.get(node)
        if value is None:
            value = done[node] = _limited(compute(node))
        return value

    def compute(node: sp.Expr) -> Element:
        if node.is_Rational:
            return within.field(int(node.p)) / int(node.q)
        if node.is_Add or node.is_Mul:
            values = [visit(a) for a in node.args]
            total = values[0]
            for value in values[1:]:
                total = _limited(total + value if node.is_Add else total * value)
            return total
        if node.is_Pow and node.exp.is_Integer:
            return _power(visit(node.base), int(node.exp))
        value = leaf(node) if leaf else None
        return _own_leaf(node, within) if value is None else value

    return visit(expr)


def _own_leaf(node: sp.Expr, within: Algebra) -> Element:
    if node not in within.generators.powers:
        if node not in within.table:
            raise OutOfReachError
        return within.table[node]
    powers, constant = within.generators.powers[node]
    value = within.field.one if constant is sp.S.Zero else within.table[sp.exp(constant)]
    for index, k in powers:
        value = value * _power(within.table[within.variables[index]], k)
    return value


def _power(base: Element, n: int) -> Element:
    if abs(n) > MOST_POWER and len(base.numer) + len(base.denom) > 2:
        raise OutOfReachError
    if not base:
        if n <= 0:
            raise OutOfReachError
        return base
    return base**n


def _limited(value: Element) -> Element:
    if len(value.numer) + len(value.denom) > MOST_TERMS:
        raise OutOfReachError
    return value


def polynomial(poly: Any, values: Sequence[sp.Expr]) -> sp.Expr:
    """A polynomial written out, `values` in place of its variables."""
    return sp.Add(*(_term(monomial, c, values) for monomial, c in poly.terms()))


def _term(monomial: Sequence[int], coefficient: Any, values: Sequence[sp.Expr]) -> sp.Expr:
    factors = [sp.Pow(x, k) for x, k in zip(values, monomial, strict=False) if k]
    return sp.Mul(sp.Integer(int(coefficient)), *factors)


def by_powers(poly: Any, index: int) -> dict[int, Any]:
    """The coefficients of the powers of one variable, as polynomials without it."""
    rows: dict[int, Any] = {}
    for monomial, c in poly.terms():
        rest = (*monomial[:index], 0, *monomial[index + 1 :])
        row = rows.setdefault(monomial[index], poly.ring.zero)
        row[rest] = c
    return rows


def lowest(poly: Any, index: int) -> int:
    """The lowest power of one variable that occurs."""
    return int(min(m[index] for m in poly))


def times_power(poly: Any, index: int, k: int) -> Any:
    """`poly` times the k-th power of one variable; k may be negative where every term allows it."""
    shifted = poly.ring.zero
    for monomial, c in poly.terms():
        shifted[(*monomial[:index], monomial[index] + k, *monomial[index + 1 :])] = c
    return shifted


@lru_cache(maxsize=4096)
def factors(poly: Any) -> tuple[int, list[tuple[Any, int]]]:
    """The integer content (with sign) and the factors with their powers: irreducible, of long ones square-free."""
    if len(poly) > MOST_TERMS:
        return 1, [(poly, 1)]
    content, primitive = poly.primitive()
    common = tuple(map(min, zip(*primitive, strict=True)))
    rest = poly.ring.zero
    for monomial, c in primitive.terms():
        rest[tuple(a - b for a, b in zip(monomial, common, strict=True))] = c
    if _is_irreducible(rest):
        sign = 1 if rest.LC > 0 else -1
        outer = [(x, k) for x, k in zip(poly.ring.gens, common, strict=True) if k]
        return int(content) * sign, [*outer, (rest * sign, 1)]
    content, found = poly.factor_list() if len(poly) <= SHORT else poly.sqf_list()
    return int(content), [(f, int(k)) for f, k in found]


def _is_irreducible(poly: Any) -> bool:
    """Whether a polynomial without a common factor is seen to be irreducible: only one term has some variable."""
    columns = zip(*poly, strict=True)
    return len(poly) > 1 and any(sum(1 for k in column if k) == 1 and max(column) == 1 for column in columns)


def cancelled(expr: sp.Basic) -> sp.Basic:
    """`expr` in exp and log, with every rational part of it as one cancelled quotient, innermost first."""

    def visit(node: sp.Basic) -> sp.Basic:
        node = exponential_form(node)
        parts = leaves(node)
        table = {p: rebuild(p, tuple(map(visit, p.args))) for p in parts if p.args}
        node = replace(node, table)
        if not (node.is_Add or node.is_Mul or node.is_Pow):
            return node
        try:
            within = algebra([node])
            value = to_fraction(node, within)
        except OutOfReachError:
            return node
        return polynomial(value.numer, within.variables) / polynomial(value.denom, within.variables)

    return visit(expr)


def contains(expr: sp.Basic, nodes: Callable[[sp.Basic], bool]) -> bool:
    """Whether some part of `expr` is such a node."""
    return any(nodes(n) for n in subtrees(expr))
