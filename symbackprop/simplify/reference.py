"""The true value of an expression: multiple precision with an error bound carried through every operation.

Where the bound of the result is too wide the precision is raised, so that exp(-20000) beside a 1 is seen when
it matters, and only then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sympy as sp
from mpmath import libmp, mpf

from .balls import (
    EXACT,
    OPERATIONS,
    Ball,
    Raw,
    TooCoarseError,
    UndefinedError,
    compare,
    integer_power,
    rounded,
    size,
)
from .tape import Step, Tape, compile_tape

FIRST_BITS = 128
LAST_BITS = 1 << 15
_SMALLEST_ERROR = -150


class Unresolved:
    """The value of a point that needs more precision than allowed."""


UNRESOLVED = Unresolved()


def reference(
    expr: sp.Expr, env: Mapping[sp.Symbol, Sequence[float]], digits: int = 20, limit: int = LAST_BITS
) -> list[mpf | None]:
    """The values of `expr` at the points of `env` (one sequence a symbol, all of one length).

    Each is right to `digits` decimal digits, or to 1e-45 absolutely; None where the expression is undefined
    or needs more than `limit` bits.
    """
    return [None if v is UNRESOLVED else v for v in resolve(expr, env, digits, limit)]


def resolve(
    expr: sp.Expr, env: Mapping[sp.Symbol, Sequence[float]], digits: int, limit: int
) -> list[mpf | Unresolved | None]:
    """As `reference`, with `UNRESOLVED` where `limit` bits are too few; equal points are computed once."""
    tape = compile_tape(expr)
    symbols = [step.value for step in tape.steps if step.name == "symbol"]
    count = max((len(values) for values in env.values()), default=1)
    known: dict[tuple[float, ...], mpf | Unresolved | None] = {}
    results = []
    for i in range(count):
        point = tuple(env[s][i] for s in symbols)
        if point not in known:
            known[point] = _at(dict(zip(symbols, point, strict=True)), tape, digits, limit)
        results.append(known[point])
    return results


def _at(point: Mapping[sp.Symbol, float], tape: Tape, digits: int, limit: int) -> mpf | Unresolved | None:
    wanted = int(digits * 3.33) + 2
    bits, done = max(FIRST_BITS, 2 * wanted), 0
    while done < bits:
        done = bits
        try:
            ball = _run(tape, point, bits)
        except TooCoarseError:
            bits = min(4 * bits, limit)
            continue
        except UndefinedError:
            return None
        missing = ball.error - max(size(ball.value) - wanted, _SMALLEST_ERROR)
        if missing <= 0:
            return _number(ball.value)
        bits = min(max(2 * bits, bits + missing + 64), limit)
    return UNRESOLVED


def _number(value: Raw) -> mpf:
    """The mpmath number of a raw value, whatever mpmath's working precision is."""
    number = mpf()
    number._mpf_ = value
    return number


def _run(tape: Tape, point: Mapping[sp.Symbol, float], bits: int) -> Ball:
    values: list[Any] = []
    for step in tape.steps:
        inputs = [values[i] for i in step.inputs]
        values.append(_apply(step, inputs, point, bits))
    result = values[-1]
    if isinstance(result, ArithmeticError):
        raise result
    return result  # type: ignore[no-any-return]


def _apply(step: Step, inputs: list[Any], point: Mapping[sp.Symbol, float], bits: int) -> Any:
    """One step; a failure is a value too, since the branch that fails may not be chosen."""
    if step.name == "choose":
        return _choose(inputs)
    for value in inputs:
        if isinstance(value, ArithmeticError):
            return value
    try:
        if step.name == "symbol":
            return Ball(libmp.from_float(float(point[step.value])), EXACT)
        if step.name == "constant":
            return _constant(step.value, bits)
        if step.name == "compare":
            return compare(inputs[0], inputs[1], step.value)
        if step.name == "integer power":
            return integer_power(inputs[0], step.value, bits)
        return OPERATIONS[step.name](inputs, bits) if step.name in OPERATIONS else _logic(step, inputs)
    except (TooCoarseError, UndefinedError) as error:
        return error
    except ArithmeticError:
        return UndefinedError()


def _constant(value: sp.Expr, bits: int) -> Ball:
    """A SymPy number, rounded only where it must be."""
    if value.is_Integer:
        return Ball(libmp.from_int(int(value)), EXACT)
    if value.is_Rational:
        return rounded(libmp.from_rational(int(value.p), int(value.q), bits, "n"), bits, EXACT)
    if value.is_Float:
        return Ball(value._mpf_, EXACT)
    if not value.is_finite:
        raise UndefinedError
    return rounded(value._eval_evalf(bits + 8)._mpf_, bits, EXACT)


def _choose(inputs: list[Any]) -> Any:
    for condition, value in zip(inputs[::2], inputs[1::2], strict=True):
        if isinstance(condition, ArithmeticError):
            return condition
        if condition:
            return value
    return UndefinedError()


def _logic(step: Step, inputs: list[Any]) -> Any:
    if step.name == "truth":
        return step.value
    if step.name == "not":
        return not inputs[0]
    if step.name == "copy":
        return inputs[0]
    return all(inputs) if step.name == "and" else any(inputs)
