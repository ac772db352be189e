"""First values of the parameters, drawn from counter-based streams.

A parameter's stream is keyed by the seed and its own name, so its values depend on no other parameter. Draws
are made in float64 and rounded, so a float32 and a float64 network start from the same point.

A weight is stored (out, in, ...): fan_in is the product of all axes but the first, fan_out that of all but the
second, so a filter (out, in, h, w) has fan_in = in h w and fan_out = out h w. To add a kind, write one function of
(draw, arguments) and list it in `KINDS` with how many arguments it takes (None: any number).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .. import streams
from ..errors import DeclarationError, did_you_mean
from ..runtime import Manifest, Slot
from .blocks import Array, aligned


@dataclass(frozen=True, slots=True)
class Draw:
    """One parameter's shape and random streams."""

    seed: int
    name: str
    shape: tuple[int, ...]

    @property
    def count(self) -> int:
        """Number of entries."""
        return math.prod(self.shape)

    @property
    def fan_in(self) -> int:
        """Product of all axes but the first."""
        return math.prod(self.shape[1:])

    @property
    def fan_out(self) -> int:
        """Product of all axes but the second."""
        return math.prod((*self.shape[:1], *self.shape[2:]))

    @property
    def rows(self) -> int:
        """The first axis."""
        return self.shape[0] if self.shape else 1

    def uniform(self, low: float, high: float) -> Array:
        """`count` numbers uniform on [low, high)."""
        unit = streams.uniform(self.seed, self._stream(0), self.count, np.float64)
        return low + (high - low) * unit

    def normal(self, count: int | None = None, turn: int = 0) -> Array:
        """Standard normal numbers (`count` of them); each `turn` has a stream of its own."""
        return streams.normal(self.seed, self._stream(turn), self.count if count is None else count)

    def _stream(self, turn: int) -> int:
        return streams.stream_id(f"init/{self.name}" + (f"/{turn}" if turn else ""))


def constant(draw: Draw, value: float) -> Array:
    """Every entry is `value`."""
    return np.full(draw.count, value)


def values(draw: Draw, *entries: float) -> Array:
    """The numbers themselves, in row-major order."""
    if len(entries) != draw.count:
        raise DeclarationError(f"{draw.name} {draw.shape} needs {draw.count} values; got {len(entries)}")
    return np.array(entries)


def normal(draw: Draw, mu: float, sigma: float) -> Array:
    """N(mu, sigma), sigma being the standard deviation."""
    return mu + sigma * draw.normal()


def uniform(draw: Draw, low: float, high: float) -> Array:
    """Uniform on [low, high)."""
    return draw.uniform(low, high)


def truncated_normal(draw: Draw, mu: float, sigma: float) -> Array:
    """N(mu, sigma) without what lies beyond two standard deviations; those entries are drawn again."""
    values = draw.normal()
    turn = 1
    while len(outside := np.flatnonzero(np.abs(values) > 2.0)):
        values[outside] = draw.normal(len(outside), turn)
        turn += 1
    return mu + sigma * values


def uniform_of_variance(draw: Draw, variance: float) -> Array:
    """Uniform on [-r, r) with r = sqrt(3 variance)."""
    return draw.uniform(-math.sqrt(3.0 * variance), math.sqrt(3.0 * variance))


def orthogonal(draw: Draw, gain: float) -> Array:
    """`gain` times a random matrix with orthonormal rows, or columns when it has more rows than columns."""
    rows, columns = draw.rows, draw.fan_in
    q, r = np.linalg.qr(draw.normal().reshape(max(rows, columns), min(rows, columns)))
    q = q * np.where(np.diagonal(r) < 0.0, -1.0, 1.0)
    return gain * np.ascontiguousarray(q if rows >= columns else q.T).reshape(-1)


def _glorot(draw: Draw) -> float:
    return 2.0 / (draw.fan_in + draw.fan_out)


KINDS: dict[str, tuple[int | None, Callable[..., Array]]] = {
    "constant": (1, constant),
    "values": (None, values),
    "normal": (2, normal),
    "uniform": (2, uniform),
    "truncated_normal": (2, truncated_normal),
    "glorot_uniform": (0, lambda draw: uniform_of_variance(draw, _glorot(draw))),
    "glorot_normal": (0, lambda draw: normal(draw, 0.0, math.sqrt(_glorot(draw)))),
    "he_uniform": (0, lambda draw: uniform_of_variance(draw, 2.0 / draw.fan_in)),
    "he_normal": (0, lambda draw: normal(draw, 0.0, math.sqrt(2.0 / draw.fan_in))),
    "lecun_normal": (0, lambda draw: normal(draw, 0.0, math.sqrt(1.0 / draw.fan_in))),
    "lecun_uniform": (0, lambda draw: uniform_of_variance(draw, 1.0 / draw.fan_in)),
    "fan_in_uniform": (0, lambda draw: uniform_of_variance(draw, 1.0 / (3.0 * draw.fan_in))),
    "orthogonal": (1, orthogonal),
}


def _filler(slot: Slot) -> Callable[[Draw], Array]:
    kind, args = slot.init.kind, slot.init.args
    if kind not in KINDS:
        raise DeclarationError(f"parameter {slot.name}: unknown initializer {kind!r}.{did_you_mean(kind, KINDS)}")
    wanted, fill = KINDS[kind]
    if (wanted is not None and len(args) != wanted) or not all(math.isfinite(a) for a in args):
        count = "" if wanted is None else f"{wanted} "
        raise DeclarationError(f"parameter {slot.name}: {kind} takes {count}finite numbers; got {args}")
    if kind in ("normal", "truncated_normal") and args[1] < 0.0:
        raise DeclarationError(f"parameter {slot.name}: {kind} needs a standard deviation >= 0; got {args[1]}")
    if kind == "uniform" and args[0] > args[1]:
        raise DeclarationError(f"parameter {slot.name}: uniform needs low <= high; got {args}")
    return lambda draw: fill(draw, *args)


def initial_block(manifest: Manifest, seed: int) -> Array:
    """The first values of parameters and states, (manifest.length,) in the manifest's dtype; gaps are 0.

    Raises `DeclarationError` for an unknown kind of initializer or arguments that it cannot use, `MemoryError` with
    the largest of them for too many parameters.
    """
    block = _zeros(manifest)
    for slot in (*manifest.parameters, *manifest.fixed):
        values = _filler(slot)(Draw(seed, slot.name, slot.shape))
        with np.errstate(over="ignore"):
            block[slot.offset : slot.offset + len(values)] = values
    if not np.isfinite(block).all():
        raise DeclarationError(f"an initializer's values are too large for {manifest.dtype}")
    return block


def _zeros(manifest: Manifest) -> Array:
    try:
        return aligned((manifest.length,), manifest.dtype)
    except (MemoryError, ValueError) as error:
        most = max((*manifest.parameters, *manifest.fixed), key=lambda slot: math.prod(slot.shape))
        size = manifest.length * np.dtype(manifest.dtype).itemsize / 2**30
        raise MemoryError(
            f"the parameters need {size:.3g} GiB, more than there is; the largest is {most.name} {most.shape}; make "
            "that layer smaller"
        ) from error
