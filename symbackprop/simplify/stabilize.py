"""A form whose floating-point value is right at every magnitude: relative error 1e-5 in float32, nothing overflows.

Candidates come from algebraic identities only; each is measured against the truth at points chosen to hurt
(`probes.py`), and the cheapest one that is right wins. An expression that is right as it stands comes back untouched.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import sympy as sp

from .candidates import Search
from .constants import with_constants, without_constants
from .evaluate import equal_where_defined
from .probes import is_transcendental, probe_for
from .trees import hide_unknown, inline, renaming, replace, subtrees

Pairs = tuple[tuple[sp.Symbol, sp.Expr], ...]


@dataclass(frozen=True, slots=True)
class Stable:
    """An equal expression to compute, and the keys of what was done; no names: the given one will do."""

    expr: sp.Expr
    rules: tuple[str, ...]


def stabilize(expr: sp.Expr, definitions: Mapping[sp.Symbol, sp.Expr], domains: Mapping[sp.Symbol, str]) -> Stable:
    """The cheapest equal form of `expr` that is accurate in float32, or the most accurate one found.

    `definitions` are values at hand, already rounded. `domains` says 'real' (the default), 'unit' (a label, nearly
    always 0 or 1), 'probability' (between 0 and 1), 'positive', 'nonnegative' or 'nonpositive'.
    """
    outer, inner = _apart(expr, definitions, domains)
    if outer is not sp.S.One:
        found = stabilize(inner, definitions, domains)
        return Stable(outer * found.expr, found.rules) if found.rules else Stable(expr, ())
    related = _related(expr, definitions)
    if not related and not _may_fail(expr):
        return Stable(expr, ())
    hidden: dict[sp.Basic, sp.Basic] = {}
    plain = hide_unknown(expr, hidden)
    known = {a: hide_unknown(f, hidden) for a, f in related.items()}
    names = renaming(plain, *(part for pair in known.items() for part in pair))

    def canonical(e: sp.Expr) -> sp.Expr:
        return replace(with_constants(e), names.forward)

    start = canonical(plain)
    pairs = tuple((canonical(a), canonical(f)) for a, f in known.items())
    kinds = tuple((canonical(s), domains[s]) for s in names.forward if domains.get(s, "real") != "real")
    found = _stabilized(start, pairs, kinds)
    if not found.rules:
        return Stable(expr, ())
    back = {symbol: node for node, symbol in hidden.items()}
    result = replace(without_constants(replace(found.expr, names.back)), back)
    return Stable(result, found.rules)


def _apart(
    expr: sp.Expr, definitions: Mapping[sp.Symbol, sp.Expr], domains: Mapping[sp.Symbol, str]
) -> tuple[sp.Expr, sp.Expr]:
    """Powers of symbols that stand nowhere else, and the rest: what they multiply loses its digits without them too."""
    factors = sp.Mul.make_args(expr)
    if len(factors) < 2:
        return sp.S.One, expr
    meanings = set().union(*(f.free_symbols for f in definitions.values())) | definitions.keys()
    outer = []
    for f in factors:
        base, power = f.as_base_exp()
        alone = base.is_Symbol and power.is_Integer and base not in meanings and domains.get(base) != "unit"
        if alone and not any(base in g.free_symbols for g in factors if g is not f):
            outer.append(f)
    return sp.Mul(*outer), sp.Mul(*(f for f in factors if f not in outer))


def _related(expr: sp.Expr, definitions: Mapping[sp.Symbol, sp.Expr]) -> dict[sp.Symbol, sp.Expr]:
    """The definitions that matter: of symbols in `expr`, or equal to parts of it; sums and products are plain."""
    inlined = inline(expr, definitions)
    symbols = inlined.free_symbols | expr.free_symbols
    parts = set(subtrees(inlined)) if len(definitions) else set()
    return {
        a: f
        for a, f in definitions.items()
        if (_may_fail(f) and (a in symbols or f in parts or any(a in g.free_symbols for g in definitions.values())))
    }


def _may_fail(expr: sp.Expr) -> bool:
    """Whether digits can be lost: transcendental functions, and sums beside divisions or roots."""
    if is_transcendental(expr):
        return True
    nodes = list(subtrees(expr))
    divides = any(n.is_Pow and not (n.exp.is_Integer and n.exp.is_positive) and n.base.is_Add for n in nodes)
    return divides and any(n.is_Add and any(a.args for a in n.args) for n in nodes if not n.is_number)


@lru_cache(maxsize=4096)
def _stabilized(expr: sp.Expr, definitions: Pairs, domains: tuple[tuple[sp.Symbol, str], ...]) -> Stable:
    table, kinds = dict(definitions), dict(domains)
    search = Search(table, kinds, probe_for(expr, table, kinds))
    best, rules = search.found(expr)
    if best == expr or not equal_where_defined(inline(expr, table), inline(best, table), kinds):
        return Stable(expr, ())
    return Stable(best, rules or ("rewritten",))
