"""Entries at positions that are no single indices, as NumPy: padding, slices, reshapes, reads at arrays of places."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from sympy import Expr

from ..language.brackets import Inside, Part
from ..language.indices import free_indices
from ..language.nodes import Entry, Index
from ..lower.positions import Axis, Test, axes_of, ends, position, row_major, test_of
from .integers import signed_sum

Leaf = Callable[[Entry, tuple[Index, ...]], str]
Align = Callable[[str, tuple[Index, ...], tuple[Index, ...]], str]


def size_of(index: Index) -> str:
    """The length of an index in NumPy."""
    assert index.dim is not None
    return index.dim.name if index.dim.size is None else str(index.dim.size)


class Places:
    """Positions as arrays of whole numbers that broadcast over a space."""

    def __init__(self, entry: Leaf, align: Align) -> None:
        self.entry = entry
        self.align = align

    def text(self, expr: Expr, space: tuple[Index, ...]) -> str:
        """A position, rounded down where it is not whole."""
        found = position(expr)
        above = self._sum(expr, space)
        return above if found.divisor == 1 else f"{tight(above)}//{found.divisor}"

    def _sum(self, expr: Expr, space: tuple[Index, ...]) -> str:
        p = position(expr)
        terms = [(c < 0, self._atom(a, abs(c), space)) for a, c in p.terms]
        terms += [(p.constant < 0, str(abs(p.constant)))] if p.constant or not terms else []
        return signed_sum(terms)

    def _atom(self, atom: Expr, factor: int, space: tuple[Index, ...]) -> str:
        if isinstance(atom, Index):
            text = self.align(f"np.arange({size_of(atom)})", (atom,), space)
        elif isinstance(atom, Entry):
            text = f"{tight(self.entry(atom, space))}.astype(int)"
        else:
            assert isinstance(atom, Part)
            flat, stride, size = atom.args
            text = self.text(flat / stride, space)
            reach = ends(flat)
            kept = reach is not None and reach[0] >= 0 and reach[1] < int(stride) * int(size)
            text = f"({text})" if kept else f"({tight(text)} % {size})"
        return text if factor == 1 else f"{factor}*{text}"

    def condition(self, test: Test, space: tuple[Index, ...]) -> str:
        """All that a test asks."""
        found = position(test.position)
        text = self._sum(test.position, space)
        asked = [f"({text} >= 0)"] if test.low else []
        asked += [f"({text} < {test.size * found.divisor})"] if test.high else []
        asked += [f"({tight(text)} % {found.divisor} == 0)"] if test.whole else []
        return " & ".join(asked)

    def equal(self, one: Expr, two: Expr, space: tuple[Index, ...], sign: str = "==") -> str:
        """Whether two positions are the same (with `!=`: not)."""
        a, b = position(one), position(two)
        left, right = self._sum(one, space), self._sum(two, space)
        left = left if b.divisor == 1 else f"{b.divisor}*{tight(left)}"
        right = right if a.divisor == 1 else f"{a.divisor}*{tight(right)}"
        return f"{left} {sign} {right}"


@dataclass
class _Reading:
    """A text that grows while the axes of an entry are read, and the index of every axis that it has so far."""

    text: str
    have: list[Index] = field(default_factory=list)
    masks: list[Test] = field(default_factory=list)


def gathered(base: str, e: Entry, places: Places) -> tuple[str, tuple[Index, ...]]:
    """An entry as an array, and the index of each of its axes. `base` spells the whole tensor."""
    axes = _split_axes(axes_of(e))
    if [a.size for a in axes] != [d.size for d in e.tensor.dims]:
        sizes = ", ".join(a.name if a.size is None else str(a.size) for a in axes)
        base = f"{base}.reshape({sizes})"
    beyond = "0" if e.outside == 0 else "-np.inf"
    found = [() if e.outside is None or a.size is None else test_of(a.position, a.size) for a in axes]
    reading = _Reading(base)
    shifts = _pad(reading, axes, found, beyond)
    seen: list[Index] = [i for a in axes for i in free_indices(a.position)]
    if len(set(seen)) == len(seen):
        _one_by_one(reading, axes, shifts, places)
    else:
        _at_once(reading, axes, shifts, tuple(dict.fromkeys(seen)), places)
    have = tuple(reading.have)
    if reading.masks:
        mask = " & ".join(places.condition(t, have) for t in reading.masks)
        return f"np.where({mask}, {reading.text}, {beyond})", have
    return reading.text, have


def _split_axes(axes: Sequence[Axis]) -> list[Axis]:
    """Axes at positions (i*J + j)*K + k as axes i, j, k."""
    made: list[Axis] = []
    for axis in axes:
        indices = row_major(axis.position)
        sizes = [] if indices is None else [i.dim.size for i in indices if i.dim is not None and i.dim.size is not None]
        total = 1
        for size in sizes:
            total *= size
        if indices is None or total != axis.size:
            made.append(axis)
        else:
            made += [Axis(i, size, "") for i, size in zip(indices, sizes, strict=True)]
    return made


def _pad(reading: _Reading, axes: Sequence[Axis], tests: Sequence[Test | tuple[()]], beyond: str) -> list[int | None]:
    """Continue the array beyond its ends; how far each axis moved, None where places must be kept inside it."""
    shifts: list[int | None] = []
    widths: list[str] = []
    for axis, test in zip(axes, tests, strict=True):
        reach = ends(axis.position) if test else (Fraction(0), Fraction(0))
        before = after = 0
        if test and reach is not None and axis.size is not None:
            before, after = max(0, -int(reach[0] // 1)), max(0, int(reach[1] // 1) - axis.size + 1)
        if test and (test.whole or reach is None):
            low_high = reach is None
            reading.masks.append(Test(test.position, test.size, low_high, low_high, test.whole))
        shifts.append(before if reach is not None else None)
        widths.append(f"({before}, {after})")
    if any(w != "(0, 0)" for w in widths):
        constant = "" if beyond == "0" else f", constant_values={beyond}"
        reading.text = f"np.pad({reading.text}, ({', '.join(widths)},){constant})".replace("),)", "))")
    return shifts


def _one_by_one(reading: _Reading, axes: Sequence[Axis], shifts: Sequence[int | None], places: Places) -> None:
    """Slices first, then an array of places for one axis after the other: each takes its axis' place."""
    marks: list[str] = []
    later: list[tuple[int, str]] = []
    for axis, shift in zip(axes, shifts, strict=True):
        own = free_indices(axis.position)
        place = axis.position + (shift or 0)
        mark = None if shift is None else _slice(place, axis)
        if mark is None and own:
            text = places.text(place, own)
            text = text if shift is not None else f"np.clip({text}, 0, {(axis.size or 1) - 1})"
            later.append((len(reading.have), text))
        marks.append(mark or (":" if own else places.text(place, ())))
        reading.have += own
    if any(m != ":" for m in marks):
        reading.text += f"[{', '.join(marks)}]"
    for axis_number, text in later:
        reading.text += f"[{':, ' * axis_number}{text}]"


def _slice(place: Expr, axis: Axis) -> str | None:
    """A position as a slice or a number; None where it is neither."""
    found = position(place)
    if found.divisor > 1:
        return None
    if not found.terms:
        return str(found.constant)
    (atom, factor), *rest = found.terms
    if rest or not isinstance(atom, Index) or factor < 1 or found.constant < 0:
        return None
    size = None if atom.dim is None else atom.dim.size
    if size is None:
        return ":" if factor == 1 and not found.constant else None
    if factor == 1 and not found.constant and size == axis.size and place == axis.position:
        return ":"
    end = found.constant + factor * (size - 1) + 1
    return f"{found.constant or ''}:{end}" + (f":{factor}" if factor > 1 else "")


def _at_once(
    reading: _Reading, axes: Sequence[Axis], shifts: Sequence[int | None], have: tuple[Index, ...], places: Places
) -> None:
    """An array of places for every axis, all of one shape."""
    marks = []
    for axis, shift in zip(axes, shifts, strict=True):
        text = places.text(axis.position + (shift or 0), have)
        marks.append(text if shift is not None else f"np.clip({text}, 0, {(axis.size or 1) - 1})")
    reading.text += f"[{', '.join(marks)}]"
    reading.have = list(have)


def condition_of(e: Inside, space: tuple[Index, ...], places: Places) -> str:
    """A guard's condition."""
    return places.condition(test_of(e.args[0], int(e.args[1])), space)


def tight(text: str) -> str:
    """The text as an operand of any operator."""
    depth = 0
    for c in text:
        depth += (c in "([") - (c in ")]")
        if depth == 0 and c in " *-/%":
            return f"({text})"
    return text
