"""Measuring: how far a form's float32 value is from the truth at points chosen to hurt."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import sympy as sp
from mpmath import mpf
from numpy.typing import NDArray
from sympy.functions.elementary.piecewise import ExprCondPair

from .evaluate import domain_of, orders, run
from .rational import cancelled
from .reference import LAST_BITS, UNRESOLVED, resolve
from .tape import compile_tape
from .trees import TRANSCENDENTAL, inline, subtrees

RELATIVE, ABSOLUTE = 1e-5, 1e-37
LARGEST = float(np.finfo(np.float32).max)
_ROUNDING = 2.0**-24
_DIGITS = 9
_HOPELESS = 1e3
_TINY, _HUGE = mpf("1e-320"), mpf("1e308")
_FEW_BITS, _MANY_BITS = 512, 4096
_MOST_HARD_POINTS = 4

_MAGNITUDES = (1e-6, 1e-3, 0.1, 0.7, 1.6, 3.2, 5.3, 9.1, 13.3, 17.2, 20, 37, 61, 87, 88.9, 90, 310, 1e4)
_FEW = (1e-6, 1e-4, 0.02, 0.7, 3.2, 9.1, 17.2, 20, 61, 88.9, 90, 1e4)
_MILD = (0.3, 0.8, 1.4, 2.6)
_UNIT = (0.0, 1.0, 1.0, 0.0, 0.25)
_PROBABILITIES = (1e-30, 1e-10, 1e-6, 1e-3, 0.1, 0.3, 0.5, 0.8, 0.99, 1 - 1e-4, 1 - 2.0**-24)

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Grade:
    """The worst error in units of what is allowed; `fair` allows for the effect of rounded inputs as well.

    `failures` counts the points whose error is not even fair.
    """

    strict: float
    fair: float
    failures: int

    @property
    def passes(self) -> bool:
        """Whether every point is within the allowed error."""
        return self.strict <= 1

    @property
    def is_fair(self) -> bool:
        """Whether the error is no larger than rounding the inputs explains."""
        return self.fair <= 1


@dataclass(frozen=True, slots=True)
class Probe:
    """Points of the free symbols in float32, the defined symbols' rounded values there, and known truths."""

    definitions: Mapping[sp.Symbol, sp.Expr]
    points: Mapping[sp.Symbol, NDArray[np.float32]]
    values: Mapping[sp.Symbol, NDArray[np.float32]]
    truths: dict[sp.Expr, Values] = field(default_factory=dict)
    exact: frozenset[sp.Symbol] = frozenset()
    rooms: dict[sp.Expr, dict[int, float]] = field(default_factory=dict)

    def truth(self, expr: sp.Expr) -> Values:
        """The true values of `expr` as float64: NaN where unknown or undefined, inf beyond float64."""
        known = self.truths.get(expr)
        if known is None:
            known = self.truths[expr] = _as_floats(expr, self.definitions, self.points)
        return known

    def grade(self, form: sp.Expr, expr: sp.Expr) -> Grade:
        """How well the float32 evaluation of `form` meets the true values of `expr`."""
        truth = self.truth(expr)
        tape = compile_tape(form)
        error = np.zeros_like(truth)
        with np.errstate(all="ignore"):
            for order in orders(tape):
                value = np.asarray(run(tape, self.values, np.float32, order), dtype=np.float64)
                beyond = (np.abs(truth) > LARGEST) & (np.abs(value) > LARGEST / 4) & (value * truth > 0)
                difference = np.abs(value - truth)
                difference[np.isnan(difference)] = np.inf
                error = np.maximum(error, np.where(np.isnan(truth) | beyond, 0.0, difference))
        size = np.abs(np.where(np.isfinite(truth), truth, 0.0))
        allowed = RELATIVE * size + ABSOLUTE
        bad = np.flatnonzero(error > allowed)
        if not len(bad):
            return Grade(float(np.max(error / allowed, initial=0.0)), 0.0, 0)
        excess = error[bad] / allowed[bad]
        worst = float(excess.max())
        room = np.zeros(len(bad))
        hopeful = excess <= _HOPELESS
        room[hopeful] = self._room(expr, bad[hopeful])
        fair = error[bad] / (allowed[bad] + 4 * _ROUNDING * room)
        return Grade(worst, float(fair.max()), int(np.count_nonzero(fair > 1)))

    def _room(self, expr: sp.Expr, where: NDArray[np.intp]) -> Values:
        """sum |x df/dx| over the symbols x at some of the points: what relative errors of the inputs do."""
        rooms = self.rooms.setdefault(expr, {})
        new = [i for i in where.tolist() if i not in rooms]
        if new:
            points = {s: v[new] for s, v in self.points.items()}
            rough = [s for s in points if s not in self.exact]
            found = _sensitivity(inline(expr, self.definitions), points, rough)
            rooms.update(zip(new, found.tolist(), strict=True))
        return np.array([rooms[i] for i in where.tolist()])

    def signs(self, expr: sp.Expr) -> set[int]:
        """The signs that `expr` takes at the points, 0 left out."""
        value = np.sign(run(compile_tape(expr), self.values, np.float32))
        return {int(v) for v in np.unique(value) if v in (-1, 1)}

    def where(self, condition: sp.Basic) -> Probe:
        """The points at which a condition holds."""
        chosen = np.asarray(run(compile_tape(condition), self.values, np.float32))
        count = max((len(v) for v in self.points.values()), default=1)
        chosen = np.broadcast_to(chosen, (count,))
        points = {s: v[chosen] for s, v in self.points.items()}
        return replace(self, points=points, values={s: v[chosen] for s, v in self.values.items()}, truths={}, rooms={})


def probe_for(expr: sp.Expr, definitions: Mapping[sp.Symbol, sp.Expr], domains: Mapping[sp.Symbol, str]) -> Probe:
    """The points at which forms of `expr` are compared."""
    full = inline(expr, definitions)
    points = _points(full, domains)
    values = dict(points)
    for symbol, meaning in definitions.items():
        if inline(meaning, definitions).free_symbols <= points.keys():
            with np.errstate(over="ignore"):
                values[symbol] = _as_floats(meaning, definitions, points).astype(np.float32)
    exact = frozenset(s for s in points if domains.get(s) == "unit")
    return Probe(definitions, points, values, exact=exact)


def _as_floats(
    expr: sp.Expr, definitions: Mapping[sp.Symbol, sp.Expr], points: Mapping[sp.Symbol, NDArray[Any]]
) -> Values:
    """Values in high precision; where that would take very much precision, those of the cancelled expression."""
    full = inline(expr, definitions)
    columns = {s: v.tolist() for s, v in points.items()}
    numbers = resolve(full, columns, _DIGITS, _FEW_BITS)
    for bits in (_MANY_BITS, LAST_BITS):
        hard = [i for i, n in enumerate(numbers) if n is UNRESOLVED]
        if not hard or (bits == LAST_BITS and len(hard) > _MOST_HARD_POINTS):
            break
        again = resolve(cancelled(full), {s: [c[i] for i in hard] for s, c in columns.items()}, _DIGITS, bits)
        for i, number in zip(hard, again, strict=True):
            numbers[i] = number
    return np.array([np.nan if n is None or n is UNRESOLVED else _float(n) for n in numbers])


def _float(number: Any) -> float:
    """As float64; infinite or 0 outside its range, however far."""
    if abs(number) < _TINY:
        return 0.0
    if abs(number) > _HUGE:
        return np.inf if number > 0 else -np.inf
    return float(number)


def _sensitivity(full: sp.Expr, points: Mapping[sp.Symbol, NDArray[Any]], symbols: Sequence[sp.Symbol]) -> Values:
    """sum |x df/dx| over `symbols` by central differences in high precision."""
    total = np.zeros(max((len(v) for v in points.values()), default=1))
    step = 2.0**-20
    for symbol in symbols:
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
    """Symbols inside anything but sums, products and the values of choices."""
    inside: set[sp.Symbol] = set()
    for node in subtrees(expr):
        if isinstance(node, ExprCondPair):
            inside |= node.cond.free_symbols
        elif node.is_Pow and node.base.is_Symbol and node.exp.is_Integer:
            continue
        elif node.args and not (node.is_Add or node.is_Mul or isinstance(node, sp.Piecewise)):
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
