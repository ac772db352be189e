"""Philox and the shuffle in C give bit by bit what NumPy gives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from symbackprop.load.compiler import Compiler
from symbackprop.load.library import pointer
from symbackprop.streams import SHUFFLE_STREAM, permutation, philox

CODE = """
void words(uint64_t seed, uint64_t stream, uint64_t index, uint32_t *out) {
    const sbp_random random = sbp_philox(seed, stream, index);
    for (int i = 0; i < 4; i++) out[i] = random.word[i];
}
void shuffle(uint64_t seed, uint64_t epoch, int64_t rows, int64_t *order, uint64_t *scratch) {
    sbp_shuffle(seed, epoch, rows, order, scratch);
}
int64_t scratch_size(int64_t rows) { return SBP_SHUFFLE_SCRATCH(rows); }
uint64_t stream(void) { return SBP_SHUFFLE_STREAM; }
"""
DECLARATIONS = """
void words(uint64_t seed, uint64_t stream, uint64_t index, uint32_t *out);
void shuffle(uint64_t seed, uint64_t epoch, int64_t rows, int64_t *order, uint64_t *scratch);
int64_t scratch_size(int64_t rows);
uint64_t stream(void);
"""


@pytest.fixture(scope="module")
def shuffler(compiler: Compiler, library: Callable[..., tuple[Any, Any]]) -> tuple[Any, Any]:
    opened: tuple[Any, Any] = library(compiler, "float", ("shuffle.h",), CODE, DECLARATIONS)
    return opened


@pytest.mark.parametrize("seed", [0, 1, 2**31, 2**64 - 1])
@pytest.mark.parametrize("stream", [0, 3, 2**32, 2**64 - 1])
def test_philox_is_the_same(shuffler: tuple[Any, Any], seed: int, stream: int) -> None:
    ffi, lib = shuffler
    out = np.zeros(4, np.uint32)
    for index in (0, 1, 2**32 - 1, 2**32, 2**64 - 1):
        lib.words(seed, stream, index, pointer(ffi, out, "uint32_t", writable=True))
        np.testing.assert_array_equal(out, philox(seed, stream, index, 1)[0])


def test_the_streams_are_the_same(shuffler: tuple[Any, Any]) -> None:
    assert shuffler[1].stream() == SHUFFLE_STREAM


@pytest.mark.parametrize("rows", [0, 1, 2, 3, 10, 63, 64, 65, 100, 1797, 2047, 2048, 2049, 30000])
def test_the_shuffle_is_the_same(shuffler: tuple[Any, Any], rows: int) -> None:
    """Of 2,048 rows some agree in the 22 bits that the radix sort looks at, in nearly every epoch or two."""
    ffi, lib = shuffler
    order = np.full(rows, -1, np.int64)
    scratch = np.zeros(lib.scratch_size(rows), np.uint64)
    for seed, epoch in ((0, 0), (1, 0), (1, 1), (7, 2**40), (2**64 - 1, 2**64 - 1), *((5, e) for e in range(10))):
        lib.shuffle(seed, epoch, rows, pointer(ffi, order, "int64_t", writable=True), pointer(ffi, scratch, "uint64_t"))
        np.testing.assert_array_equal(order, permutation(seed, epoch, rows), err_msg=f"seed {seed}, epoch {epoch}")


def test_some_keys_agree_in_the_sorted_bits() -> None:
    """So the test above does exercise the repair of neighbors."""
    agreeing = 0
    for epoch in range(10):
        top = philox(5, SHUFFLE_STREAM + epoch, 0, 2048)[:, 1] >> 10
        agreeing += 2048 - len(np.unique(top))
    assert agreeing > 0
