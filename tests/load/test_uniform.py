"""Random tensors of the C runtime and of `streams` are the same to the last bit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from symbackprop import streams
from symbackprop.load.compiler import Compiler
from symbackprop.load.library import pointer

CODE = "void fill(uint64_t a, uint64_t b, uint64_t c, int64_t n, real *o) { sbp_uniform(a, b, c, n, o); }\n"
DECLARATION = "void fill(uint64_t seed, uint64_t stream, uint64_t step, int64_t count, {real} *out);"
Library = Callable[..., tuple[Any, Any]]


@pytest.mark.parametrize(("real", "dtype"), [("float", np.float32), ("double", np.float64)])
@pytest.mark.parametrize("count", [1, 2, 3, 64, 1001])
def test_every_bit(real: str, dtype: Any, count: int, compiler: Compiler, library: Library) -> None:
    ffi, lib = library(compiler, real, ("uniform.h",), CODE, DECLARATION.format(real=real))
    stream = streams.random_stream("u1")
    for seed, step in ((0, 0), (5, 1), (2**63 - 1, 2**40)):
        out = np.empty(count, dtype)
        lib.fill(seed, stream, step, count, pointer(ffi, out, real, name="out", writable=True))
        np.testing.assert_array_equal(out, streams.tensor(seed, step, "u1", (count,), dtype))
        wide = streams.tensor(seed, step, "u1", (count,))
        np.testing.assert_array_equal(out.astype(float), np.floor(wide * 2**24) / 2**24 if real == "float" else wide)


def test_streams_wrap_around(compiler: Compiler, library: Library) -> None:
    ffi, lib = library(compiler, "double", ("uniform.h",), CODE, DECLARATION.format(real="double"))
    out = np.empty(5)
    lib.fill(1, 2**64 - 1, 3, 5, pointer(ffi, out, "double", name="out", writable=True))
    np.testing.assert_array_equal(out, streams.uniform(1, 2, 5))
