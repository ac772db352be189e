"""Values of a SymPy expression on arrays, found by walking its tree: nothing is compiled or evaluated as text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any

import numpy as np
import sympy
from sympy.core.relational import Relational

from ..errors import DeclarationError

Array = np.ndarray[Any, Any]
SYMBOLS = ("t", "e")

_FUNCTIONS: dict[Any, Callable[..., Any]] = {
    sympy.exp: np.exp,
    sympy.log: np.log,
    sympy.sin: np.sin,
    sympy.cos: np.cos,
    sympy.tan: np.tan,
    sympy.sinh: np.sinh,
    sympy.cosh: np.cosh,
    sympy.tanh: np.tanh,
    sympy.atan: np.arctan,
    sympy.Abs: np.abs,
    sympy.sign: np.sign,
    sympy.floor: np.floor,
    sympy.ceiling: np.ceil,
    sympy.Mod: np.mod,
    sympy.Pow: np.power,
    sympy.Not: np.logical_not,
}
_FOLDS: dict[Any, Callable[..., Any]] = {
    sympy.Add: np.add,
    sympy.Mul: np.multiply,
    sympy.Max: np.maximum,
    sympy.Min: np.minimum,
    sympy.And: np.logical_and,
    sympy.Or: np.logical_or,
}
_RELATIONS: dict[str, Callable[..., Any]] = {
    ">": np.greater,
    ">=": np.greater_equal,
    "<": np.less,
    "<=": np.less_equal,
    "==": np.equal,
    "!=": np.not_equal,
}


def check(expr: sympy.Expr) -> sympy.Expr:
    """`expr` if it can be evaluated at symbols t and e alone, else a `DeclarationError`."""
    stray = sorted(str(s) for s in expr.free_symbols if str(s) not in SYMBOLS)
    if stray:
        raise DeclarationError(
            f"the schedule {expr} holds {', '.join(stray)}; it may only use the symbols t (the step) and e (the "
            'epoch), both from 1: t, e = sympy.symbols("t e")'
        )
    with np.errstate(all="ignore"):
        evaluate(expr, dict.fromkeys(SYMBOLS, np.ones(1)))
    return expr


def evaluate(expr: Any, values: Mapping[str, Array]) -> Any:
    """`expr` with arrays, or numbers, for the symbols of these names; float64."""

    def walk(node: Any) -> Any:
        if isinstance(node, sympy.Symbol):
            return np.asarray(values[node.name], dtype=np.float64)
        if isinstance(node, (sympy.logic.boolalg.BooleanTrue, sympy.logic.boolalg.BooleanFalse)):
            return np.bool_(bool(node))
        if isinstance(node, sympy.Expr) and node.is_number:
            return _number(node)
        if isinstance(node, sympy.Piecewise):
            made: Any = np.nan
            for value, condition in reversed(node.args):
                made = np.where(walk(condition), walk(value), made)
            return made
        if isinstance(node, Relational) and node.rel_op in _RELATIONS:
            return _RELATIONS[node.rel_op](walk(node.lhs), walk(node.rhs))
        if node.func in _FUNCTIONS:
            return _FUNCTIONS[node.func](*map(walk, node.args))
        if node.func in _FOLDS:
            return reduce(_FOLDS[node.func], map(walk, node.args))
        raise DeclarationError(
            f"a schedule's expression cannot hold {type(node).__name__} ({node}); use arithmetic, powers, exp, log, "
            "trigonometric functions, Abs, Min, Max, floor, Mod and Piecewise"
        )

    with np.errstate(all="ignore"):
        return walk(expr)


def _number(node: sympy.Expr) -> np.float64:
    value = node.evalf(20)
    if not value.is_Float and not value.is_Rational:
        return np.float64(np.inf if value == sympy.oo else -np.inf if value == -sympy.oo else np.nan)
    return np.float64(float(value))
