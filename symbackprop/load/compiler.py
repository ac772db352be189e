"""Find a C compiler, its flags, and what the processor can do.

To add a kind of compiler, give it a row in `_kind` and, where its flags differ, one in `flags`.
"""

from __future__ import annotations

import functools
import importlib.util
import os
import platform
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ..errors import BuildError
from .cache import installed_version

Kind = Literal["gcc", "clang", "zig", "other"]

ANSWER_SECONDS = 30.0
X86 = ("x86_64", "amd64", "i386", "i686")
TUNED = ("aarch64", "arm64", "ppc64le")
"""Machines on which `-mcpu=native` stands for this processor."""
LIBRARIES = ("-lm",)
CPU_LINES = ("flags", "features", "isa", "model", "model name", "cpu", "cpu implementer", "cpu part")
"""What tells processors apart in /proc/cpuinfo, over all architectures."""


@dataclass(frozen=True, slots=True)
class Compiler:
    """A C compiler that answered.

    `command` starts it (program and first arguments); `kind` chooses the flags; `version` is what it says of
    itself, a part of every cache key.
    """

    command: tuple[str, ...]
    kind: Kind
    version: str


def find_compiler() -> Compiler | None:
    """The compiler of the environment variable CC, else gcc, clang, cc, else the ziglang wheel, else None.

    Raises `BuildError` when CC names something that is missing or does not answer.
    """
    return _find(os.environ.get("CC", "").strip(), os.environ.get("PATH", ""))


@functools.lru_cache(maxsize=16)
def _find(chosen: str, path: str) -> Compiler | None:
    if chosen:
        return _chosen(chosen, path)
    for name in ("gcc", "clang", "cc"):
        program = shutil.which(name, path=path)
        answer = None if program is None else _answer((program,))
        if program is not None and answer is not None:
            return Compiler((program,), _kind((program,), answer), answer)
    if importlib.util.find_spec("ziglang") is not None:
        return Compiler((sys.executable, "-m", "ziglang", "cc"), "zig", f"ziglang {installed_version('ziglang')}")
    return None


def _chosen(value: str, path: str) -> Compiler:
    cure = "Set CC to a C compiler (such as gcc), or unset it, so that gcc, clang, cc and zig are looked for."
    try:
        words = shlex.split(value)
    except ValueError as error:
        raise BuildError(f"the environment variable CC is {value!r}, which is unclear ({error}). {cure}") from error
    program = shutil.which(words[0], path=path)
    if program is None:
        raise BuildError(f"the environment variable CC is {value!r}, but there is no program {words[0]!r}. {cure}")
    command = (program, *words[1:])
    answer = _answer(command)
    if answer is None:
        raise BuildError(f"the environment variable CC is {value!r}, but `{value} --version` failed. {cure}")
    return Compiler(command, _kind(command, answer), answer)


def _answer(command: tuple[str, ...]) -> str | None:
    """What `--version` prints, None when it fails."""
    try:
        done = subprocess.run(
            [*command, "--version"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=ANSWER_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return None if done.returncode else done.stdout.decode(errors="replace").strip()


def _kind(command: tuple[str, ...], answer: str) -> Kind:
    if any(Path(word).stem in {"zig", "ziglang"} for word in command):
        return "zig"
    if "clang" in answer:
        return "clang"
    return "gcc" if "Free Software Foundation" in answer else "other"


def flags(compiler: Compiler, machine: str | None = None) -> tuple[str, ...]:
    """The flags of a shared library for this processor; `machine` is `platform.machine()` unless given.

    No flag changes what an expression means: NaN, infinities, signed zeros and the order of sums stay.
    """
    machine = (machine or platform.machine()).lower()
    common = ("-O3", "-std=gnu11", "-fPIC", "-shared")
    if compiler.kind == "other":
        return common
    native: tuple[str, ...] = ("-march=native", "-mprefer-vector-width=512") if machine in X86 else ()
    if machine in TUNED:
        native = ("-mcpu=native",)
    vector = compiler.kind != "gcc" and machine == "x86_64" and _libc().startswith("glibc")
    library = ("-fveclib=libmvec",) if vector else ()
    # gcc's unroll-and-jam turns sums over a few rows into loops that it then cannot vectorize; tuned for some
    # processors it fuses a*b + c in some tiles and not in others, and a row's result would depend on its place
    own = ("-fno-loop-unroll-and-jam", "--param=avoid-fma-max-bits=0") if compiler.kind == "gcc" else ()
    return (*common, *native, "-fno-math-errno", "-fno-trapping-math", "-fopenmp-simd", *own, *library)


def cpu_features() -> str:
    """What the processor and the C library are, as text: code built for other features is never loaded."""
    return "\n".join((sys.platform, platform.machine(), _libc(), *_cpu_lines()))


def _libc() -> str:
    try:
        return os.confstr("CS_GNU_LIBC_VERSION") or ""
    except (AttributeError, OSError, ValueError):
        return ""


@functools.cache
def _cpu_lines() -> tuple[str, ...]:
    """The first processor's lines that tell it from others."""
    if platform.system() == "Darwin":
        known = subprocess.run(["sysctl", "machdep.cpu"], stdout=subprocess.PIPE, check=False).stdout
        return (known.decode(errors="replace"),)
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            block = file.read(16384).partition("\n\n")[0]
    except OSError:
        return (platform.processor(),)
    return tuple(line for line in block.splitlines() if line.partition(":")[0].strip().lower() in CPU_LINES)
