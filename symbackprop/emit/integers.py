"""Index arithmetic in C: positions as whole numbers, and the tests before an entry is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from sympy import Expr

from ..language.brackets import Part
from ..language.nodes import Entry, Index
from ..lower.positions import Position, Test, ends, position

Read = Callable[[Entry], str]


class Integers:
    """Spells index expressions; `letters` are the loops' variables, `read` spells an entry that stands as an index."""

    def __init__(self, letters: Mapping[Index, str], read: Read) -> None:
        self.letters = letters
        self.read = read

    def text(self, expr: Expr) -> str:
        """A position where it is whole and not negative."""
        found = position(expr)
        above = self.numerator(found)
        return above if found.divisor == 1 else f"{_tight(above)}/{found.divisor}"

    def numerator(self, p: Position) -> str:
        """The position times its divisor: what is added first, what is subtracted after it."""
        terms = [(c < 0, self._atom(a, abs(c))) for a, c in p.terms]
        terms += [(p.constant < 0, str(abs(p.constant)))] if p.constant or not terms else []
        return signed_sum(terms)

    def _atom(self, atom: Expr, factor: int) -> str:
        if isinstance(atom, Index):
            text = self.letters[atom]
        elif isinstance(atom, Entry):
            text = f"(int64_t){self.read(atom)}"
        else:
            text = f"({self._digit(atom)})"
        return text if factor == 1 else f"{factor}*{text}"

    def _digit(self, part: Expr) -> str:
        assert isinstance(part, Part)
        flat, stride, size = part.args
        found, reach = position(flat), ends(flat)
        below = int(stride) * found.divisor
        text = _tight(self.numerator(found))
        if reach is None or reach[0] < 0:
            text = f"(({text}%{below * int(size)} + {below * int(size)})%{below * int(size)})"
            return text if below == 1 else f"{text}/{below}"
        text = text if below == 1 else f"{text}/{below}"
        return text if reach[1] < int(stride) * int(size) else f"{text}%{size}"

    def condition(self, test: Test) -> str:
        """All that a test asks, joined by and."""
        found = position(test.position)
        text = self.numerator(found)
        asked = [f"{text} >= 0"] if test.low else []
        asked += [f"{text} < {test.size * found.divisor}"] if test.high else []
        asked += [f"{_tight(text)}%{found.divisor} == 0"] if test.whole else []
        return " && ".join(asked)

    def conditions(self, tests: Sequence[Test]) -> str:
        """Several tests joined by and."""
        return " && ".join(map(self.condition, tests))

    def equal(self, one: Expr, two: Expr, sign: str = "==") -> str:
        """Whether two positions are the same (with `!=`: not)."""
        a, b = position(one), position(two)
        return f"{self._times(a, b.divisor)} {sign} {self._times(b, a.divisor)}"

    def _times(self, p: Position, factor: int) -> str:
        text = self.numerator(p)
        return text if factor == 1 else f"{factor}*{_tight(text)}"


def signed_sum(terms: Sequence[tuple[bool, str]]) -> str:
    """Terms with their signs (True: subtracted) as a sum, those that are added first."""
    added = [t for negative, t in terms if not negative]
    taken = [t for negative, t in terms if negative]
    if not added:
        return f"-{taken[0]}" + "".join(f" - {t}" for t in taken[1:])
    return " + ".join(added) + "".join(f" - {t}" for t in taken)


def _tight(text: str) -> str:
    return f"({text})" if any(c in text for c in " *-/%") else text
