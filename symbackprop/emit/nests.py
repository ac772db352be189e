"""The loops of a kernel in C, with the limits that keep them inside what is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..language.nodes import Index
from ..lower.limits import Limit
from ..lower.positions import Position
from .integers import Integers


@dataclass(frozen=True, slots=True)
class Local:
    """A named value inside the loops, or a scalar before them."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Loop:
    """`for (index = start; index < extent; index += ...)`; `before` are values that the limits need."""

    index: str
    extent: str
    start: str = "0"
    step: str = "++"
    before: tuple[Local, ...] = ()


def extent_of(index: Index) -> str:
    """The size of an index's dimension in C."""
    assert index.dim is not None
    return index.dim.name if index.dim.size is None else str(index.dim.size)


def limited_loops(
    indices: Sequence[Index], limits: Sequence[Limit], letters: Mapping[Index, str], integers: Integers
) -> tuple[Loop, ...]:
    """The loops over `indices`, each with the limits that are about it."""
    return tuple(_loop(i, [x for x in limits if x.index == i], letters[i], integers) for i in indices)


def _loop(index: Index, limits: Sequence[Limit], letter: str, integers: Integers) -> Loop:
    size = extent_of(index)
    if not limits:
        return Loop(letter, size)
    start, end = "0", size
    for limit in limits:
        low, high = _range(limit, integers)
        start = start if low is None else f"{low} > {_tight(start)} ? {low} : {start}"
        end = end if high is None else f"{high} < {_tight(end)} ? {high} : {end}"
    before = []
    if start != "0":
        before.append(Local(f"{letter}_first_", start))
        start = f"{letter}_first_"
    if end != size:
        before.append(Local(f"{letter}_end_", end))
        end = f"{letter}_end_"
    whole = next((x for x in limits if x.test.whole), None)
    if whole is None:
        return Loop(letter, end, start, "++", tuple(before))
    before.append(Local(f"{letter}_start_", _first_whole(whole, start, integers)))
    return Loop(letter, end, f"{letter}_start_", f" += {whole.position.divisor}", tuple(before))


def _range(limit: Limit, integers: Integers) -> tuple[str | None, str | None]:
    """The first value of an index, and the one after the last, for 0 <= factor*index + rest <= top."""
    factor = limit.position.factor(limit.index)
    rest, top = _rest(limit), (limit.test.size - 1) * limit.position.divisor
    least = _minus(rest) if factor > 0 else _plus(rest, -top)  # index*|factor| is at least this
    most = _plus(_minus(rest), top) if factor > 0 else rest  # and at most this
    wants_least = limit.test.low if factor > 0 else limit.test.high
    wants_most = limit.test.high if factor > 0 else limit.test.low
    step = abs(factor)
    low = integers.numerator(least) if wants_least else None
    if low is not None and step > 1:
        low = f"({low} > 0 ? ({integers.numerator(_plus(least, step - 1))})/{step} : 0)"
    if not wants_most:
        return low, None
    if step == 1:
        return low, integers.numerator(_plus(most, 1))
    high = integers.numerator(most)
    return low, f"({high} >= 0 ? ({high})/{step} + 1 : 0)"


def _first_whole(limit: Limit, start: str, integers: Integers) -> str:
    """The first value from `start` on at which factor*index + rest is a multiple of the divisor."""
    divisor, factor = limit.position.divisor, limit.position.factor(limit.index)
    inverse = pow(-factor, -1, divisor)
    rest = _rest(limit)
    scaled = Position(tuple((a, c * inverse % divisor) for a, c in rest.terms), rest.constant * inverse % divisor, 1)
    wanted = integers.numerator(Position(tuple((a, c) for a, c in scaled.terms if c), scaled.constant, 1))
    if start == "0":
        return f"({wanted})%{divisor}"
    return f"{start} + (({wanted} - {start})%{divisor} + {divisor})%{divisor}"


def _tight(text: str) -> str:
    return f"({text})" if " " in text else text


def _rest(limit: Limit) -> Position:
    terms = tuple((a, c) for a, c in limit.position.terms if a != limit.index)
    return Position(terms, limit.position.constant, 1)


def _minus(p: Position) -> Position:
    return Position(tuple((a, -c) for a, c in p.terms), -p.constant, 1)


def _plus(p: Position, number: int) -> Position:
    return Position(p.terms, p.constant + number, 1)
