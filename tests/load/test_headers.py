"""Each header of the C runtime compiles alone without a warning, and does what NumPy does."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from symbackprop.load.compiler import LIBRARIES, Compiler, flags
from symbackprop.load.library import build, pointer

HEADERS = sorted(p.name for p in (Path(__file__).parents[2] / "templates" / "c" / "runtime").glob("*.h"))
REALS = ("float", "double")
DTYPES: dict[str, Any] = {"float": np.float32, "double": np.float64}
Library = Callable[..., tuple[Any, Any]]


def strict(compiler: Compiler, source: str, folder: Path) -> str:
    """What the compiler says with all warnings as errors; empty when it is content."""
    (folder / "header.c").write_text(source)
    options = (*flags(compiler), "-Wall", "-Wextra", "-Werror")
    command = (*compiler.command, *options, "header.c", "-o", "header.so", *LIBRARIES)
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return done.stderr if done.returncode or done.stderr else ""


@pytest.mark.parametrize("real", REALS)
@pytest.mark.parametrize("header", HEADERS)
def test_a_header_compiles_alone(
    header: str, real: str, compiler: Compiler, runtime: Callable[..., str], tmp_path: Path
) -> None:
    assert strict(compiler, runtime(real, header), tmp_path) == ""


@pytest.mark.parametrize("real", REALS)
def test_all_headers_compile_together_with_clang(real: str, runtime: Callable[..., str], tmp_path: Path) -> None:
    clang = shutil.which("clang")
    if clang is None:
        pytest.skip("no clang on this machine")
    found = Compiler((clang,), "clang", "")
    assert strict(found, runtime(real, "vector_math.h", *HEADERS), tmp_path) == ""


MATHS = """
#define EACH(name, f) void name(const real *x, real *y) { for (int i = 0; i < 1024; i++) y[i] = f; }
EACH(exp_, SBP_FLOAT ? expf(x[i]) : exp(x[i]))
EACH(log_, SBP_FLOAT ? logf(x[i]) : log(x[i]))
EACH(tanh_, SBP_FLOAT ? tanhf(x[i]) : tanh(x[i]))
EACH(log1p_, SBP_FLOAT ? log1pf(x[i]) : log1p(x[i]))
EACH(expm1_, SBP_FLOAT ? expm1f(x[i]) : expm1(x[i]))
EACH(sin_, SBP_FLOAT ? sinf(x[i]) : sin(x[i]))
EACH(cos_, SBP_FLOAT ? cosf(x[i]) : cos(x[i]))
"""
FUNCTIONS = ("exp", "log", "tanh", "log1p", "expm1", "sin", "cos")


@pytest.mark.parametrize("real", REALS)
@pytest.mark.parametrize("function", FUNCTIONS)
def test_vector_functions_agree_with_numpy(function: str, real: str, compiler: Compiler, library: Library) -> None:
    declarations = "".join(f"void {f}_(const {real} *, {real} *);" for f in FUNCTIONS)
    ffi, lib = library(compiler, real, ("vector_math.h",), MATHS, declarations)
    x = np.random.default_rng(0).normal(0.0, 3.0, 1024).astype(DTYPES[real])
    x = np.abs(x) if function == "log" else np.maximum(x, -0.9) if function == "log1p" else x
    y = np.empty_like(x)
    getattr(lib, f"{function}_")(pointer(ffi, x, real), pointer(ffi, y, real, writable=True))
    wide = np.longdouble if real == "double" else np.float64
    expected = getattr(np, function)(x.astype(wide))
    assert np.max(np.abs(y - expected) / np.spacing(np.abs(expected).astype(DTYPES[real]))) <= 4.5


@pytest.mark.parametrize("real", REALS)
def test_gcc_finds_the_vector_functions(real: str, compiler: Compiler, runtime: Callable[..., str]) -> None:
    if compiler.kind != "gcc" or platform.machine() != "x86_64" or not _has_libmvec():
        pytest.skip("libmvec belongs to glibc >= 2.35 on x86-64")
    text = build(runtime(real, "vector_math.h") + MATHS, compiler=compiler).read_bytes()
    suffix = b"f" if real == "float" else b""
    for function in FUNCTIONS:
        assert f"v_{function}".encode() + suffix + b"\0" in text, function


def _has_libmvec() -> bool:
    name, _, version = (os.confstr("CS_GNU_LIBC_VERSION") or "").partition(" ")
    return name == "glibc" and tuple(map(int, version.split("."))) >= (2, 35)


SCALARS = """
#define EACH(name, f) real name(real a, real b) { (void)b; return f; }
EACH(maximum, sbp_max(a, b)) EACH(minimum, sbp_min(a, b)) EACH(sign, sbp_sign(a))
EACH(square, sbp_pow2(a)) EACH(cube, sbp_pow3(a)) EACH(fourth, sbp_pow4(a))
"""


@pytest.mark.parametrize("real", REALS)
def test_scalar_functions_agree_with_numpy(real: str, compiler: Compiler, library: Library) -> None:
    names: dict[str, Callable[[Any, Any], Any]] = {
        "maximum": np.maximum,
        "minimum": np.minimum,
        "sign": lambda a, b: np.sign(a),
        "square": lambda a, b: a**2,
        "cube": lambda a, b: a**3,
        "fourth": lambda a, b: a**4,
    }
    declarations = "".join(f"{real} {n}({real}, {real});" for n in names)
    _, lib = library(compiler, real, ("scalar.h",), SCALARS, declarations)
    values = np.array([-np.inf, -2.5, -1.0, 0.0, 0.5, 3.0, np.inf, np.nan], DTYPES[real])
    for name, function in names.items():
        for a in values:
            for b in values:
                np.testing.assert_equal(getattr(lib, name)(a, b), float(function(a, b)), err_msg=f"{name}({a}, {b})")


FLUSH = """
static volatile real tiny = SBP_FLOAT ? (real)1e-39 : (real)1e-310;
void products(real *out) {
    out[0] = tiny * (real)0.5;
    const uint64_t outer = sbp_flush_begin();
    out[1] = tiny * (real)0.5;
    const uint64_t inner = sbp_flush_begin();
    sbp_flush_end(inner);
    out[2] = tiny * (real)0.5;
    sbp_flush_end(outer);
    out[3] = tiny * (real)0.5;
}
"""


@pytest.mark.parametrize("real", REALS)
def test_subnormal_numbers_are_flushed_and_the_mode_comes_back(real: str, compiler: Compiler, library: Library) -> None:
    if platform.machine() not in {"x86_64", "aarch64", "arm64"}:
        pytest.skip("flushing is for x86 and ARM")
    ffi, lib = library(compiler, real, ("flush.h",), FLUSH, f"void products({real} *);")
    out = np.full(4, np.nan, DTYPES[real])
    lib.products(pointer(ffi, out, real, writable=True))
    assert out[0] > 0.0
    assert out[1] == 0.0
    assert out[2] == 0.0
    assert out[3] == out[0]
