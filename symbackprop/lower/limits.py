"""Tests that hold for a range of a loop's index become the loop's own limits: what vanishes outside is not visited."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from sympy import Expr, Mul

from ..language.brackets import Inside
from ..language.nodes import Index, Lowest, Padded
from .positions import Position, Test, position, tests_of
from .program import ARGMAX, MAX, SUM, Statement, Where


@dataclass(frozen=True, slots=True)
class Limit:
    """0 <= position < size, asked of one loop: a range of its index, every so many of them where `test.whole`."""

    index: Index
    position: Position
    test: Test


def limits_of(s: Statement, loops: Sequence[Index], free: Sequence[Index]) -> tuple[Limit, ...]:
    """The limits of those of a reduction's `loops` (outermost first) that may leave places out, those in `free`."""
    made: list[Limit] = []
    stepped: set[Index] = set()
    for test in dict.fromkeys(_vanishing(s)):
        where = position(test.position)
        if not all(isinstance(atom, Index) for atom, _ in where.terms):
            continue
        last = max((atom for atom, _ in where.terms), key=loops.index)
        if last not in free:
            continue
        if test.whole and (last in stepped or math.gcd(where.factor(last), where.divisor) > 1):
            continue
        if test.whole:
            stepped.add(last)
        made.append(Limit(last, where, test))
    return tuple(made)


def _vanishing(s: Statement) -> list[Test]:
    """The tests without which a term of the reduction counts nothing."""
    if s.op in (MAX, ARGMAX):
        return list(tests_of(s.body)) if isinstance(s.body, Lowest) else []
    found: list[Test] = []
    if s.op == SUM:
        for factor in _factors(s.body):
            if isinstance(factor, Padded | Inside):
                found += tests_of(factor)
    return found


def _factors(body: Expr) -> list[Expr]:
    if isinstance(body, Where):
        return [*_factors(body.args[0]), *body.args[1:]]
    return list(Mul.make_args(body))
