"""Local rewrites that keep digits: c*e^x - c, log(1 + x), 1 + erf x, 1 - tanh^2 x, and roots that nearly cancel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy as sp
from sympy.codegen.cfunctions import expm1, log1p

from .rational import OutOfReachError, algebra, to_fraction
from .trees import above_zero, rebuild

Rewrite = Callable[[sp.Expr], sp.Expr]


def _one_plus_erf(x: sp.Expr) -> sp.Expr:
    """1 + erf x = erfc(-x), by sign of x: SymPy itself would turn erfc(-x) into 2 - erfc(x)."""
    tail = sp.erfc(sp.Abs(x))
    return sp.Piecewise((2 - tail, above_zero(x)), (tail, True), evaluate=False)


_PAIRS: tuple[tuple[Any, int, int, Rewrite], ...] = (
    (sp.exp, 1, -1, expm1),
    (sp.cosh, 1, -1, lambda x: 2 * sp.sinh(x / 2) ** 2),
    (sp.cos, 1, -1, lambda x: -2 * sp.sin(x / 2) ** 2),
    (sp.erf, 1, 1, _one_plus_erf),
    (sp.erf, 1, -1, lambda x: -_one_plus_erf(-x)),
    (sp.tanh, 2, -1, lambda x: -(sp.cosh(x) ** -2)),
    (sp.cos, 2, -1, lambda x: -(sp.sin(x) ** 2)),
    (sp.sin, 2, -1, lambda x: -(sp.cos(x) ** 2)),
)
"""f, power k and sign s with f(x)^k + s = rewrite(x)."""


def with_peepholes(expr: sp.Expr) -> sp.Expr:
    """`expr` with every local rewrite applied, innermost first."""
    done: dict[sp.Basic, sp.Basic] = {}

    def visit(node: sp.Basic) -> sp.Basic:
        if not node.args:
            return node
        result = done.get(node)
        if result is None:
            args = tuple(visit(a) for a in node.args)
            same = all(a is b for a, b in zip(args, node.args, strict=True))
            result = done[node] = _rewritten(node if same else rebuild(node, args))
        return result

    return visit(expr)


def with_merged_exponentials(expr: sp.Expr) -> sp.Expr:
    """`expr` with products e^a e^b as e^(a + b), which cannot be infinity times zero."""
    done: dict[sp.Basic, sp.Basic] = {}

    def visit(node: sp.Basic) -> sp.Basic:
        if not node.args:
            return node
        if node not in done:
            args = tuple(map(visit, node.args))
            powers = [a for a in args if isinstance(a, sp.exp)] if node.is_Mul else []
            if len(powers) > 1:
                rest = (a for a in args if not isinstance(a, sp.exp))
                done[node] = sp.Mul(sp.exp(sp.Add(*(p.args[0] for p in powers))), *rest)
            else:
                same = all(a is b for a, b in zip(args, node.args, strict=True))
                done[node] = node if same else rebuild(node, args)
        return done[node]

    return visit(expr)


def _rewritten(node: sp.Basic) -> sp.Basic:
    if node.is_Add:
        return _root_difference(_pairs(node))
    if node.is_Mul:
        return _tangents(node)
    if isinstance(node, sp.log):
        return logarithm(node.args[0])
    return node


def _tangents(product: sp.Expr) -> sp.Expr:
    """sinh(x)^j cosh(x)^-k with tanh(x) as often as it goes."""
    powers = product.as_powers_dict()
    for base, up in powers.items():
        down = -powers.get(sp.cosh(base.args[0]), sp.S.Zero) if isinstance(base, sp.sinh) else sp.S.Zero
        if up.is_Integer and down.is_Integer and up > 0 and down > 0:
            k = min(up, down)
            x = base.args[0]
            return product * sp.cosh(x) ** k / sp.sinh(x) ** k * sp.tanh(x) ** k
    return product


def _pairs(total: sp.Expr) -> sp.Expr:
    """Each pair c*f(x)^k + s*c of a sum in its closed form."""
    terms = list(sp.Add.make_args(total))
    for term in terms:
        found = _match(term, terms)
        if found is not None:
            partner, replacement = found
            rest = [t for t in terms if t is not term and t is not partner]
            return _pairs(sp.Add(*rest, replacement))
    return total


def _match(term: sp.Expr, terms: list[sp.Expr]) -> tuple[sp.Expr, sp.Expr] | None:
    for factor in sp.Mul.make_args(term):
        base, k = (factor.base, factor.exp) if factor.is_Pow else (factor, 1)
        for function, power, sign, rewrite in _PAIRS:
            if isinstance(base, function) and k == power and not base.args[0].is_number:
                coefficient = term / factor
                partner = next((t for t in terms if t == sign * coefficient), None)
                if partner is not None:
                    return partner, coefficient * rewrite(base.args[0])
    return None


def logarithm(x: sp.Expr) -> sp.Expr:
    """log x, as log1p where x is 1 + something; log(1 - e^w) by the side of log 2 on which -w lies."""
    rest = x - 1
    if not x.is_Add or len(sp.Add.make_args(rest)) >= len(x.args):
        return _log_of_expm1(x) or sp.log(x)
    coefficient, power = rest.as_coeff_Mul()
    if coefficient == -1 and isinstance(power, sp.exp):
        return _log_one_minus_exp(power.args[0])
    return log1p(rest)


def _log_of_expm1(x: sp.Expr) -> sp.Expr | None:
    coefficient, factor = x.as_coeff_Mul()
    if coefficient == -1 and isinstance(factor, expm1):
        return _log_one_minus_exp(factor.args[0])
    return None


def _log_one_minus_exp(w: sp.Expr) -> sp.Expr:
    near = (sp.log(-expm1(w)), sp.Gt(w, -sp.Rational(7, 10)))
    return sp.Piecewise(near, (log1p(-sp.exp(w)), True), evaluate=False)


def _root_difference(total: sp.Expr) -> sp.Expr:
    """c*sqrt(A) + B as (c^2 A - B^2)/(c*sqrt(A) - B) where the new numerator is the shorter one."""
    if not total.is_Add:
        return total
    roots = [t for t in total.args if any(_is_root(f) for f in sp.Mul.make_args(t))]
    rest = total - sp.Add(*roots)
    if len(roots) != 1 or not rest or roots[0].could_extract_minus_sign() == rest.could_extract_minus_sign():
        return total
    try:
        within = algebra([roots[0] ** 2, rest])
        numer = to_fraction(roots[0] ** 2 - rest**2, within)
    except OutOfReachError:
        return total
    if len(numer.numer) > len(sp.Add.make_args(rest)) or len(numer.denom) > 1:
        return total
    return numer.as_expr(*within.variables) / (roots[0] - rest)


def _is_root(factor: sp.Expr) -> bool:
    return bool(factor.is_Pow and factor.exp is sp.S.Half and not factor.base.is_number)
