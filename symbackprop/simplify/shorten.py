"""The textbook's form of a scalar expression: the shortest of several equal ones, in the outputs at hand.

Only algebra is used: fractions are cancelled and factored, and where an output a = f(u) with u = exp(g) is of the
form (A u + B)/(C u + D), it is solved for u, so that exp(z) = a/(1 - a) for a = 1/(1 + exp(-z)).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

import sympy as sp

from .constants import with_constants, without_constants
from .evaluate import equal_where_defined
from .forms import product, readability, written_forms
from .outputs import solved as _solved
from .outputs import through_logistic as _logistic
from .rational import OutOfReachError, algebra, contains, to_fraction
from .trees import hide_unknown, inline, rebuild, renaming, replace

REUSE, CANCEL, COMMON, LOGISTIC, TANH = "reuse", "cancel", "common_factor", "logistic", "tanh"
"""Keys of the rules' names."""

Definitions = tuple[tuple[sp.Symbol, sp.Expr], ...]
Candidate = tuple[sp.Expr, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Short:
    """A shorter equal expression and the keys of what was done; no names: nothing was."""

    expr: sp.Expr
    rules: tuple[str, ...]


def shorten(expr: sp.Expr, definitions: Mapping[sp.Symbol, sp.Expr]) -> Short:
    """The equal form of `expr` with the fewest operations; `definitions` are the outputs it may be written in.

    Functions that are not known stay as they are. The result is checked against `expr`; one that differs is
    dropped and `expr` itself comes back.
    """
    quotient = expr.replace(lambda e: e.is_Mul and e.has(sp.sinh), _sinh_over_cosh) if expr.has(sp.sinh) else expr
    if quotient != expr:
        short = shorten(quotient, definitions)
        return Short(short.expr, (TANH, *short.rules))
    free = expr.free_symbols
    related = {a: f for a, f in definitions.items() if f.args and f.free_symbols & free}
    if not related and _is_short(expr):
        return Short(expr, ())
    hidden: dict[sp.Basic, sp.Basic] = {}
    plain = hide_unknown(expr, hidden)
    known = {a: hide_unknown(f, hidden) for a, f in related.items()}
    names = renaming(plain, *(part for pair in known.items() for part in pair))

    def canonical(e: sp.Expr) -> sp.Expr:
        return replace(with_constants(e), names.forward)

    pairs = tuple((canonical(a), canonical(f)) for a, f in known.items())
    start = canonical(plain)
    short = _shortened(start, pairs)
    if short.expr == start:
        return Short(expr, ())
    back = {symbol: node for node, symbol in hidden.items()}
    result = replace(without_constants(replace(short.expr, names.back)), back)
    return Short(result, short.rules)


def _sinh_over_cosh(product: sp.Expr) -> sp.Expr:
    """The product with tanh for every sinh of it that is divided by the cosh of the same."""
    powers = dict(product.as_powers_dict())
    for base in [b for b in powers if isinstance(b, sp.sinh)]:
        below, common = sp.cosh(*base.args), 0
        if below in powers and powers[below].is_Integer and powers[base].is_Integer:
            common = min(powers[base], -powers[below])
        if common > 0:
            powers[base] -= common
            powers[below] += common
            powers[sp.tanh(*base.args)] = powers.get(sp.tanh(*base.args), 0) + common
    return sp.Mul(*(b**e for b, e in powers.items()))


def _is_short(expr: sp.Expr) -> bool:
    """Whether there is nothing to take together: no sums, or every symbol stands there once and no common number."""
    sums = [n for n in sp.preorder_traversal(expr) if n.is_Add]
    if not sums:
        return True
    if any(all(term.as_coeff_Mul()[0] not in (1, -1) for term in total.args) for total in sums):
        return False
    symbols = [n for n in sp.preorder_traversal(expr) if n.args == () and not n.is_Number]
    return len(symbols) == len(set(symbols))


@lru_cache(maxsize=4096)
def _shortened(expr: sp.Expr, definitions: Definitions) -> Short:
    try:
        candidates = list(_candidates(expr, definitions))
    except OutOfReachError:
        return Short(expr, ())
    best = min(candidates, key=lambda c: _rank(c[0], expr))
    table = dict(definitions)
    if best[0] == expr or not equal_where_defined(inline(expr, table), inline(best[0], table), count=4):
        return Short(expr, ())
    return Short(best[0], best[1])


def _rank(form: sp.Expr, given: sp.Expr) -> tuple[int, ...]:
    *first, last = readability(form)
    return (*first, int(form != given), last)


def _candidates(expr: sp.Expr, definitions: Definitions) -> Iterator[Candidate]:
    yield expr, ()
    if isinstance(expr, sp.Piecewise):
        yield _branches(expr, definitions)
        return
    if expr.has(sp.Piecewise):
        yield from _around_choices(expr, definitions)
        return
    if expr.is_Add:
        number, rest = expr.primitive()
        yield product(number, [rest]), (COMMON,)
    yield from _fractions(expr)
    usable = tuple((a, f) for a, f in definitions if not f.has(sp.Piecewise))
    literal = _with_literal_reuse(expr, usable)
    if literal != expr:
        yield literal, (REUSE,)
        yield from ((e, (REUSE, *rules)) for e, rules in _fractions(literal))
    yield from ((e, (REUSE,)) for e in _solved(expr, usable))
    yield from ((e, (REUSE if e.free_symbols - expr.free_symbols else LOGISTIC,)) for e in _logistic(expr, usable))
    if expr.is_Mul:
        yield _factor_by_factor(expr, definitions)


def _branches(expr: sp.Piecewise, definitions: Definitions) -> Candidate:
    """Each branch by itself, with the branches of definitions that choose by the same conditions."""
    conditions = [c for _, c in expr.args]
    args: list[tuple[sp.Expr, sp.Basic]] = []
    rules: list[str] = []
    for i, (value, condition) in enumerate(expr.args):
        here = []
        for a, f in definitions:
            if isinstance(f, sp.Piecewise) and [c for _, c in f.args] == conditions:
                here += [(a, f.args[i][0])] if f.args[i][0].args else []
            elif not isinstance(f, sp.Piecewise):
                here.append((a, _decided(f, condition)))
        short = _shortened(value, tuple(here))
        args.append((short.expr, condition))
        rules += short.rules
    return sp.Piecewise(*args, evaluate=False), tuple(dict.fromkeys(rules))


def _decided(f: sp.Expr, condition: sp.Basic) -> sp.Expr:
    """`f` where a condition holds: max(x, y) is x where x > y."""
    if not isinstance(condition, (sp.Gt, sp.Ge, sp.Lt, sp.Le)) or not f.has(sp.Max, sp.Min):
        return f
    above, below = condition.gts, condition.lts
    return replace(f, {sp.Max(above, below): above, sp.Min(above, below): below})


def _around_choices(expr: sp.Expr, definitions: Definitions) -> Iterator[Candidate]:
    """Every Piecewise shortened by itself, then what stands around it with symbols in their places."""
    back: dict[sp.Basic, sp.Basic] = {}
    rules: list[str] = []

    def visit(node: sp.Basic) -> sp.Basic:
        if isinstance(node, sp.Piecewise):
            short = _shortened(node, definitions)
            rules.extend(short.rules)
            number, choice = _number_before(short.expr)
            stand_in = next((k for k, v in back.items() if v == choice), None)
            stand_in = stand_in or sp.Symbol(f"choice{len(back)}", real=True)
            back[stand_in] = choice
            return number * stand_in
        return rebuild(node, tuple(map(visit, node.args))) if node.args else node

    outer = _shortened(visit(expr), definitions)
    yield replace(outer.expr, back), tuple(dict.fromkeys((*rules, *outer.rules)))


def _number_before(choice: sp.Expr) -> tuple[sp.Expr, sp.Expr]:
    """The number taken out of a choice between a value and 0."""
    if isinstance(choice, sp.Piecewise) and len(choice.args) == 2 and choice.args[1] == (0, True):
        (value, condition), other = choice.args
        number, rest = value.as_coeff_Mul()
        if abs(number) != 1:
            return number, sp.Piecewise((rest, condition), other, evaluate=False)
    return sp.S.One, choice


def _factor_by_factor(expr: sp.Mul, definitions: Definitions) -> Candidate:
    parts: list[sp.Expr] = []
    rules: list[str] = []
    for factor in expr.args:
        base, k = (factor.base, factor.exp) if factor.is_Pow and factor.exp.is_Integer else (factor, 1)
        short = _shortened(base, definitions) if base.args else Short(base, ())
        parts.append(sp.Pow(short.expr, k))
        rules += short.rules
    coefficient = parts[0] if parts[0].is_Rational else sp.S.One
    return product(coefficient, parts[coefficient is not sp.S.One :]), tuple(dict.fromkeys(rules))


def _fractions(expr: sp.Expr) -> Iterator[Candidate]:
    if not contains(expr, lambda n: bool(n.is_Add)):
        return
    within = algebra([expr])
    value = to_fraction(expr, within)
    rule = COMMON if len(value.denom) == 1 else CANCEL
    yield from ((form, (rule,)) for form in written_forms(value, within))


def _with_literal_reuse(expr: sp.Expr, definitions: Definitions) -> sp.Expr:
    """Occurrences of f, and of integer powers of it, replaced by the output a."""

    def visit(node: sp.Basic) -> sp.Basic:
        for a, f in definitions:
            k = _power_of(node, f)
            if k is not None:
                return a**k
        return rebuild(node, tuple(map(visit, node.args))) if node.args else node

    return visit(expr)


def _power_of(node: sp.Basic, f: sp.Expr) -> sp.Integer | None:
    """k with node = f^k, where both are written as powers of the same base."""
    if node == f:
        return sp.S.One
    if node.is_Pow and f.is_Pow and node.base == f.base and node.exp.is_Rational and f.exp.is_Rational:
        k = node.exp / f.exp
        return k if k.is_Integer else None
    return None
