"""A document's equations, evaluated one after the other in the order in which they are printed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from tests.document.judge.evaluate import Conventions, Evaluator
from tests.document.judge.grammar import Grammar
from tests.document.judge.lines import Line, UnreadableError, equations
from tests.document.judge.names import PART, fill, key, quotient, spelled
from tests.document.judge.scope import Letter, Names, Ranges, letters_of
from tests.document.judge.tokens import is_letter, tokens, without_braces
from tests.document.judge.tree import Node, Product, Symbol, Tokens
from tests.document.judge.values import Spreading, closed

Array = Any
CLOSE, ZERO = 1e-9, 1e-3


class DisagreementError(Exception):
    """Two lines define one thing, with different values."""


@dataclass
class Page:
    r"""What is given by name, as `{"W_{1}": array}`, and how to read it.

    `samples` is the axis of the samples, 0 where they are rows; `implicit` says that a column beside a matrix is meant
    for every sample. `ranges` tells how far letters run where no entry tells it, by the key of the left side:
    `{"h_{2}": {"k": 2}}`; `padded` names what may be read beyond its ends.
    """

    given: Mapping[str, Array]
    samples: int = 0
    implicit: bool = False
    padded: tuple[str, ...] = ()
    ranges: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    def read(self, document: str) -> dict[str, Array]:
        """Every quantity that the document defines, by the key of its name."""
        names = Names({key(k): np.asarray(v, float) for k, v in self.given.items()}, frozenset(map(key, self.padded)))
        told = {key(name): letters for name, letters in self.ranges.items()}
        found: dict[str, Array] = {}
        left = ""
        for line in equations(document):
            left = line.left or left
            with np.errstate(all="ignore"):
                name, array = self.line(Line(left, line.right, line.number), names, told)
            if name in found and not close(array, found[name]):
                raise DisagreementError(f"({line.number}) {name}")
            if name not in found and name in names.arrays:
                raise UnreadableError(f"({line.number}) defines {name}, which is given")
            found[name] = names.arrays[name] = array
        return found

    def line(self, line: Line, names: Names, told: Mapping[str, Mapping[str, int]]) -> tuple[str, Array]:
        """The key of what a line defines, and its value."""
        local = quotient(tokens(line.left))
        if local is not None and names.rank(local[0]):
            return self.local(line, *local, names, told)
        left = Grammar(tokens(line.left), names.arrays).whole()
        if not isinstance(left, Symbol):
            raise UnreadableError(f"no name on the left: {line.left}")
        right = tokens(line.right)
        name, letters = _indices(left, right)
        root = Grammar(right, names.arrays).whole()
        made = fill(name.form, spelled(name.base, name.below, name.above))
        shape = _shape(name, names)
        if letters and shape is not None and len(shape) != len(letters):
            raise UnreadableError(f"({line.number}) has {letters} for the axes {shape}")
        sizes = Ranges(names, told.get(made, {})).solve(root, letters, shape if letters else None)
        array = self.value(line, root, names, sizes, letters, shape)
        if shape is not None and np.shape(array) != shape and not np.size(array) == np.prod(shape) == 1:
            raise UnreadableError(f"({line.number}) has the shape {np.shape(array)}, its variable {shape}")
        return made, array

    def local(
        self, line: Line, up: Symbol, down: Symbol, names: Names, told: Mapping[str, Mapping[str, int]]
    ) -> tuple[str, Array]:
        """The derivative of one tensor's entry by another's, with the indices of both; or entry by entry, without."""
        root = Grammar(tokens(line.right), names.arrays).whole()
        places = [place for name in (up, down) for place in names.find(name, indexed=False)[1]]
        letters = tuple(dict.fromkeys(c for place in places for c in sorted(letters_of(place))))
        above = names.find(up, indexed=False)[0].key
        sizes = Ranges(names, told.get(above, {})).solve(Product((up, down, root)) if letters else root, letters, None)
        shape = None if letters else np.shape(names.arrays[above])
        return " ".join(tokens(line.left)), self.value(line, root, names, sizes, letters, shape)

    def value(
        self,
        line: Line,
        root: Node,
        names: Names,
        sizes: Mapping[Letter, int],
        letters: tuple[str, ...],
        shape: tuple[int, ...] | None,
    ) -> Array:
        """What a right side is."""
        samples = 1 - self.samples if self.implicit else None
        evaluator = Evaluator(names, Conventions(Spreading(samples), self.samples), sizes)
        if letters:
            array = evaluator.entries({c: sizes[0, c] for c in letters}, root)
        else:
            array = closed(evaluator.of(root), shape, Spreading(samples))
        if not np.all(np.isfinite(array)):
            raise UnreadableError(f"({line.number}) has no value everywhere")
        return array


def close(got: Array, want: Array) -> bool:
    """Equal to 1e-9 of the largest entry, 1e-12 where all are 0; a column of one entry and a number are one."""
    got, want = np.asarray(got, float), np.asarray(want, float)
    if got.shape != want.shape and not got.size == want.size == 1:
        return False
    largest = max(ZERO, float(np.max(np.abs(want))))
    return bool(np.max(np.abs(got.reshape(want.shape) - want)) <= CLOSE * largest)


def _indices(left: Symbol, right: Tokens) -> tuple[Symbol, tuple[str, ...]]:
    """The name on the left without its indices, which are letters that stand on the right, too, below something."""
    seen = _below(right)
    for count in range(len(left.below)):
        parts = left.below[count:]
        one = len(parts) == 1
        if all(parts) and all(all(map(is_letter, part)) and (one or len(part) == 1) for part in parts):
            letters = tuple(token for part in parts for token in part)
            if seen & set(letters):
                return Symbol(left.base, left.below[:count], left.above, left.form), letters
    return left, ()


def _below(found: Tokens) -> set[str]:
    """Letters that stand somewhere below."""
    letters: set[str] = set()
    depth, place = 0, 0
    while place < len(found):
        token = found[place]
        if token == "_":
            end, depth = place + 1, 0
            while True:
                depth += {"{": 1, "}": -1}.get(found[end], 0)
                letters |= {found[end]} if is_letter(found[end]) else set()
                end += 1
                if depth == 0:
                    break
        place += 1
    return letters


def _shape(name: Symbol, names: Names) -> tuple[int, ...] | None:
    """A derivative has the shape of what it is a derivative by."""
    for inner in _variables(name):
        if inner in names.arrays:
            return np.shape(names.arrays[inner])
    return None


def _variables(name: Symbol) -> list[str]:
    name = replace(name, form=name.form.partition(PART)[0])
    if name.form != "{}":
        return [spelled(name.base, name.below, name.above)]
    if name.base.startswith(r"\nabla "):
        return [name.base.removeprefix(r"\nabla ").rpartition(" ")[0]]
    if name.base.endswith(".grad"):
        return [name.base.removesuffix(".grad")]
    if name.base == r"\delta" and name.below and not name.above:
        inner = Grammar(without_braces(name.below[0]), ()).whole()
        return _numbered(inner) if isinstance(inner, Symbol) else []
    if name.base == r"\delta" and name.above:
        return _numbered(Symbol("z", (tuple(t for t in name.above if t.isdigit()),)))
    return []


def _numbered(name: Symbol) -> list[str]:
    """A name with its number below, or above, which is the same."""
    return [spelled(name.base, name.below, name.above), *(spelled(name.base, (), part) for part in name.below)]
