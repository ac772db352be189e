"""Exponentials of one expression, written as powers of as few generators u = exp(g) as possible."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import gcd, lcm

import sympy as sp
from sympy.codegen.cfunctions import expm1, log1p

from .trees import rebuild

_TRANSPARENT = (sp.log, sp.Piecewise, sp.Abs, sp.sign)

Vector = dict[sp.Expr, sp.Rational]
Powers = dict[sp.Expr, tuple[tuple[tuple[int, int], ...], sp.Expr]]


@dataclass(frozen=True, slots=True)
class Generators:
    """The exponents g of the generators, and each exponential as [(generator, power)] and a constant factor."""

    exponents: tuple[sp.Expr, ...]
    powers: Powers


def exponential_form(expr: sp.Expr) -> sp.Expr:
    """`expr` with tanh, sinh, cosh, expm1 and log1p written in exp and log (SymPy turns exp(log w) into w).

    Exponents and the arguments of other functions stay as they are.
    """
    done: dict[sp.Basic, sp.Basic] = {}

    def visit(node: sp.Basic) -> sp.Basic:
        if not node.args:
            return node
        if node not in done:
            done[node] = _in_exponentials(node, visit)
        return done[node]

    return visit(expr)


def _in_exponentials(node: sp.Basic, visit: Callable[[sp.Basic], sp.Basic]) -> sp.Basic:
    x = node.args[0]
    if isinstance(node, sp.tanh):
        u = visit(sp.exp(2 * x))
        return (u - 1) / (u + 1)
    if isinstance(node, (sp.cosh, sp.sinh)):
        u = visit(sp.exp(x))
        return (u + 1 / u) / 2 if isinstance(node, sp.cosh) else (u - 1 / u) / 2
    if isinstance(node, expm1):
        return visit(sp.exp(x)) - 1
    if isinstance(node, log1p):
        return sp.log(1 + visit(x))
    if isinstance(node, sp.Function) and not isinstance(node, _TRANSPARENT):
        return node
    args = tuple(map(visit, node.args))
    return node if all(a is b for a, b in zip(args, node.args, strict=True)) else rebuild(node, args)


def generators(nodes: Iterable[sp.Expr]) -> Generators:
    """The generators of some exponentials: one for exponents that are multiples of each other.

    Exponents that overlap without being multiples, as a, b and a + b, are split into their terms.
    """
    split = {node: _vector(node.args[0]) for node in nodes}
    exponents: list[sp.Expr] = []
    powers: Powers = {}
    for group in _components(split):
        for constants in (True, False):
            vectors = [_terms(*split[n], constants) for n in group]
            multiples = _collinear(vectors)
            if multiples is not None:
                _one_generator(group, split, multiples, constants, exponents, powers)
                break
        else:
            _split_terms(group, split, exponents, powers)
    return Generators(tuple(exponents), powers)


def _terms(vector: Vector, constant: sp.Expr, with_constant: bool) -> Vector:
    return {**vector, sp.S.One: constant} if with_constant and constant else vector


def _one_generator(
    group: list[sp.Expr],
    split: dict[sp.Expr, tuple[Vector, sp.Expr]],
    multiples: list[sp.Rational],
    constants: bool,
    exponents: list[sp.Expr],
    powers: Powers,
) -> None:
    """Exponents that are multiples of each other, their constant terms included or left over."""
    unit = _common_unit(multiples)
    left = [sp.S.Zero if constants else split[n][1] for n in group]
    g = (group[0].args[0] - left[0]) * unit / multiples[0]
    flip = -1 if g.could_extract_minus_sign() else 1
    for node, k, rest in zip(group, multiples, left, strict=True):
        powers[node] = (((len(exponents), int(flip * k / unit)),), rest)
    exponents.append(flip * g)


def _vector(x: sp.Expr) -> tuple[Vector, sp.Expr]:
    vector: Vector = {}
    constant = sp.S.Zero
    for term in sp.Add.make_args(x):
        coefficient, monomial = term.as_coeff_Mul()
        if monomial.is_number:
            constant += term
        else:
            vector[monomial] = vector.get(monomial, sp.S.Zero) + coefficient
    return vector, constant


def _components(split: dict[sp.Expr, tuple[Vector, sp.Expr]]) -> list[list[sp.Expr]]:
    """The exponentials grouped by shared terms of their exponents."""
    groups: list[tuple[set[sp.Expr], list[sp.Expr]]] = []
    for node, (vector, _) in split.items():
        touching = [g for g in groups if g[0] & vector.keys()]
        terms = set(vector).union(*(g[0] for g in touching))
        members = [n for g in touching for n in g[1]] + [node]
        groups = [g for g in groups if not any(g is t for t in touching)] + [(terms, members)]
    return [members for _, members in groups]


def _collinear(vectors: list[Vector]) -> list[sp.Rational] | None:
    """Each vector as a multiple of the first; None where one is not."""
    first = vectors[0]
    multiples = []
    for vector in vectors:
        if vector.keys() != first.keys():
            return None
        ratios = {vector[m] / first[m] for m in first}
        if len(ratios) != 1:
            return None
        multiples.append(ratios.pop())
    return multiples


def _common_unit(multiples: Iterable[sp.Rational]) -> sp.Rational:
    """The largest rational of which all are integer multiples."""
    fractions = [sp.Rational(m) for m in multiples]
    return sp.Rational(gcd(*(int(f.p) for f in fractions)), lcm(*(int(f.q) for f in fractions)))


def _split_terms(
    group: list[sp.Expr],
    split: dict[sp.Expr, tuple[Vector, sp.Expr]],
    exponents: list[sp.Expr],
    powers: Powers,
) -> None:
    terms = list(dict.fromkeys(m for node in group for m in split[node][0]))
    units = {m: _common_unit([split[n][0][m] for n in group if m in split[n][0]]) for m in terms}
    first = len(exponents)
    exponents += [units[m] * m for m in terms]
    for node in group:
        vector, constant = split[node]
        parts = tuple((first + i, int(vector[m] / units[m])) for i, m in enumerate(terms) if m in vector)
        powers[node] = (parts, constant)
