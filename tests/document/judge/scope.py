"""Names and letters where they stand: what a written name refers to, and how far its indices run.

A letter runs along the axis on which it stands alone; one that stands only in sums such as i + m runs as far as there
are entries; of what cannot be told from that the caller must say it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tests.document.judge.grammar import Grammar
from tests.document.judge.lines import UnreadableError
from tests.document.judge.names import Reading, readings
from tests.document.judge.tokens import is_letter
from tests.document.judge.tree import Call, Modulo, Node, Number, Product, Quotient, Running, Sum, Symbol, Tokens

Array = Any
FARTHEST = 256


@dataclass
class Names:
    """What is defined so far. `padded` may be read beyond their ends, where they are 0 (the smallest, to a maximum)."""

    arrays: dict[str, Array]
    padded: frozenset[str] = frozenset()

    def find(self, symbol: Symbol, indexed: bool) -> tuple[Reading, tuple[Node, ...]]:
        """The one way to read a name that agrees with what is defined, and its indices."""
        found = []
        for reading in readings(symbol):
            if reading.key in self.arrays:
                rank = np.ndim(self.arrays[reading.key])
                places = self.places(reading.indices, rank)
                if places is not None and len(places) in ({rank} if indexed or places else {0}):
                    found.append((reading, places))
        if len(found) > 1:
            raise UnreadableError(f"{symbol} may be {' or '.join(r.key for r, _ in found)}")
        if not found:
            raise UnreadableError(f"{symbol} is not defined")
        return found[0]

    def rank(self, symbol: Symbol) -> int:
        """How many axes a defined name has; 0 for what is not defined."""
        return max((np.ndim(self.arrays[r.key]) for r in readings(symbol) if r.key in self.arrays), default=0)

    def places(self, parts: tuple[Tokens, ...], rank: int) -> tuple[Node, ...] | None:
        """The indices: one between every two commas, or letters side by side."""
        if len(parts) == 1 and rank > 1 and len(parts[0]) == rank and all(t.isalnum() for t in parts[0]):
            parts = tuple((t,) for t in parts[0])
        if any(len(part) > 1 and all(map(is_letter, part)) for part in parts):
            return None
        return tuple(Grammar(part, self.arrays).whole() for part in parts)


Letter = tuple[int, str]
"""A letter and what binds it: the id of a `Running`, or 0 for the left side."""


@dataclass(frozen=True)
class Use:
    """An index expression on an axis; `letters` are those in sight."""

    node: Node
    size: int
    letters: Mapping[str, Letter]
    padded: bool


@dataclass
class Ranges:
    """How far every letter of a formula runs. `told` holds what the caller says, by letter."""

    names: Names
    told: Mapping[str, int]
    sizes: dict[Letter, int] = field(default_factory=dict)

    def solve(self, root: Node, left: tuple[str, ...], shape: tuple[int, ...] | None) -> dict[Letter, int]:
        letters: dict[str, Letter] = {c: (0, c) for c in left}
        if len(letters) < len(left):
            raise UnreadableError(f"a letter twice on the left side: {left}")
        for place, c in enumerate(left):
            if shape is not None:
                self.fix((0, c), shape[place])
        bound = list(letters.values())
        uses = list(self.uses(root, letters, bound))
        for letter in bound:
            if letter[1] in self.told:
                self.fix(letter, self.told[letter[1]])
        for use in uses:
            if isinstance(use.node, Symbol) and use.node.base in use.letters:
                self.fix(use.letters[use.node.base], use.size)
        while self.bounded(uses):
            pass
        missing = [c for c in bound if c not in self.sizes]
        if missing:
            raise UnreadableError(f"nothing says how far {', '.join(c for _, c in missing)} runs")
        return self.sizes

    def fix(self, letter: Letter, size: int) -> None:
        if self.sizes.setdefault(letter, size) != size:
            raise UnreadableError(f"{letter[1]} runs along axes of {self.sizes[letter]} and {size}")

    def uses(self, node: Node, letters: Mapping[str, Letter], bound: list[Letter]) -> Iterator[Use]:
        if isinstance(node, Running) and node.letters:
            if set(node.letters) & set(letters):
                raise UnreadableError(f"{node.letters} hide letters that are in use")
            mine = {c: (id(node), c) for c in node.letters}
            bound += mine.values()
            for c, size in node.written:
                self.fix(mine[c], size)
            yield from self.uses(node.body, {**letters, **mine}, bound)
        elif isinstance(node, Symbol):
            if letters and not is_index(node, letters):
                yield from self.entries(node, letters, bound)
        else:
            for kid in node.kids():
                yield from self.uses(kid, letters, bound)

    def entries(self, node: Symbol, letters: Mapping[str, Letter], bound: list[Letter]) -> Iterator[Use]:
        if unindexed(node, self.names):
            return
        reading, places = self.names.find(node, indexed=True)
        shape = np.shape(self.names.arrays[reading.key])
        for place, size in zip(places, shape, strict=True):
            yield Use(place, size, letters, reading.key in self.names.padded)
            yield from self.uses(place, letters, bound)

    def bounded(self, uses: list[Use]) -> bool:
        """Finds one more letter by the ends of the axes on which it stands with others; whether there was one."""
        limits: dict[Letter, int] = {}
        for use in uses:
            inside = {use.letters[c] for c in letters_of(use.node) if c in use.letters}
            unknown = [c for c in inside if c not in self.sizes]
            if len(unknown) == 1 and not use.padded:
                end = self.end(use, unknown[0])
                if end is not None:
                    limits[unknown[0]] = min(end, limits.get(unknown[0], end))
        for letter, end in limits.items():
            if end == 0:
                raise UnreadableError(f"{letter[1]} has no place to stand")
            self.fix(letter, end)
        return bool(limits)

    def end(self, use: Use, letter: Letter) -> int | None:
        """The first place of a letter at which an index would be beyond its axis; None where no place is."""
        for place in range(FARTHEST):
            known = {c: place if of == letter else self.sizes.get(of, 1) - 1 for c, of in use.letters.items()}
            if not 0 <= largest(use.node, known) < use.size:
                return place
        return None


def is_index(node: Symbol, letters: Mapping[str, Any]) -> bool:
    return node.base in letters and not node.below and not node.above and node.form == "{}"


def unindexed(node: Symbol, names: Names) -> bool:
    """Whether a name stands without indices on purpose: a scalar, or e."""
    if any(r.key in names.arrays and np.ndim(names.arrays[r.key]) == 0 for r in readings(node)):
        return True
    return node.base in {"e", r"\pi"} and not node.below


def letters_of(node: Node) -> set[str]:
    found = {node.base} if isinstance(node, Symbol) else set()
    return found.union(*(letters_of(kid) for kid in node.kids()))


def largest(node: Node, letters: Mapping[str, int]) -> float:
    """An index expression at one place of its letters; all of them grow with their letters."""
    if isinstance(node, Number):
        return node.value
    if isinstance(node, Symbol) and is_index(node, letters):
        return letters[node.base]
    if isinstance(node, Sum):
        return sum(sign * largest(term, letters) for sign, term in zip(node.signs, node.terms, strict=True))
    if isinstance(node, Product):
        return float(np.prod([largest(f, letters) for f in node.factors]))
    if isinstance(node, Quotient):
        return largest(node.above, letters) / largest(node.below, letters)
    if isinstance(node, Call) and node.function == "floor":
        return float(np.floor(largest(node.args[0], letters)))
    if isinstance(node, Modulo):
        return largest(node.left, letters) % largest(node.right, letters)
    raise UnreadableError(f"an index that is no sum of letters: {node}")
