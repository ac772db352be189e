"""What the tests of loading share: a cache and compilers of their own, and the C runtime as text."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from symbackprop.load import folder
from symbackprop.load.compiler import Compiler, find_compiler
from symbackprop.load.library import build, open_library

RUNTIME = Path(__file__).resolve().parents[2] / "templates" / "c" / "runtime"
NEEDS = {"shuffle.h": ("philox.h",), "uniform.h": ("philox.h",), "gemm.h": ("vector.h",), "pack.h": ("vector.h",)}


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty cache, and no memory of an earlier fallback."""
    root = tmp_path / "cache"
    monkeypatch.setenv("SYMBACKPROP_CACHE_DIR", str(root))
    monkeypatch.setattr(folder, "_private", [])
    yield root
    folder._remove_private()


@pytest.fixture(scope="session")
def compiler() -> Compiler:
    """This machine's C compiler."""
    found = find_compiler()
    if found is None:
        pytest.skip("no C compiler on this machine")
    return found


@pytest.fixture(scope="session")
def runtime() -> Callable[..., str]:
    """`runtime(real, *headers)`: these headers, after what they need, pasted as in an emitted file."""

    def text(real: str, *headers: str) -> str:
        wanted = dict.fromkeys(name for header in headers for name in (*NEEDS.get(header, ()), header))
        start = f"typedef {real} real;\n#define SBP_FLOAT {int(real == 'float')}\n"
        return start + "".join((RUNTIME / name).read_text(encoding="utf-8") for name in wanted)

    return text


@pytest.fixture(scope="session")
def library(runtime: Callable[..., str], cache_dir: str) -> Callable[..., tuple[Any, Any]]:
    """`library(compiler, real, headers, code, declarations)`: the opened library of a C snippet."""

    def opened(
        compiler: Compiler, real: str, headers: tuple[str, ...], code: str, declarations: str
    ) -> tuple[Any, Any]:
        assert cache_dir
        return open_library(build(runtime(real, *headers) + code, compiler=compiler), declarations)

    return opened


@pytest.fixture
def wrapped(tmp_path: Path, compiler: Compiler) -> Callable[[str], str]:
    """`wrapped(commands)`: the path of a compiler that runs shell commands before each compilation."""

    def script(commands: str) -> str:
        path = tmp_path / "wrapped-cc"
        path.write_text(
            f"""#!/bin/sh
case "$*" in *--version*) ;; *) {commands} ;; esac
unset CC  # zig would run it again, to find the C library
exec {shlex.join(compiler.command)} "$@"
"""
        )
        path.chmod(0o755)
        return str(path)

    return script
