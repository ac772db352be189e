"""Arithmetic on numbers with an error bound: the operations of the reference evaluation.

A ball is an mpmath number in raw form and an integer E: the truth lies within 2^E of it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from mpmath import libmp

EXACT = -(1 << 80)
"""The error exponent of a number without error."""
_LARGEST_EXPONENT = 512

Raw = tuple[int, int, int, int]
Function = Callable[[Raw, int, str], Raw]


@dataclass(frozen=True, slots=True)
class Ball:
    """A number and the base-2 exponent of its error bound."""

    value: Raw
    error: int


Operation = Callable[[list[Ball], int], Ball]


class TooCoarseError(ArithmeticError):
    """The precision does not suffice to go on."""


class UndefinedError(ArithmeticError):
    """The expression has no finite real value here: a logarithm of a negative number, a division by zero."""


def size(value: Raw) -> int:
    """n with |value| < 2^n, and at least half of that; far below everything for 0."""
    return value[2] + value[3] if value[1] else EXACT


def _above(ball: Ball) -> int:
    """n with |truth| < 2^n."""
    return max(size(ball.value), ball.error) + 1


def rounded(value: Raw, bits: int, *errors: int) -> Ball:
    """A ball around a rounded value: the errors of the inputs, and the rounding."""
    return Ball(value, max(size(value) - bits, *errors) + 2)


def _is_zero(ball: Ball) -> bool:
    return not ball.value[1] and ball.error == EXACT


def _is_exact_sum(inputs: list[Ball], bits: int) -> bool:
    if any(b.error != EXACT for b in inputs):
        return False
    spread = [(size(b.value), b.value[2]) for b in inputs if b.value[1]]
    return not spread or max(top for top, _ in spread) - min(low for _, low in spread) + len(inputs) <= bits


def _add(inputs: list[Ball], bits: int) -> Ball:
    total, error = inputs[0].value, inputs[0].error
    for ball in inputs[1:]:
        total = libmp.mpf_add(total, ball.value, bits, "n")
        error = max(error, ball.error, size(total) - bits) + 1
    return Ball(total, EXACT if _is_exact_sum(inputs, bits) else error)


def _multiply(inputs: list[Ball], bits: int) -> Ball:
    first = inputs[0]
    for second in inputs[1:]:
        if _is_zero(first) or _is_zero(second):
            return Ball(libmp.fzero, EXACT)
        value = libmp.mpf_mul(first.value, second.value, bits, "n")
        if first.error == second.error == EXACT and first.value[3] + second.value[3] <= bits:
            first = Ball(value, EXACT)
        else:
            first = rounded(value, bits, first.error + _above(second), second.error + _above(first))
    return first


def _relative(ball: Ball) -> int:
    """The exponent of the relative error; the value must be known to be away from 0."""
    if not ball.value[1]:
        raise UndefinedError if ball.error == EXACT else TooCoarseError
    relative = ball.error - size(ball.value) + 1
    if relative > -4:
        raise TooCoarseError
    return relative


def _divide(inputs: list[Ball], bits: int) -> Ball:
    above, below = inputs
    relative = _relative(below)
    value = libmp.mpf_div(above.value, below.value, bits, "n")
    return rounded(value, bits, above.error - size(below.value) + 2, size(value) + relative)


def integer_power(base: Ball, n: int, bits: int) -> Ball:
    """`base`^n for n > 0."""
    value = libmp.mpf_pow_int(base.value, n, bits, "n")
    if base.error == EXACT and base.value[3] * n <= bits:
        return Ball(value, EXACT)
    return rounded(value, bits, base.error + (n - 1) * _above(base) + n.bit_length())


def _positive(ball: Ball) -> int:
    relative = _relative(ball)
    if ball.value[0]:
        raise UndefinedError
    return relative


def _sqrt(inputs: list[Ball], bits: int) -> Ball:
    if not inputs[0].value[1]:
        return Ball(libmp.fzero, inputs[0].error // 2 + 1 if inputs[0].error != EXACT else EXACT)
    relative = _positive(inputs[0])
    value = libmp.mpf_sqrt(inputs[0].value, bits, "n")
    return rounded(value, bits, size(value) + relative)


def _power(inputs: list[Ball], bits: int) -> Ball:
    base, exponent = inputs
    if _is_zero(base) and exponent.value[1] and not exponent.value[0]:
        return Ball(libmp.fzero, EXACT)
    extra = 16 + max(size(exponent.value), 0)
    return _exp([_multiply([exponent, _log([base], bits + extra)], bits + extra)], bits)


def _exp(inputs: list[Ball], bits: int) -> Ball:
    (x,) = inputs
    if _is_zero(x):
        return Ball(libmp.fone, EXACT)
    if size(x.value) > _LARGEST_EXPONENT:
        if x.value[0]:
            return Ball(libmp.fzero, -(1 << 40))
        raise UndefinedError
    if x.error > -2:
        raise TooCoarseError
    value = libmp.mpf_exp(x.value, bits, "n")
    return rounded(value, bits, x.error + size(value) + 1)


def _itself(x: Ball) -> Ball:
    """f(x) where f(x) = x + O(x^2) and x is very small."""
    return Ball(x.value, max(x.error, 2 * size(x.value)) + 1) if x.value[1] else x


def _expm1(inputs: list[Ball], bits: int) -> Ball:
    (x,) = inputs
    if size(x.value) < -bits:
        return _itself(x)
    wide = bits + max(0, -size(x.value)) + 8
    return _add([_exp(inputs, wide), Ball(libmp.fnone, EXACT)], bits)


def _log(inputs: list[Ball], bits: int) -> Ball:
    if inputs[0] == Ball(libmp.fone, EXACT):
        return Ball(libmp.fzero, EXACT)
    relative = _positive(inputs[0])
    return rounded(libmp.mpf_log(inputs[0].value, bits, "n"), bits, relative + 1)


def _log1p(inputs: list[Ball], bits: int) -> Ball:
    (x,) = inputs
    if size(x.value) < -bits:
        return _itself(x)
    wide = bits + max(0, -size(x.value)) + 8
    return _log([_add([Ball(libmp.fone, EXACT), x], wide)], bits)


def _bounded(function: Function, largest: float = math.inf, saturates: bool = False) -> Operation:
    """A function of slope at most 2; of an angle beyond 2^largest none is known; beyond 2^64 it may have an end."""

    def apply(inputs: list[Ball], bits: int) -> Ball:
        x = inputs[0]
        if size(x.value) > largest:
            raise UndefinedError
        if saturates and x.error + 1 < size(x.value) > 64:
            x = Ball(libmp.mpf_shift(libmp.from_int(-1 if x.value[0] else 1), 64), EXACT)
        value = function(x.value, bits, "n")
        return Ball(value, EXACT) if _is_zero(x) else rounded(value, bits, x.error + 1)

    return apply


def _hyperbolic(function: Function) -> Operation:
    def apply(inputs: list[Ball], bits: int) -> Ball:
        (x,) = inputs
        if x.error > -2 or size(x.value) > _LARGEST_EXPONENT:
            raise TooCoarseError if x.error > -2 else UndefinedError
        value = function(x.value, bits, "n")
        return Ball(value, EXACT) if _is_zero(x) else rounded(value, bits, x.error + max(size(value), 0) + 2)

    return apply


def _erfc(inputs: list[Ball], bits: int) -> Ball:
    (x,) = inputs
    value = libmp.mpf_erfc(x.value, bits, "n")
    steep = size(value) + max(size(x.value), 0) + 3
    settled = x.error + size(x.value) < -4
    return rounded(value, bits, x.error + (min(steep, 1) if settled else 1))


def _tan(inputs: list[Ball], bits: int) -> Ball:
    return _divide([OPERATIONS["sin"](inputs, bits), OPERATIONS["cos"](inputs, bits)], bits)


def _abs(inputs: list[Ball], bits: int) -> Ball:
    return Ball(libmp.mpf_abs(inputs[0].value), inputs[0].error)


def _sign(inputs: list[Ball], bits: int) -> Ball:
    return Ball(libmp.from_int(_sign_of(inputs[0])), EXACT)


def _sign_of(ball: Ball) -> int:
    if _is_zero(ball):
        return 0
    _relative(ball)
    return -1 if ball.value[0] else 1


def _floor(inputs: list[Ball], bits: int) -> Ball:
    (x,) = inputs
    value = libmp.mpf_floor(x.value)
    if x.error != EXACT:
        low, high = (libmp.mpf_shift(libmp.from_int(s), x.error) for s in (-1, 1))
        for edge in (low, high):
            if libmp.mpf_floor(libmp.mpf_add(x.value, edge)) != value:
                raise TooCoarseError
    return Ball(value, EXACT)


def _ceiling(inputs: list[Ball], bits: int) -> Ball:
    (x,) = inputs
    below = _floor([Ball(libmp.mpf_neg(x.value), x.error)], bits)
    return Ball(libmp.mpf_neg(below.value), EXACT)


def _extreme(sign: int) -> Operation:
    def apply(inputs: list[Ball], bits: int) -> Ball:
        best = inputs[0]
        for ball in inputs[1:]:
            if libmp.mpf_cmp(ball.value, best.value) * sign > 0:
                best = ball
        return Ball(best.value, max(b.error for b in inputs))

    return apply


def compare(left: Ball, right: Ball, relation: str) -> bool:
    """Whether the relation (as SymPy spells it) holds; raises `TooCoarseError` where that cannot be told."""
    difference = _sign_of(_add([left, Ball(libmp.mpf_neg(right.value), right.error)], 64))
    table = {
        "==": difference == 0,
        "!=": difference != 0,
        ">": difference > 0,
        ">=": difference >= 0,
        "<": difference < 0,
        "<=": difference <= 0,
    }
    return table[relation]


OPERATIONS: dict[str, Operation] = {
    "add": _add,
    "multiply": _multiply,
    "divide": _divide,
    "sqrt": _sqrt,
    "power": _power,
    "exp": _exp,
    "expm1": _expm1,
    "log": _log,
    "log1p": _log1p,
    "tanh": _bounded(libmp.mpf_tanh, saturates=True),
    "sinh": _hyperbolic(libmp.mpf_sinh),
    "cosh": _hyperbolic(libmp.mpf_cosh),
    "sin": _bounded(libmp.mpf_sin, largest=_LARGEST_EXPONENT),
    "cos": _bounded(libmp.mpf_cos, largest=_LARGEST_EXPONENT),
    "tan": _tan,
    "atan": _bounded(libmp.mpf_atan),
    "erf": _bounded(libmp.mpf_erf, saturates=True),
    "erfc": _erfc,
    "abs": _abs,
    "sign": _sign,
    "floor": _floor,
    "ceiling": _ceiling,
    "max": _extreme(1),
    "min": _extreme(-1),
}
