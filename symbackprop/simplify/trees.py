"""Small tools on scalar expression trees: exact replacement, canonical names, and two ways of counting."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import sympy as sp
from sympy.codegen.cfunctions import expm1, log1p
from sympy.core.numbers import NumberSymbol
from sympy.core.relational import Relational
from sympy.logic.boolalg import And, BooleanAtom, Not, Or

from .tape import FUNCTIONS

Table = Mapping[sp.Basic, sp.Basic]

_COSTS = {sp.tanh: 12, sp.sinh: 13, sp.cosh: 13, sp.erf: 14, sp.erfc: 14, sp.tan: 12, sp.atan: 12}
_COSTS |= {sp.Abs: 1, sp.sign: 1, sp.Max: 1, sp.Min: 1, sp.floor: 1, sp.ceiling: 1}
_LOGIC = (Relational, And, Or, Not, BooleanAtom)


def rebuild(node: sp.Basic, args: tuple[sp.Basic, ...]) -> sp.Basic:
    """`node` with other arguments; a number times a sum stays a product, a Piecewise stays as it is."""
    if isinstance(node, sp.Piecewise):
        return sp.Piecewise(*args, evaluate=False)
    if isinstance(node, Relational):
        return node.func(*args, evaluate=False)
    if node.is_Mul and len(args) == 2 and args[0].is_Number and args[1].is_Add:
        return sp.Mul(*args, evaluate=False)
    return node.func(*args)


def replace(expr: sp.Basic, table: Table) -> sp.Basic:
    """`expr` with every occurrence of a key of `table` replaced, outermost first; equal parts once."""
    done: dict[sp.Basic, sp.Basic] = {}

    def visit(node: sp.Basic) -> sp.Basic:
        if node in table:
            return table[node]
        if not node.args:
            return node
        result = done.get(node)
        if result is None:
            args = tuple(visit(a) for a in node.args)
            same = all(a is b for a, b in zip(args, node.args, strict=True))
            result = done[node] = node if same else rebuild(node, args)
        return result

    return visit(expr) if table else expr


def replace_values(expr: sp.Basic, table: Table) -> sp.Basic:
    """As `replace`, but the conditions of choices stay as they are."""
    kept: dict[sp.Basic, sp.Basic] = {}
    for node in subtrees(expr):
        if isinstance(node, Relational) and node not in kept:
            kept[node] = sp.Dummy("condition")
    back = {stand_in: node for node, stand_in in kept.items()}
    return replace(replace(replace(expr, kept), table), back) if kept else replace(expr, table)


def inline(expr: sp.Expr, definitions: Mapping[sp.Symbol, sp.Expr]) -> sp.Expr:
    """`expr` with defined symbols written out, definitions of definitions too."""
    for _ in range(len(definitions)):
        if not expr.free_symbols & definitions.keys():
            break
        expr = replace(expr, definitions)
    return expr


def subtrees(expr: sp.Basic) -> Iterator[sp.Basic]:
    """Every distinct node of the tree, parents before children, in a fixed order."""
    seen = {expr}
    stack = [expr]
    while stack:
        node = stack.pop()
        yield node
        for arg in reversed(node.args):
            if arg not in seen:
                seen.add(arg)
                stack.append(arg)


def is_evaluable(node: sp.Basic) -> bool:
    """Whether the evaluators know this kind of node."""
    if node.is_Symbol or node.is_Number or node.is_Add or node.is_Mul or node.is_Pow:
        return True
    known = isinstance(node, (NumberSymbol, sp.Piecewise, sp.functions.elementary.piecewise.ExprCondPair, *_LOGIC))
    return known or node.func in FUNCTIONS


def hide_unknown(expr: sp.Expr, table: dict[sp.Basic, sp.Basic]) -> sp.Expr:
    """`expr` with nodes outside the vocabulary replaced by real symbols; `table` gets what they stand for."""

    def visit(node: sp.Basic) -> sp.Basic:
        if not is_evaluable(node):
            if node not in table:
                table[node] = sp.Dummy("opaque", real=True)
            return table[node]
        if not node.args:
            return node
        args = tuple(visit(a) for a in node.args)
        return node if all(a is b for a, b in zip(args, node.args, strict=True)) else rebuild(node, args)

    return visit(expr)


def above_zero(x: sp.Expr) -> sp.Basic:
    """The condition x > 0 without the positive numbers that x is a multiple of."""
    rest = sp.Mul(*(f for f in sp.Mul.make_args(x) if not (f.is_number and f.is_positive)))
    return sp.Gt(rest, 0, evaluate=False) if rest.has(sp.Piecewise) else sp.Gt(rest, 0)


@dataclass(frozen=True, slots=True)
class Renaming:
    """Canonical symbols by order of first appearance, so that equal shapes meet in a cache."""

    forward: dict[sp.Basic, sp.Basic]
    back: dict[sp.Basic, sp.Basic]


def renaming(*exprs: sp.Basic) -> Renaming:
    """The canonical names x0, x1, ... of the symbols of `exprs`; assumptions are kept."""
    forward: dict[sp.Basic, sp.Basic] = {}
    for expr in exprs:
        for node in subtrees(expr):
            if node.is_Symbol and node not in forward:
                assumptions = {"real": True} | dict(node._assumptions_orig)
                forward[node] = sp.Symbol(f"x{len(forward)}", **assumptions)
    return Renaming(forward, {new: old for old, new in forward.items()})


def operations(expr: sp.Basic) -> int:
    """The operations that a reader counts: + - * / powers and functions, one each; a step function is one."""
    if expr.is_Symbol or expr.is_Number or isinstance(expr, NumberSymbol):
        return int(expr.is_Number and expr.is_negative)
    if expr.is_Add:
        positive = [sp.Mul(-1, a) if a.could_extract_minus_sign() else a for a in expr.args]
        all_negative = all(a.could_extract_minus_sign() for a in expr.args)
        return len(expr.args) - 1 + int(all_negative) + sum(map(operations, positive))
    if expr.is_Mul:
        return _product_operations(expr)
    if expr.is_Pow:
        if expr.exp.is_Number and expr.exp.is_negative:
            logistic = logistic_argument(expr)
            if logistic is not None:
                return int(expr.exp != -1) + 1 + operations(logistic)
            return 1 + operations(sp.Pow(expr.base, -expr.exp))
        return 1 + operations(expr.base) + (0 if expr.exp.is_Rational else operations(expr.exp))
    if isinstance(expr, sp.Piecewise):
        return 1 + sum(operations(value) for value, _ in expr.args)
    return 1 + sum(map(operations, expr.args))


def logistic_argument(expr: sp.Expr) -> sp.Expr | None:
    """z where `expr` is 1/(1 + e^-z) to some power: a function by itself on paper; else None."""
    if expr.is_Pow and expr.exp.is_Integer and expr.exp.is_negative and expr.base.is_Add and len(expr.base.args) == 2:
        one, other = expr.base.args if expr.base.args[0].is_Number else expr.base.args[::-1]
        if one is sp.S.One and isinstance(other, sp.exp):
            return -other.args[0]
    return None


def _product_operations(expr: sp.Mul) -> int:
    coefficient, rest = expr.as_coeff_Mul()
    above, below, total = 0, 0, int(coefficient.is_negative)
    if coefficient.is_Rational:
        above, below = int(abs(coefficient.p) != 1), int(coefficient.q != 1)
    else:
        above = 1
    for factor in sp.Mul.make_args(rest):
        if logistic_argument(factor) is not None:
            above += 1
            total += operations(factor)
        elif factor.is_Pow and factor.exp.is_Rational and factor.exp.is_negative:
            below += 1
            inverse = sp.Pow(factor.base, -factor.exp)
            total += operations(inverse)
        else:
            above += 1
            total += operations(factor)
    return total + max(above - 1, 0) + below


def cost(expr: sp.Basic) -> int:
    """What computing takes: every distinct part once, arithmetic 1, square roots 4, transcendentals 10 and more."""
    return sum(_node_cost(node) for node in subtrees(expr))


def _node_cost(node: sp.Basic) -> int:
    if node.is_Symbol or node.is_Number or isinstance(node, (NumberSymbol, BooleanAtom)):
        return 0
    if node.is_Add or node.is_Mul:
        return len(node.args) - 1 - int(node.is_Mul and node.args[0] is sp.S.NegativeOne)
    if node.is_Pow:
        if node.base.is_Number:
            return 0 if node.exp.is_Number else 20
        if node.exp.is_Integer:
            return 1 + int(int(node.exp) < -1)
        return 4 if node.exp.is_Rational and node.exp.q == 2 else 20
    if isinstance(node, sp.Piecewise):
        return len(node.args) - 1
    if isinstance(node, (*_LOGIC, sp.functions.elementary.piecewise.ExprCondPair)):
        return int(isinstance(node, Relational))
    return _COSTS.get(node.func, 10)


TRANSCENDENTAL = frozenset(
    {sp.exp, sp.log, sp.tanh, sp.sinh, sp.cosh, sp.sin, sp.cos, sp.tan, sp.atan, sp.erf, sp.erfc, expm1, log1p}
)
"""Function nodes that may overflow or lose digits by themselves."""
