"""Random numbers as a function of (seed, stream, index): the twin of `philox.h`, `shuffle.h` and `uniform.h`
of the C runtime.

The generator is Philox4x32-10 (Salmon et al., SC 2011): the key is the seed, the counter is (index, stream).
There is no state, so a draw can be repeated from its numbers alone, on every target. Seeds, streams and
indices count modulo 2**64.
"""

from __future__ import annotations

import hashlib
import math
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

ROUNDS = 10
MULTIPLIERS = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
KEY_STEPS = 0x9E3779B9, 0xBB67AE85
LOW = np.uint64(0xFFFFFFFF)
HALF = np.uint64(32)
CHUNK = 1 << 14
"""Blocks drawn at a time, so that the temporaries stay in the processor's cache."""


def stream_id(name: str) -> int:
    """The stream (0 <= id < 2**64) that belongs to a name, the same on every machine and in every version."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "little")


SHUFFLE_STREAM = stream_id("symbackprop/shuffle")
"""The stream of epoch 0; epoch e has the stream e places on. `shuffle.h` holds the same number."""


def philox(seed: int, stream: int, first: int, count: int) -> NDArray[np.uint32]:
    """Blocks `first` ... `first + count - 1` of a stream: random words, shape (count, 4)."""
    words = np.empty((count, 4), np.uint32)
    for start in range(0, count, CHUNK):
        stop = min(start + CHUNK, count)
        index = np.uint64((first + start) % 2**64) + np.arange(stop - start, dtype=np.uint64)
        words[start:stop] = _blocks(seed, stream, index)
    return words


def _blocks(seed: int, stream: int, index: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The words (n, 4) of the blocks at `index` (n,). Words are held in 64 bits, where their products fit."""
    c0, c1 = index & LOW, index >> HALF
    c2 = np.full_like(index, stream & 0xFFFFFFFF)
    c3 = np.full_like(index, stream >> 32 & 0xFFFFFFFF)
    for turn in range(ROUNDS):
        k0, k1 = (np.uint64((seed >> 32 * i) + turn * KEY_STEPS[i] & 0xFFFFFFFF) for i in range(2))
        p0, p1 = MULTIPLIERS[0] * c0, MULTIPLIERS[1] * c2
        c0, c1, c2, c3 = (p1 >> HALF) ^ c1 ^ k0, p1 & LOW, (p0 >> HALF) ^ c3 ^ k1, p0 & LOW
    return np.stack((c0, c1, c2, c3), axis=1)


def _pairs(seed: int, stream: int, first: int, count: int) -> NDArray[np.uint64]:
    """`count` blocks as 64-bit words (count, 2), the lower half first."""
    words = philox(seed, stream, first, count).astype(np.uint64)
    return words[:, 0::2] | words[:, 1::2] << HALF


def permutation(seed: int, epoch: int, rows: int) -> NDArray[np.int64]:
    """The order (rows,) in which an epoch visits the rows: the stable arg sort of one 64-bit key a row."""
    keys = _pairs(seed, SHUFFLE_STREAM + epoch, 0, rows)[:, 0]
    return np.argsort(keys, kind="stable").astype(np.int64, copy=False)


def uniform(seed: int, stream: int, count: int, dtype: DTypeLike = np.float64) -> NDArray[Any]:
    """`count` numbers uniform on [0, 1): multiples of 2**-53 in float64.

    In float32 they are multiples of 2**-24: the float64 numbers of the same seed and stream, cut off.
    """
    kind = np.dtype(dtype)
    bits = {"float32": 24, "float64": 53}.get(kind.name)
    if bits is None:
        raise ValueError(f"uniform numbers are float32 or float64; got {kind}")
    words = _pairs(seed, stream, 0, -(-count // 2)).reshape(-1)[:count]
    numbers: NDArray[Any] = (words >> np.uint64(64 - bits)).astype(kind)
    numbers *= 2.0**-bits
    return numbers


def tensor(seed: int, step: int, name: str, shape: tuple[int, ...], dtype: DTypeLike = np.float64) -> NDArray[Any]:
    """A random tensor's entries at one step, uniform on [0, 1), numbered in row-major order.

    Step s has the stream s places on from the name's; `uniform.h` draws the same.
    """
    return uniform(seed, random_stream(name) + step, math.prod(shape), dtype).reshape(shape)


def random_stream(name: str) -> int:
    """The stream of a random tensor at step 0."""
    return stream_id(f"random/{name}")


def normal(seed: int, stream: int, count: int) -> NDArray[np.float64]:
    """`count` standard normal numbers (Box-Muller: block i gives numbers 2i and 2i + 1), at most 8.6 in size."""
    unit = uniform(seed, stream, count + count % 2).reshape(-1, 2)
    radius = np.sqrt(-2.0 * np.log1p(-unit[:, 0]))
    angle = 2.0 * np.pi * unit[:, 1]
    return np.stack((radius * np.cos(angle), radius * np.sin(angle)), axis=1).reshape(-1)[:count]
