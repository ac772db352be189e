"""A scalar expression as a flat list of steps: what both evaluators walk.

Compiling costs one pass over the tree; every distinct subexpression becomes one step, so shared work
is done once. Products keep the shape in which printers write them: one numerator over one denominator.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import sympy as sp
from sympy.codegen.cfunctions import expm1, log1p
from sympy.core.numbers import NumberSymbol
from sympy.core.relational import Relational
from sympy.logic.boolalg import And, BooleanAtom, Not, Or

from ..errors import SymbackpropError

FUNCTIONS: dict[Any, str] = {
    sp.exp: "exp",
    sp.log: "log",
    expm1: "expm1",
    log1p: "log1p",
    sp.tanh: "tanh",
    sp.sinh: "sinh",
    sp.cosh: "cosh",
    sp.sin: "sin",
    sp.cos: "cos",
    sp.tan: "tan",
    sp.atan: "atan",
    sp.erf: "erf",
    sp.erfc: "erfc",
    sp.Abs: "abs",
    sp.sign: "sign",
    sp.floor: "floor",
    sp.ceiling: "ceiling",
    sp.Max: "max",
    sp.Min: "min",
}
"""Function nodes that the evaluators know, with the names of their steps."""

_CONNECTIVES = {And: "and", Or: "or", Not: "not"}


class UnknownNodeError(SymbackpropError, TypeError):
    """An expression holds a node that cannot be evaluated as a real scalar."""


@dataclass(frozen=True, slots=True)
class Step:
    """One operation: its name, the numbers of the steps that it reads, and a constant if it needs one."""

    name: str
    inputs: tuple[int, ...] = ()
    value: Any = None


@dataclass(frozen=True, slots=True)
class Tape:
    """The steps of one expression in the order of evaluation; the last one is the result."""

    steps: tuple[Step, ...]


@dataclass(slots=True)
class _Compiler:
    steps: list[Step] = field(default_factory=list)
    known: dict[Any, int] = field(default_factory=dict)

    def emit(self, name: str, *inputs: int, value: Any = None) -> int:
        key = (name, inputs, value)
        slot = self.known.get(key)
        if slot is None:
            slot = self.known[key] = len(self.steps)
            self.steps.append(Step(name, inputs, value))
        return slot

    def visit(self, node: sp.Basic) -> int:
        key = (type(node), node)
        slot = self.known.get(key)
        if slot is None:
            slot = self.known[key] = self._compile(node)
        return slot

    def _compile(self, node: sp.Basic) -> int:
        if node.is_Symbol:
            return self.emit("symbol", value=node)
        if node.is_Number or isinstance(node, NumberSymbol):
            return self.emit("constant", value=node)
        if node is sp.zoo:
            return self.emit("constant", value=sp.nan)
        if node.is_Add:
            return self.emit("add", *map(self.visit, node.args))
        if node.is_Mul:
            return self._product(node)
        if node.is_Pow:
            return self._power(node.base, node.exp)
        if node.func in FUNCTIONS:
            return self.emit(FUNCTIONS[node.func], *map(self.visit, node.args))
        return self._choice(node)

    def _product(self, node: sp.Mul) -> int:
        above: list[int] = []
        below: list[int] = []
        for factor in node.args:
            if factor.is_Pow and factor.exp.is_Rational and factor.exp.is_negative:
                below.append(self._power(factor.base, -factor.exp))
            else:
                above.append(self.visit(factor))
        top = self._multiply(above) if above else self.visit(sp.S.One)
        return self.emit("divide", top, self._multiply(below)) if below else top

    def _multiply(self, slots: list[int]) -> int:
        return slots[0] if len(slots) == 1 else self.emit("multiply", *slots)

    def _power(self, base: sp.Expr, exponent: sp.Expr) -> int:
        if exponent.is_Rational and exponent.is_negative:
            return self.emit("divide", self.visit(sp.S.One), self._power(base, -exponent))
        if exponent is sp.S.One:
            return self.visit(base)
        if exponent is sp.S.Half:
            return self.emit("sqrt", self.visit(base))
        if exponent.is_Integer:
            return self.emit("integer power", self.visit(base), value=int(exponent))
        return self.emit("power", self.visit(base), self.visit(exponent))

    def _choice(self, node: sp.Basic) -> int:
        if isinstance(node, BooleanAtom):
            return self.emit("truth", value=bool(node))
        if isinstance(node, Relational):
            return self.emit("compare", *map(self.visit, node.args), value=node.rel_op)
        if type(node) in _CONNECTIVES:
            return self.emit(_CONNECTIVES[type(node)], *map(self.visit, node.args))
        if isinstance(node, sp.ITE):
            return self.visit(node.to_nnf())
        if isinstance(node, sp.Piecewise):
            slots = [self.visit(part) for value, condition in node.args for part in (condition, value)]
            return self.emit("choose", *slots)
        raise UnknownNodeError(
            f"cannot evaluate {node} ({type(node).__name__}) as a real scalar; "
            f"known functions: {', '.join(sorted(FUNCTIONS.values()))}"
        )


def compile_tape(expr: sp.Expr) -> Tape:
    """The steps of `expr`; raises `UnknownNodeError` for a node outside the vocabulary."""
    compiler = _Compiler()
    last = compiler.visit(expr)
    steps = tuple(compiler.steps)
    return Tape(steps if last == len(steps) - 1 else (*steps, Step("copy", (last,))))
