"""Tiles and panels of the C runtime against NumPy, for several widths of the vector registers."""

from __future__ import annotations

import dataclasses
import itertools
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from symbackprop.load.compiler import Compiler, cpu_features
from symbackprop.load.library import pointer

Array = np.ndarray[Any, Any]
DTYPES: dict[str, Any] = {"float": np.float32, "double": np.float64}
PRODUCT = """
#define PRODUCT(vectors) \\
    for (int64_t j = 0; j < N; j += SBP_COLUMNS(vectors)) \\
        for (int64_t i = 0; i < M; i += SBP_ROWS(vectors)) { \\
            const int64_t down = M - i < SBP_ROWS(vectors) ? M - i : SBP_ROWS(vectors); \\
            const int64_t across = N - j < SBP_COLUMNS(vectors) ? N - j : SBP_COLUMNS(vectors); \\
            SBP_TILE_ARRAY(tile); \\
            sbp_tile((int)down, vectors, K, A + i * a_row, a_row, a_col, packed ? panel + j * K : B + j, \\
                     packed ? SBP_COLUMNS(vectors) : b_row, tile); \\
            for (int64_t r = 0; r < down; r++) \\
                for (int64_t c = 0; c < across; c++) \\
                    C[(i + r) * N + j + c] = tile[r * SBP_COLUMNS(vectors) + c]; \\
        }

void product(int vectors, int packed, int64_t M, int64_t N, int64_t K, const real *A, int64_t a_row, int64_t a_col,
             const real *B, int64_t b_row, int64_t b_col, real *panel, real *C) {
    if (packed) sbp_pack(vectors, B, b_row, b_col, K, N, panel);
    if (vectors == 1) { PRODUCT(1) } else if (vectors == 2) { PRODUCT(2) } else { PRODUCT(3) }
}
int64_t panel_size(int vectors, int64_t K, int64_t N) { return SBP_PACKED(vectors, K, N); }
int tile_columns(int vectors) { return SBP_COLUMNS(vectors); }
int tile_rows(int vectors) { return SBP_ROWS(vectors); }
int vectors_for(int64_t columns) { return SBP_VECTORS(columns); }
"""
DECLARATIONS = """
void product(int vectors, int packed, int64_t M, int64_t N, int64_t K, const {real} *A, int64_t a_row, int64_t a_col,
             const {real} *B, int64_t b_row, int64_t b_col, {real} *panel, {real} *C);
int64_t panel_size(int vectors, int64_t K, int64_t N);
int tile_columns(int vectors);
int tile_rows(int vectors);
int vectors_for(int64_t columns);
"""
SHAPES = [
    (1, 1, 1), (1, 1, 0), (2, 3, 5), (7, 13, 31), (16, 16, 16), (17, 33, 18), (29, 10, 32), (32, 64, 64),
    (15, 48, 1), (11, 97, 40), (23, 5, 67), (9, 16, 128),
]  # fmt: skip


@pytest.fixture(scope="module", params=["native", "baseline", "avx2"])
def target(request: pytest.FixtureRequest, compiler: Compiler) -> Compiler:
    """This processor as it is, and with narrower vector registers."""
    if request.param == "native":
        return compiler
    plain = dataclasses.replace(compiler, kind="other")
    if request.param == "avx2":
        if " avx2 " not in cpu_features() or compiler.kind not in ("gcc", "clang", "zig"):
            pytest.skip("no AVX2 here")
        plain = dataclasses.replace(plain, command=(*compiler.command, "-mavx2", "-mfma"))
    return plain


@pytest.fixture(scope="module", params=["float", "double"])
def products(
    request: pytest.FixtureRequest, target: Compiler, library: Callable[..., tuple[Any, Any]]
) -> tuple[str, Any, Any]:
    """(real, ffi, library) of the product above."""
    real = request.param
    headers = ("vector.h", "gemm.h", "pack.h")
    return (real, *library(target, real, headers, PRODUCT, DECLARATIONS.format(real=real)))


def strides(matrix: Array) -> tuple[int, int]:
    """Strides in entries."""
    return matrix.strides[0] // matrix.itemsize, matrix.strides[1] // matrix.itemsize


def matrix(rng: np.random.Generator, shape: tuple[int, int], layout: str, dtype: Any) -> Array:
    """Small whole numbers, so that sums are exact, in one of the layouts."""
    m, n = shape
    if layout == "rows":
        return rng.integers(-4, 5, (m, n)).astype(dtype)
    if layout == "columns":
        return rng.integers(-4, 5, (n, m)).astype(dtype).T
    if layout == "part":
        return rng.integers(-4, 5, (m, n + 3)).astype(dtype)[:, :n]
    return rng.integers(-4, 5, (m + 1, 2 * n + 1)).astype(dtype)[:m, : 2 * n : 2]


def multiply(products: tuple[str, Any, Any], vectors: int, packed: bool, a: Array, b: Array) -> Array:
    real, ffi, lib = products
    m, n, k = len(a), b.shape[1], len(b)
    out = np.full((m, n), np.nan, a.dtype)
    panel = np.full(lib.panel_size(vectors, k, n) if packed else 0, np.nan, a.dtype)
    a_at, b_at = (ffi.cast(f"{real} *", x.ctypes.data) for x in (a, b))
    panel_at, out_at = (pointer(ffi, x, real, writable=True) for x in (panel, out))
    lib.product(vectors, packed, m, n, k, a_at, *strides(a), b_at, *strides(b), panel_at, out_at)
    if packed:
        assert not np.isnan(panel).any(), "a part of the panel was not written"
    return out


@pytest.mark.parametrize("vectors", [1, 2, 3])
@pytest.mark.parametrize("shape", SHAPES)
def test_packed_products_are_exact(products: tuple[str, Any, Any], vectors: int, shape: tuple[int, int, int]) -> None:
    m, n, k = shape
    rng = np.random.default_rng(m * n + k)
    layouts = ("rows", "columns", "part", "every other")
    for left, right in itertools.product(layouts, layouts):
        a = matrix(rng, (m, k), left, DTYPES[products[0]])
        b = matrix(rng, (k, n), right, DTYPES[products[0]])
        np.testing.assert_array_equal(multiply(products, vectors, True, a, b), a @ b, err_msg=f"{left} {right}")


@pytest.mark.parametrize("vectors", [1, 2, 3])
@pytest.mark.parametrize("rows", [1, 2, 3, 5, 8, 13, 16, 21, 32])
def test_products_in_place_are_exact(products: tuple[str, Any, Any], vectors: int, rows: int) -> None:
    real, _, lib = products
    rng = np.random.default_rng(rows)
    for panels, depth in ((1, 7), (2, 32), (3, 1)):
        columns = panels * lib.tile_columns(vectors)
        for left, right in itertools.product(("rows", "columns"), ("rows", "part")):
            a = matrix(rng, (rows, depth), left, DTYPES[real])
            b = matrix(rng, (depth, columns), right, DTYPES[real])
            np.testing.assert_array_equal(multiply(products, vectors, False, a, b), a @ b)


def test_products_of_random_numbers_are_close(products: tuple[str, Any, Any]) -> None:
    rng = np.random.default_rng(3)
    dtype = DTYPES[products[0]]
    a, b = rng.normal(size=(37, 61)).astype(dtype), rng.normal(size=(61, 43)).astype(dtype)
    bound = 61 * np.finfo(dtype).eps * (np.abs(a) @ np.abs(b)).astype(np.float64)
    wide = a.astype(np.float64) @ b.astype(np.float64)
    assert (np.abs(multiply(products, 2, True, a, b) - wide) <= bound).all()


def test_a_row_does_not_depend_on_its_place_in_the_batch(products: tuple[str, Any, Any]) -> None:
    rng = np.random.default_rng(4)
    dtype = DTYPES[products[0]]
    a, b = rng.normal(size=(19, 45)).astype(dtype), rng.normal(size=(45, 50)).astype(dtype)
    whole = multiply(products, 2, True, a, b)
    for vectors in (1, 2, 3):
        for row in range(19):
            one = multiply(products, vectors, True, np.ascontiguousarray(a[row : row + 1]), b)
            np.testing.assert_array_equal(one[0], whole[row])


def test_the_width_of_tiles_wastes_least(products: tuple[str, Any, Any]) -> None:
    _, _, lib = products
    lanes = lib.tile_columns(1)
    for columns in range(1, 20 * lanes + 2):
        filled = {v: -(-columns // (v * lanes)) * v for v in (1, 2, 3)}
        cost = {v: filled[v] * (9 if v == 1 else 8) for v in filled}
        assert lib.vectors_for(columns) == min((2, 1, 3), key=lambda v: cost[v]), columns
    assert [lib.vectors_for(n * lanes) for n in (1, 2, 3, 4, 6, 8)] == [1, 2, 3, 2, 2, 2]


SANITIZED = """
#include <stdio.h>
#include <stdlib.h>

static real *numbers(int64_t count) {
    real *made = malloc((size_t)count * sizeof(real)); /* to the byte: one entry too far is an error */
    for (int64_t i = 0; i < count; i++) made[i] = (real)((i * 7 + 3) % 11 - 5);
    return made;
}

static int check(int vectors, int64_t M, int64_t N, int64_t K, int a_turned, int b_turned) {
    real *A = numbers(M * K), *B = numbers(K * N), *C = numbers(M * N);
    real *panel = numbers(SBP_PACKED(vectors, K, N));
    const int64_t a_row = a_turned ? 1 : K, a_col = a_turned ? M : 1;
    const int64_t b_row = b_turned ? 1 : N, b_col = b_turned ? K : 1;
    const int packed = b_turned || N % SBP_COLUMNS(vectors);
    int wrong = 0;
    product(vectors, packed, M, N, K, A, a_row, a_col, B, b_row, b_col, panel, C);
    for (int64_t i = 0; i < M; i++)
        for (int64_t j = 0; j < N; j++) {
            real sum = 0;
            for (int64_t k = 0; k < K; k++) sum += A[i * a_row + k * a_col] * B[k * b_row + j * b_col];
            wrong += sum != C[i * N + j];
        }
    free(A), free(B), free(C), free(panel);
    return wrong;
}

int main(void) {
    int wrong = 0;
    const int64_t M[] = { 1, 7, 17 }, N[] = { 1, 10, 33, 96 }, K[] = { 1, 16, 37 };
    for (int vectors = 1; vectors <= 3; vectors++)
        for (int i = 0; i < 3; i++)
            for (int j = 0; j < 4; j++)
                for (int k = 0; k < 3; k++)
                    for (int turned = 0; turned < 4; turned++)
                        wrong += check(vectors, M[i], N[j], K[k], turned & 1, turned >> 1);
    const int64_t rows[] = { 1, 64, 65, 2048, 2049 };
    for (int r = 0; r < 5; r++) {
        int64_t *order = malloc((size_t)rows[r] * sizeof(int64_t)), sum = 0;
        uint64_t *scratch = malloc((size_t)SBP_SHUFFLE_SCRATCH(rows[r]) * sizeof(uint64_t));
        sbp_shuffle(1, 2, rows[r], order, scratch);
        for (int64_t i = 0; i < rows[r]; i++) sum += order[i];
        wrong += sum != rows[r] * (rows[r] - 1) / 2;
        free(order), free(scratch);
    }
    printf("%d wrong\\n", wrong);
    return wrong != 0;
}
"""


@pytest.mark.parametrize("real", ["float", "double"])
def test_sanitizers_find_nothing(real: str, compiler: Compiler, runtime: Callable[..., str], tmp_path: Path) -> None:
    headers = ("vector.h", "gemm.h", "pack.h", "shuffle.h")
    sanitizers = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-O1", "-g", "-std=gnu11")
    command = (*compiler.command, "-march=native", *sanitizers)
    (tmp_path / "empty.c").write_text("int main(void) { return 0; }\n")
    trial = subprocess.run((*command, "empty.c", "-o", "empty"), cwd=tmp_path, capture_output=True, check=False)
    if trial.returncode:
        pytest.skip("this compiler has no sanitizers")
    (tmp_path / "main.c").write_text(runtime(real, *headers) + PRODUCT + SANITIZED)
    subprocess.run((*command, "main.c", "-o", "main"), cwd=tmp_path, check=True)
    environment = {**os.environ, "ASAN_OPTIONS": "detect_leaks=0"}
    done = subprocess.run(
        ("./main",), cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert (done.returncode, done.stdout) == (0, "0 wrong\n"), done.stderr
