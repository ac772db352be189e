"""What SymPy cannot know: the derivative of a kink, as data. Everything else SymPy derives.

| function | value of the derivative at the kink |
|---|---|
| max(a, b), min(a, b) | a number's, so relu'(0) = 0; of two tensors, that of the first by name (SymPy keeps no order) |
| min(1, max(-1, x)) | 0 at both ends, so for hard tanh and the hard sigmoid; hinge losses: 0 at the margin |
| abs(x) | sign(x), and sign(0) = 0 |
| sign(x), floor(x), ceiling(x) | 0 everywhere |
| where(c, a, b) | the derivative of the branch taken |
"""

from __future__ import annotations

from sympy import (
    ITE,
    Abs,
    Expr,
    Function,
    Integer,
    Max,
    Min,
    Number,
    Piecewise,
    ceiling,
    cos,
    erf,
    erfc,
    exp,
    floor,
    log,
    piecewise_fold,
    sign,
    simplify_logic,
    sin,
)
from sympy import cosh as sp_cosh
from sympy import sinh as sp_sinh
from sympy import tanh as sp_tanh
from sympy.codegen.cfunctions import expm1, log1p
from sympy.functions.elementary.trigonometric import atan

from ..errors import DerivationError

SUPPORTED = (
    Abs, Max, Min, Piecewise, sign, floor, ceiling, exp, log, sp_tanh, sp_sinh, sp_cosh, sin, cos, atan, erf, erfc,
    expm1, log1p,
)  # fmt: skip


class Flat(Function):  # type: ignore[misc]
    """A step function held constant while its surroundings are differentiated: `Flat_sign(x)`."""

    is_real = True

    def fdiff(self, argindex: int = 1) -> Expr:
        """Zero, by the table above."""
        return Integer(0)


class FlatSign(Flat):
    """sign, with derivative 0."""


class FlatFloor(Flat):
    """floor, with derivative 0."""


class FlatCeiling(Flat):
    """ceiling, with derivative 0."""


FLAT = {sign: FlatSign, floor: FlatFloor, ceiling: FlatCeiling}


def before_differentiation(expr: Expr) -> Expr:
    """`expr` with kinks written so that SymPy's derivative obeys the table."""
    return _map(expr, _open_kink)


def after_differentiation(expr: Expr) -> Expr:
    """The flat functions turned back into themselves, choices within choices made one."""
    back = {flat: original for original, flat in FLAT.items()}
    expr = _map(expr, lambda e: back[e.func](*e.args) if e.func in back else e)
    return _map(piecewise_fold(expr), _plain_conditions) if expr.has(ITE) else expr


def _plain_conditions(e: Expr) -> Expr:
    return Piecewise(*((v, simplify_logic(c)) for v, c in e.args)) if isinstance(e, Piecewise) else e


def is_supported(expr: Expr) -> bool:
    """Whether all functions in an expression have a derivative and a kernel here."""
    return all(isinstance(node, SUPPORTED) for node in expr.atoms(Function))


def check_supported(expr: Expr, name: str) -> None:
    """Raise `DerivationError` for a function in the equation of `name` that has no derivative or no kernel here."""
    for node in expr.atoms(Function):
        if not isinstance(node, SUPPORTED):
            known = ", ".join(sorted(f.__name__ for f in SUPPORTED))
            raise DerivationError(
                f"{name} = {expr}: {node} cannot be differentiated and compiled; the function {node.func} is unknown "
                f"here. Write it with: {known}"
            )


def _open_kink(e: Expr) -> Expr:
    if isinstance(e, (Max, Min)):
        first, *rest = sorted(e.args, key=lambda a: (not isinstance(a, Number), a.sort_key()))
        for other in rest:
            wins = other > first if isinstance(e, Max) else other < first
            first = Piecewise((other, wins), (first, True))
        return first
    return FLAT[e.func](*e.args) if e.func in FLAT else e


def _map(expr: Expr, rule: object) -> Expr:
    assert callable(rule)
    if not expr.args:
        return expr
    args = tuple(_map(a, rule) for a in expr.args)
    return rule(expr if all(a is b for a, b in zip(args, expr.args, strict=True)) else expr.func(*args))
