"""Rational functions of |x| and sign(x): cancelled with x = sign(x) |x| and sign(x)^2 = 1."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sympy as sp

from .forms import written_forms
from .rational import Algebra, Element, OutOfReachError, algebra, to_fraction
from .trees import replace, subtrees


def without_signs(expr: sp.Expr) -> Iterator[sp.Expr]:
    """The cancelled forms of `expr`, a rational function in its functions."""
    inner = {n.args[0]: None for n in subtrees(expr) if isinstance(n, (sp.Abs, sp.sign))}
    table: dict[sp.Basic, sp.Basic] = {}
    back: dict[sp.Basic, sp.Basic] = {}
    pairs = []
    for x in inner:
        size, sign = sp.Dummy("size", positive=True), sp.Dummy("sign", real=True)
        pairs.append((size, sign))
        table |= {sp.Abs(x): size, sp.sign(x): sign}
        back |= {size: sp.Abs(x), sign: sp.sign(x), size * sign: x}
        if x.is_Symbol:
            table[x] = size * sign
    try:
        within = algebra([replace(expr, table)], [s for pair in pairs for s in pair])
        value = to_fraction(replace(expr, table), within)
    except OutOfReachError:
        return
    for _, sign in pairs:
        value = _with_square_one(value, within, within.variables.index(sign))
    for form in written_forms(value, within):
        yield _signed(form, pairs, back)


def _with_square_one(value: Element, within: Algebra, index: int) -> Element:
    numer, denom = (_odd_even(p, index) for p in (value.numer, value.denom))
    return within.field(numer) / within.field(denom) if denom else value


def _odd_even(poly: Any, index: int) -> Any:
    folded = poly.ring.zero
    for monomial, c in poly.terms():
        key = (*monomial[:index], monomial[index] % 2, *monomial[index + 1 :])
        folded[key] = folded.get(key, 0) + c
    return poly.ring.from_dict({k: c for k, c in folded.items() if c})


def _signed(form: sp.Expr, pairs: list[tuple[sp.Symbol, sp.Symbol]], back: dict[sp.Basic, sp.Basic]) -> sp.Expr:
    """The form in x, |x| and sign(x); sign times a power of |x| is x times one power less."""

    def visit(node: sp.Basic) -> sp.Basic:
        if not node.args:
            return back.get(node, node)
        if node.is_Mul:
            powers = node.as_powers_dict()
            for size, sign in pairs:
                k = powers.get(size, sp.S.Zero)
                if powers.get(sign) == 1 and k.is_Integer and k > 0:
                    rest = node / (size * sign)
                    return back[size * sign] * visit(rest)
        return node.func(*map(visit, node.args))

    return visit(form)
