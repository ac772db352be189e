"""Measuring: how far a form's float32 value is from the truth at points chosen to hurt."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import sympy as sp
from numpy.typing import NDArray

from .evaluate import domain_of, run
from .reference import reference
from .tape import compile_tape
from .trees import TRANSCENDENTAL, inline, subtrees

RELATIVE, ABSOLUTE = 1e-5, 1e-37
LARGEST = float(np.finfo(np.float32).max)
_ROUNDING = 2.0**-24
_DIGITS = 9

_MAGNITUDES = (1e-6, 1e-3, 0.1, 0.7, 1.6, 3.2, 5.3, 9.1, 13.3, 17.2, 20, 37, 61, 87, 88.9, 90, 310, 1e4)
_FEW = (1e-3, 0.7, 3.2, 9.1, 17.2, 20, 61, 88.9, 90, 1e4)
_MILD = (0.3, 0.8, 1.4, 2.6)
_UNIT = (0.0, 1.0, 1.0, 0.0, 0.25)
_PROBABILITIES = (1e-30, 1e-10, 1e-6, 1e-3, 0.1, 0.3, 0.5, 0.8, 0.99, 1 - 1e-4, 1 - 2.0**-24)

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Grade:
    """The worst error in units of what is allowed; `fair` allows for the effect of rounded inputs as well."""

    strict: float
    fair: float

    @property
    def passes(self) -> bool:
        """Whether every point is within the allowed error."""
        return self.strict <= 1 or self.fair <= 1


@dataclass(frozen=True, slots=True)
class Probe:
    """Points of the free symbols in float32, the defined symbols' rounded values there, and known truths."""

    definitions: Mapping[sp.Symbol, sp.Expr]
    points: Mapping[sp.Symbol, NDArray[np.float32]]
    values: Mapping[sp.Symbol, NDArray[np.float32]]
    truths: dict[sp.Expr, Values] = field(default_factory=dict)

    def truth(self, expr: sp.Expr) -> Values:
        """The true values of `expr` as float64: NaN where unknown or undefined, inf beyond float64."""
        known = self.truths.get(expr)
        if known is None:
            known = self.truths[expr] = _as_floats(expr, self.definitions, self.points)
        return known

    def grade(self, form: sp.Expr, truth: Values) -> Grade:
        """How well the float32 evaluation of `form` meets the truth."""
        value = np.asarray(run(compile_tape(form), self.values, np.float32), dtype=np.float64)
        with np.errstate(all="ignore"):
            excess = np.abs(value - truth) / (RELATIVE * np.abs(truth) + ABSOLUTE)
            beyond = (np.abs(truth) > LARGEST) & (np.abs(value) > LARGEST / 4) & (np.sign(value) == np.sign(truth))
        excess = np.where(np.isnan(truth) | beyond, 0.0, np.where(np.isnan(excess), np.inf, excess))
        worst = float(excess.max(initial=0.0))
        return Grade(worst, worst)

    def fair_grade(self, grade: Grade, form: sp.Expr, expr: sp.Expr) -> Grade:
        """The grade of `form` with room for what rounding the inputs of `expr` does to it."""
        truth = self.truth(expr)
        value = np.asarray(run(compile_tape(form), self.values, np.float32), dtype=np.float64)
        with np.errstate(all="ignore"):
            error = np.abs(value - truth) - ABSOLUTE
            bad = np.flatnonzero(error > RELATIVE * np.abs(truth))
        if grade.strict > 1e3 or len(bad) > 40 or not np.all(np.isfinite(error[bad])):
            return grade
        points = {s: v[bad] for s, v in self.points.items()}
        room = _sensitivity(inline(expr, self.definitions), points, truth[bad])
        worst = float((error[bad] / (RELATIVE * np.abs(truth[bad]) + 4 * _ROUNDING * room)).max(initial=0.0))
        return Grade(grade.strict, worst)

    def where(self, condition: sp.Basic) -> Probe:
        """The points at which a condition holds."""
        chosen = np.asarray(run(compile_tape(condition), self.values, np.float32))
        count = max((len(v) for v in self.points.values()), default=1)
        chosen = np.broadcast_to(chosen, (count,))
        points = {s: v[chosen] for s, v in self.points.items()}
        return replace(self, points=points, values={s: v[chosen] for s, v in self.values.items()}, truths={})


def probe_for(
    expr: sp.Expr, definitions: Mapping[sp.Symbol, sp.Expr], domains: Mapping[sp.Symbol, str]
) -> Probe:
    """The points at which forms of `expr` are compared."""
    full = inline(expr, definitions)
    points = _points(full, domains)
    values = dict(points)
    for symbol, meaning in definitions.items():
        if inline(meaning, definitions).free_symbols <= points.keys():
            with np.errstate(over="ignore"):
                values[symbol] = _as_floats(meaning, definitions, points).astype(np.float32)
    return Probe(definitions, points, values)


def _as_floats(
    expr: sp.Expr, definitions: Mapping[sp.Symbol, sp.Expr], points: Mapping[sp.Symbol, NDArray[Any]]
) -> Values:
    numbers = reference(inline(expr, definitions), {s: v.tolist() for s, v in points.items()}, _DIGITS)
    return np.array([np.nan if n is None else _float(n) for n in numbers])


def _float(number: Any) -> float:
    try:
        return float(number)
    except OverflowError:
        return np.inf if number > 0 else -np.inf


def _sensitivity(full: sp.Expr, points: Mapping[sp.Symbol, NDArray[Any]], truth: Values) -> Values:
    """sum |x df/dx| over the symbols x, by central differences in high precision."""
    total = np.zeros_like(truth)
    step = 2.0**-20
    for symbol in points:
        sides = []
        for sign in (1, -1):
            moved = {s: v.astype(np.float64) for s, v in points.items()}
            moved[symbol] = moved[symbol] * (1 + sign * step)
            sides.append(_as_floats(full, {}, moved))
        with np.errstate(all="ignore"):
            total += np.nan_to_num(np.abs(sides[0] - sides[1]) / (2 * step), posinf=0.0)
    return total


def _points(full: sp.Expr, domains: Mapping[sp.Symbol, str]) -> dict[sp.Symbol, NDArray[np.float32]]:
    symbols = sorted(full.free_symbols, key=lambda s: (s.name, str(s.sort_key())))
    kinds = {s: domain_of(s, domains) for s in symbols}
    active = [s for s in symbols if kinds[s] != "unit" and s in _inside_functions(full)]
    rows = _rows(symbols, kinds, active)
    return {s: np.array([row[i] for row in rows], dtype=np.float32) for i, s in enumerate(symbols)}


def _inside_functions(expr: sp.Expr) -> set[sp.Symbol]:
    """Symbols inside anything but sums and products."""
    inside: set[sp.Symbol] = set()
    for node in subtrees(expr):
        if node.args and not node.is_Add and not node.is_Mul:
            inside |= node.free_symbols
    return inside


def _rows(
    symbols: Sequence[sp.Symbol], kinds: Mapping[sp.Symbol, str], active: Sequence[sp.Symbol]
) -> list[list[float]]:
    source = random.Random(7)
    magnitudes = _MAGNITUDES if len(active) == 1 else _FEW
    hard = {s: _values(kinds[s], magnitudes) for s in symbols}
    mild = {s: _values(kinds[s], _MILD) for s in symbols}
    rows = []
    for symbol in active:
        for value in hard[symbol]:
            rows.append([value if s is symbol else source.choice(mild[s]) for s in symbols])
    for _ in range(0 if len(active) == 1 else 12):
        rows.append([source.choice(hard[s] if s in active else mild[s]) for s in symbols])
    if len(active) > 1:
        rows += [_near(symbols, kinds, value, source) for value in (-20.0, -1.0, 0.5, 30.0)]
    if any(kinds[s] == "unit" for s in symbols):
        rows = _with_both_ends(rows, symbols, kinds)
    return rows or [[source.choice(mild[s]) for s in symbols] for _ in range(4)]


def _near(
    symbols: Sequence[sp.Symbol], kinds: Mapping[sp.Symbol, str], value: float, source: random.Random
) -> list[float]:
    """All real symbols close to each other, so that their differences are small."""
    close = (value * (1 + source.choice((0.0, 1e-4, 0.01))) for _ in symbols)
    return [
        v if kinds[s] == "real" else source.choice(_values(kinds[s], _MILD))
        for s, v in zip(symbols, close, strict=True)
    ]


def _with_both_ends(
    rows: list[list[float]], symbols: Sequence[sp.Symbol], kinds: Mapping[sp.Symbol, str]
) -> list[list[float]]:
    ends = []
    for label in (0.0, 1.0):
        ends += [[label if kinds[s] == "unit" else v for s, v in zip(symbols, row, strict=True)] for row in rows]
    return ends + rows[::5]


def _values(kind: str, magnitudes: Sequence[float]) -> list[float]:
    if kind == "unit":
        return list(_UNIT)
    if kind == "probability":
        return list(_PROBABILITIES) if len(magnitudes) > len(_MILD) else [0.2, 0.5, 0.7]
    negative, positive = [-m for m in reversed(magnitudes)], list(magnitudes)
    return {
        "positive": positive,
        "nonnegative": [0.0, *positive],
        "nonpositive": [*negative, 0.0],
    }.get(kind, [*negative, 0.0, *positive])


def is_transcendental(expr: sp.Expr) -> bool:
    """Whether `expr` holds an exponential, a logarithm or the like."""
    return any(node.func in TRANSCENDENTAL for node in subtrees(expr))
