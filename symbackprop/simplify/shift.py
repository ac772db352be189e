"""The log-sum-exp shift, an identity on sums of exponentials.

With M the largest f_k and R the sum of e^(f_k - M) over all k but the first that attains M,
sum over k of w_k e^(f_k) = e^M * sum of w_k e^(f_k - M), and 1 + R where all w_k are 1.
Nothing overflows, and R keeps the digits that 1 + R would lose.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sympy import Expr, Mul, exp

from ..language.brackets import NotAt
from ..language.indices import canonical, free_indices, substitute
from ..language.nodes import ArgMax, Entry, Held, Index, MaxOver, Over, Sum
from ..language.scalars import Skeleton


@dataclass
class Shifted:
    """Symbols that stand for a shifted exponent f_i - M (never positive) and for a remainder R (never negative)."""

    skeleton: Skeleton
    below: set[Expr] = field(default_factory=set)
    rest: set[Expr] = field(default_factory=set)


def shift_exponentials(expr: Expr, shifted: Shifted) -> Expr:
    """`expr` with its sums of exponentials, and the exponentials beside them, shifted by the largest exponent."""
    for node in sorted(outermost_sums(expr), key=lambda s: s.sort_key()):
        exponent = exponent_of(node)
        if exponent is not None:
            expr = _shift(expr, node, exponent, shifted)
    return expr


def outermost_sums(expr: Expr) -> set[Sum]:
    """The sums in `expr` that stand under no other."""
    if isinstance(expr, Sum):
        return {expr}
    if isinstance(expr, Over):
        return set()
    return set().union(*(outermost_sums(a) for a in expr.args)) if expr.args else set()


def exponent_of(node: Sum) -> Expr | None:
    """f_k, when the body is e^(f_k) times factors without the exponential."""
    powers = [f for f in Mul.make_args(node.body) if isinstance(f, exp) and set(free_indices(f)) & set(node.bound)]
    if len(node.bound) != 1 or len(powers) != 1:
        return None
    argument = powers[0].args[0]
    return argument if argument.has(Index) else None


def _shift(expr: Expr, node: Sum, exponent: Expr, shifted: Shifted) -> Expr:
    (k,) = node.bound
    top = canonical(MaxOver.raw(exponent, (k,)))
    table: dict[Expr, Expr] = {}
    top_symbol = shifted.skeleton.symbol(top)
    if node.body == exp(exponent):
        where = canonical(ArgMax.raw(exponent, (k,)))
        others = NotAt(k, where) * exp(_below(exponent, top))
        rest = shifted.skeleton.symbol(canonical(Sum.raw(others, (k,))))
        shifted.rest.add(rest)
        table[node] = exp(top_symbol) * (1 + rest)
    else:
        weighted = canonical(Sum.raw(node.body / exp(exponent) * exp(_below(exponent, top)), (k,)))
        table[node] = exp(top_symbol) * shifted.skeleton.symbol(weighted)
    for index in free_indices(expr):
        if index.dim == k.dim:
            there = substitute(exponent, {k: index})
            below = shifted.skeleton.symbol(_below(there, top))
            shifted.below.add(below)
            table[exp(there)] = exp(top_symbol) * exp(below)
    return _replaced(expr, table)


def _replaced(expr: Expr, table: dict[Expr, Expr]) -> Expr:
    """Nodes replaced where they stand under no other sum: symbols must not get into one."""
    if expr in table:
        return table[expr]
    if isinstance(expr, (Entry, Over)) or not expr.args:
        return expr
    return expr.func(*(_replaced(a, table) for a in expr.args))


def _below(exponent: Expr, top: Expr) -> Expr:
    """f_i - M by itself: added to something else first, it would lose the digits that matter."""
    return canonical(Held.raw(exponent - top, ()))
