"""The value of a formula, by the conventions of linear algebra, or of index notation where there are indices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np

from tests.document.judge.functions import CHOICES, COMPARE, ENTRYWISE, of_matrix
from tests.document.judge.grammar import Grammar
from tests.document.judge.lines import UnreadableError
from tests.document.judge.scope import Letter, Names, is_index
from tests.document.judge.tree import (
    Call,
    Cases,
    Compared,
    Entrywise,
    Iverson,
    Joined,
    Modulo,
    Node,
    Number,
    Ones,
    Power,
    Product,
    Quotient,
    Running,
    Sum,
    Symbol,
    Transposed,
)
from tests.document.judge.values import (
    ONES,
    SCALAR,
    Spreading,
    Value,
    closed,
    entrywise,
    mapped,
    times,
    transposed,
    value,
)

Array = Any
CONSTANTS = {r"\pi": np.pi}


@dataclass(frozen=True)
class Conventions:
    """What a document tells its reader once: where a column beside a matrix stands, and the axis of the samples."""

    spreading: Spreading
    samples: int


class Evaluator:
    """One formula. `letters` are the indices in sight, each with its size, in the order of their axes."""

    def __init__(self, names: Names, conventions: Conventions, sizes: Mapping[Letter, int]) -> None:
        self.names, self.conventions, self.sizes = names, conventions, sizes
        self.letters: dict[str, int] = {}
        self.beyond = 0.0

    def of(self, node: Node) -> Value:
        made: Value = getattr(self, f"_{type(node).__name__.lower()}")(node)
        return made

    def array(self, node: Node) -> Array:
        """A scalar for every place of the letters in sight."""
        made = self.of(node)
        if made.kind != SCALAR:
            raise UnreadableError(f"a {made.kind} where a number is meant")
        return made.data

    def both(self, left: Value, right: Value, function: Any) -> Value:
        return entrywise(left, right, function, self.conventions.spreading)

    def entries(self, letters: Mapping[str, int], node: Node) -> Array:
        """The values of a formula in which letters are seen, with an axis for each of them at the end."""
        outside = self.letters
        self.letters = {**outside, **letters}
        made = np.broadcast_to(self.array(node), tuple(self.letters.values()))
        self.letters = outside
        return made

    def _number(self, node: Number) -> Value:
        return Value(SCALAR, np.float64(node.value))

    def _ones(self, node: Ones) -> Value:
        if self.letters:
            raise UnreadableError("a column of ones among indices")
        return ONES

    def _symbol(self, node: Symbol) -> Value:
        if is_index(node, self.letters):
            axis = list(self.letters).index(node.base)
            shape = [size if place == axis else 1 for place, size in enumerate(self.letters.values())]
            return Value(SCALAR, np.arange(float(self.letters[node.base])).reshape(shape))
        if node.base == "e" and node.above and not node.below and "e" not in self.names.arrays:
            return mapped(self.of(Grammar(node.above, self.names.arrays).whole()), np.exp)
        if node.base in CONSTANTS and node.base not in self.names.arrays and not (node.below or node.above):
            return Value(SCALAR, np.float64(CONSTANTS[node.base]))
        reading, places = self.names.find(node, indexed=bool(self.letters))
        made = value(self.names.arrays[reading.key]) if not places else self.entry(reading.key, places)
        if reading.power:
            exponent = self.of(Grammar(reading.power, self.names.arrays).whole())
            made = self.power(made, exponent, reading.entrywise)
        return transposed(made) if reading.transposed else made

    def entry(self, key: str, places: tuple[Node, ...]) -> Value:
        """Entries; beyond the ends and between whole numbers what is read there, or NaN where nothing may be."""
        array = np.asarray(self.names.arrays[key], float)
        outside, beyond = self.beyond, self.beyond if key in self.names.padded else np.nan
        self.beyond = 0.0
        indices = np.broadcast_arrays(*(self.array(place) for place in places))
        self.beyond = outside
        inside = np.ones(indices[0].shape, bool)
        for index, size in zip(indices, array.shape, strict=True):
            inside &= (index >= 0) & (index < size) & (index == np.floor(index))
        read = array[tuple(np.where(inside, index, 0).astype(int) for index in indices)]
        return Value(SCALAR, np.where(inside, read, beyond))

    def _sum(self, node: Sum) -> Value:
        made = self.of(node.terms[0])
        made = made if node.signs[0] > 0 else mapped(made, np.negative)
        for sign, term in zip(node.signs[1:], node.terms[1:], strict=True):
            made = self.both(made, self.of(term), np.add if sign > 0 else np.subtract)
        return made

    def _entrywise(self, node: Entrywise) -> Value:
        made = self.of(node.factors[0])
        for sign, factor in zip(node.signs, node.factors[1:], strict=True):
            other = self.of(factor)
            if SCALAR in {made.kind, other.kind}:
                raise UnreadableError(f"a scalar beside {sign}")
            made = self.both(made, other, np.multiply if sign == r"\odot" else np.divide)
        return made

    def _product(self, node: Product) -> Value:
        made = reduce(times, map(self.of, node.factors))
        for factor in node.factors:  # Iverson's bracket wins over what does not exist
            if isinstance(factor, Iverson) and made.kind == SCALAR:
                made = Value(SCALAR, np.where(self.array(factor) == 0, 0.0, made.data))
        return made

    def _quotient(self, node: Quotient) -> Value:
        below = self.of(node.below)
        if below.kind != SCALAR:
            raise UnreadableError("a fraction with a matrix below")
        return times(self.of(node.above), mapped(below, lambda b: 1 / b))

    def _transposed(self, node: Transposed) -> Value:
        return transposed(self.of(node.arg))

    def _power(self, node: Power) -> Value:
        return self.power(self.of(node.base), self.of(node.exponent), node.entrywise)

    def power(self, base: Value, exponent: Value, entries: bool) -> Value:
        if exponent.kind != SCALAR or (base.kind == SCALAR) == entries:
            raise UnreadableError(f"a power of a {base.kind}, {'entry by entry' if entries else 'as a whole'}")
        return mapped(base, lambda b: b**exponent.data)

    def _call(self, node: Call) -> Value:
        args = [self.of(a) for a in node.args] if not node.function.startswith("norm") else [self.whole(node.args[0])]
        if node.function in CHOICES and len(args) > 1:
            return reduce(lambda a, b: self.both(a, b, CHOICES[node.function]), args)
        if len(args) != 1:
            raise UnreadableError(f"{node.function} of {len(args)} things")
        if node.function in ENTRYWISE:
            return mapped(args[0], ENTRYWISE[node.function])
        return of_matrix(node.function, args[0], self.conventions.samples)

    def whole(self, node: Node) -> Value:
        """What stands in a norm, which sees no letters."""
        outside, self.letters = self.letters, {}
        made = self.of(node)
        self.letters = outside
        return made

    def _running(self, node: Running) -> Value:
        if not node.letters:
            made = self.of(node.body)
            if made.kind == SCALAR:
                raise UnreadableError("the sum over the entries of a number")
            return Value(SCALAR, np.sum(closed(made)))
        outside, self.beyond = self.beyond, 0.0 if node.kind == "sum" else -np.inf
        full = self.entries({c: self.sizes[id(node), c] for c in node.letters}, node.body)
        self.beyond = outside
        flat = full.reshape(*full.shape[: len(self.letters)], -1)
        how = {"sum": np.sum, "max": np.max, "argmax": np.argmax}[node.kind]
        return Value(SCALAR, np.asarray(how(flat, axis=-1), float))

    def _modulo(self, node: Modulo) -> Value:
        return Value(SCALAR, np.mod(self.array(node.left), self.array(node.right)))

    def _compared(self, node: Compared) -> Value:
        sides = [self.of(side) for side in node.sides]
        made = [self.both(a, b, COMPARE[sign]) for a, b, sign in zip(sides, sides[1:], node.signs, strict=False)]
        return reduce(lambda a, b: self.both(a, b, np.logical_and), made)

    def _joined(self, node: Joined) -> Value:
        how = np.logical_and if node.word == "and" else np.logical_or
        return reduce(lambda a, b: self.both(a, b, how), map(self.of, node.args))

    def _iverson(self, node: Iverson) -> Value:
        return mapped(self.of(node.condition), lambda c: np.asarray(c, float))

    def _cases(self, node: Cases) -> Value:
        made = Value(SCALAR, np.float64(np.nan)) if node.otherwise is None else self.of(node.otherwise)
        for chosen, condition in reversed(list(zip(node.values, node.conditions, strict=True))):
            holds, then = self.of(condition), self.of(chosen)
            other = self.both(holds, made, lambda c, m: np.where(c, np.nan, m))
            made = self.both(self.both(holds, then, lambda c, t: np.where(c, t, np.nan)), other, _first)
        return made


def _first(one: Array, other: Array) -> Array:
    """Where one has a value, that, else the other's."""
    return np.where(np.isnan(one), other, one)
