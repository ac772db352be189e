"""The arrays that training changes: flat blocks of parameters and optimizer state, and their named views."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..declare.bounds import Bounds
from ..declare.schedule import Schedule
from ..runtime import Manifest, Slot

Array = np.ndarray[Any, Any]

ALIGNMENT = 64
"""Bytes; the width of the widest vector register, and of a cache line."""


def aligned(shape: tuple[int, ...], dtype: Any) -> Array:
    """Zeros of `shape` whose first byte stands on a multiple of `ALIGNMENT`."""
    kind = np.dtype(dtype)
    size = math.prod(shape) * kind.itemsize
    raw = np.zeros(size + ALIGNMENT, np.uint8)
    start = -raw.ctypes.data % ALIGNMENT
    made: Array = raw[start : start + size].view(kind).reshape(shape)
    return made


def aligned_copy(array: Array) -> Array:
    """A copy of `array` that is aligned as kernels like it."""
    copy = aligned(array.shape, array.dtype)
    copy[...] = array
    return copy


@dataclass(slots=True, eq=False)
class Blocks:
    """What one model learns and counts.

    `params` (length,) and `state` (states, block) are in the model's dtype; `hypers` is float64 in the
    manifest's order: the values of the last step done. `step` counts the updates done, `epoch` the epochs begun, over
    all calls of `fit`. `schedules` are those of some hyper-parameters, by name.
    """

    params: Array
    state: Array
    hypers: Array
    seed: int
    step: int = 0
    epoch: int = 0
    schedules: dict[str, Schedule] = field(default_factory=dict)

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, self._fields()

    def __deepcopy__(self, memo: dict[int, Any]) -> Blocks:
        return _rebuild(*self._fields())

    def _fields(self) -> tuple[Any, ...]:
        return self.params, self.state, self.hypers, self.seed, self.step, self.epoch, dict(self.schedules)


def _rebuild(params: Array, state: Array, hypers: Array, *rest: Any) -> Blocks:
    """Copied and pickled arrays lose their alignment; this puts it back."""
    return Blocks(aligned_copy(params), aligned_copy(state), aligned_copy(hypers), *rest)


def views(manifest: Manifest, block: Array) -> dict[str, Array]:
    """Parameter name -> its part of a flat block, in the parameter's shape; no copy."""
    return _views(manifest.parameters, block)


def fixed_views(manifest: Manifest, params: Array) -> dict[str, Array]:
    """Name -> part of the whole array, for the model's states (running statistics, frozen parameters); no copy."""
    return _views(manifest.fixed, params)


def _views(slots: tuple[Slot, ...], array: Array) -> dict[str, Array]:
    return {s.name: array[s.offset : s.offset + math.prod(s.shape)].reshape(s.shape) for s in slots}


def bounds_of(manifest: Manifest) -> dict[str, Bounds]:
    """Hyper-parameter name -> the bounds of its numbers."""
    given = manifest.bounds or ((),) * len(manifest.hypers)
    return {name: Bounds(*own) for (name, _), own in zip(manifest.hypers, given, strict=True)}


def first_not_finite(manifest: Manifest, blocks: Blocks) -> str | None:
    """The first parameter, state or optimizer's state that holds a NaN or an infinity; gaps do not count."""
    if np.isfinite(blocks.params).all() and np.isfinite(blocks.state).all():
        return None
    for name, entries in (views(manifest, blocks.params) | fixed_views(manifest, blocks.params)).items():
        if not np.isfinite(entries).all():
            return name
    for state, row in zip(manifest.states, blocks.state, strict=True):
        for name, entries in views(manifest, row).items():
            if not np.isfinite(entries).all():
                return f"{state} of {name}"
    return None
