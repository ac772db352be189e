"""The arrays that training changes: flat blocks of parameters and optimizer state, and their named views."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..runtime import Manifest

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

    `params` (block,) and `state` (states, block) are in the model's dtype; `hypers` is float64 in the
    manifest's order. `step` counts the updates done, `epoch` the epochs begun, over all calls of `fit`.
    """

    params: Array
    state: Array
    hypers: Array
    seed: int
    step: int = 0
    epoch: int = 0

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, self._fields()

    def __deepcopy__(self, memo: dict[int, Any]) -> Blocks:
        return _rebuild(*self._fields())

    def _fields(self) -> tuple[Any, ...]:
        return self.params, self.state, self.hypers, self.seed, self.step, self.epoch


def _rebuild(params: Array, state: Array, hypers: Array, *counts: int) -> Blocks:
    """Copied and pickled arrays lose their alignment; this puts it back."""
    return Blocks(aligned_copy(params), aligned_copy(state), aligned_copy(hypers), *counts)


def views(manifest: Manifest, block: Array) -> dict[str, Array]:
    """Parameter name -> its part of a flat block, in the parameter's shape; no copy."""
    return {
        slot.name: block[slot.offset : slot.offset + math.prod(slot.shape)].reshape(slot.shape)
        for slot in manifest.parameters
    }


def first_not_finite(manifest: Manifest, blocks: Blocks) -> str | None:
    """The first parameter, or state of one, that holds a NaN or an infinity; gaps do not count."""
    if np.isfinite(blocks.params).all() and np.isfinite(blocks.state).all():
        return None
    for name, entries in views(manifest, blocks.params).items():
        if not np.isfinite(entries).all():
            return name
    for state, row in zip(manifest.states, blocks.state, strict=True):
        for name, entries in views(manifest, row).items():
            if not np.isfinite(entries).all():
                return f"{state} of {name}"
    return None
