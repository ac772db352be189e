"""Sources are built once, whole or not at all, whoever is killed meanwhile; arrays are checked before C sees them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cffi
import numpy as np
import pytest

from symbackprop.errors import BuildError, DataError
from symbackprop.load import library as module
from symbackprop.load.cache import checksum, clear
from symbackprop.load.compiler import Compiler, find_compiler
from symbackprop.load.library import build, open_library, pointer

SOURCE = "double twice(double x) { return 2*x; }\n"
CHILD = f"""
from symbackprop.load.compiler import find_compiler
from symbackprop.load.library import build, open_library
path = build({SOURCE!r}, compiler=find_compiler())
ffi, lib = open_library(path, "double twice(double);")
assert lib.twice(4.0) == 8.0
print(path)
"""
Wrapped = Callable[[str], str]


def child() -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", CHILD], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def works(path: Path) -> bool:
    """Whether the library at `path` can be used, in a process of its own: a path is loaded once a process."""
    code = f"import cffi; f = cffi.FFI(); f.cdef('double twice(double);'); print(f.dlopen({str(path)!r}).twice(4.0))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    return done.stdout.strip() == "8.0"


def test_a_source_is_built_once(cache: Path, compiler: Compiler) -> None:
    path = build(SOURCE, compiler=compiler)
    before = path.stat()
    assert path.parent == cache / "libraries"
    assert build(SOURCE, compiler=compiler) == path
    assert path.stat().st_ino == before.st_ino
    assert open_library(path, "double twice(double);")[1].twice(4.0) == 8.0
    assert build(SOURCE + "\n", compiler=compiler) != path
    assert sorted(p.suffix for p in path.parent.iterdir()) == [".sha256", ".sha256", ".so", ".so"]


def test_the_name_depends_on_compiler_flags_and_processor(
    cache: Path, compiler: Compiler, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = {build(SOURCE, compiler=compiler)}
    names.add(build(SOURCE, compiler=Compiler(compiler.command, compiler.kind, "another version")))
    names.add(build(SOURCE, compiler=Compiler(compiler.command, "other", compiler.version)))
    monkeypatch.setattr(module, "cpu_features", lambda: "another processor")
    names.add(build(SOURCE, compiler=compiler))
    assert len(names) == 4


@pytest.mark.parametrize("damage", ["cut", "changed", "no checksum", "wrong checksum", "no library"])
def test_a_damaged_library_is_built_again(cache: Path, compiler: Compiler, damage: str) -> None:
    path = build(SOURCE, compiler=compiler)
    whole, sums = path.read_bytes(), path.with_suffix(".sha256")
    if damage == "cut":
        path.write_bytes(whole[:-1000])
    elif damage == "changed":
        path.write_bytes(whole[:-1] + b"!")
    elif damage == "no checksum":
        sums.unlink()
    elif damage == "wrong checksum":
        sums.write_bytes(b"\xff" * 64)
    else:
        path.unlink()
    assert build(SOURCE, compiler=compiler) == path
    assert len(path.read_bytes()) == len(whole)
    assert checksum(path.read_bytes()) == sums.read_text()
    assert works(path)


def test_processes_that_build_the_same_at_once_share_one_build(
    cache: Path, tmp_path: Path, wrapped: Wrapped, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "log"
    monkeypatch.setenv("CC", wrapped(f"echo built >> '{log}'; sleep 0.5"))
    running = [child() for _ in range(3)]
    paths = set()
    for process in running:
        said, complaint = process.communicate(timeout=60)
        assert process.returncode == 0, complaint
        paths.add(said.strip())
    assert len(paths) == 1
    assert works(Path(paths.pop()))
    assert log.read_text() == "built\n"
    assert not [p for p in (cache / "libraries").iterdir() if p.name.startswith(".tmp-")]


def test_a_process_killed_in_the_middle_leaves_a_usable_cache(
    cache: Path, tmp_path: Path, wrapped: Wrapped, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, started = tmp_path / "slow", tmp_path / "started"
    slow.touch()
    monkeypatch.setenv("CC", wrapped(f"if [ -e '{slow}' ]; then echo $$ > '{started}'; exec sleep 60; fi"))
    process = child()
    deadline = time.monotonic() + 30
    while not (started.exists() and started.read_text().strip()) and time.monotonic() < deadline:
        time.sleep(0.01)
    process.kill()
    process.communicate(timeout=10)
    os.kill(int(started.read_text()), signal.SIGKILL)  # the compiler, which outlives its starter
    leftovers = list((cache / "libraries").iterdir())
    assert leftovers
    assert all(p.name.startswith(".tmp-") for p in leftovers)
    slow.unlink()
    path = build(SOURCE, compiler=find_compiler())
    assert works(path)


def test_without_a_compiler_the_cure_is_said(cache: Path) -> None:
    with pytest.raises(BuildError, match=r"no C compiler was found.*apt-get install gcc"):
        build(SOURCE, compiler=None)


def test_a_failing_compiler_keeps_the_source(cache: Path, compiler: Compiler) -> None:
    source = "int f(void) { return no_such_name; } /* η */\n"
    with pytest.raises(BuildError, match="failed with exit status 1") as raised:
        build(source, compiler=compiler)
    message = str(raised.value)
    kept = next(Path(line.split()[-1]) for line in message.splitlines() if line.strip().startswith("source:"))
    assert kept.parent == cache / "failed"
    assert kept.read_text(encoding="utf-8") == source
    assert "no_such_name" in message
    assert f"{compiler.command[0]} " in message
    assert not list((cache / "libraries").iterdir())


def test_a_long_complaint_is_cut(cache: Path, wrapped: Wrapped, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", wrapped("yes complaint | head -c 100000; exit 1"))
    with pytest.raises(BuildError, match=r"96000 more characters") as raised:
        build(SOURCE, compiler=find_compiler())
    assert len(str(raised.value)) < 6000


def test_a_compiler_that_hangs_is_ended(
    cache: Path, tmp_path: Path, wrapped: Wrapped, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = tmp_path / "started"
    monkeypatch.setenv("CC", wrapped(f"sleep 60 & echo $! > '{started}'; wait"))
    with pytest.raises(BuildError, match=r"took longer than 0.5 s"):
        build(SOURCE, compiler=find_compiler(), timeout=0.5)
    deadline = time.monotonic() + 10
    while _runs(int(started.read_text())) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not _runs(int(started.read_text()))


def _runs(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def test_a_compiler_that_vanished_is_named(cache: Path) -> None:
    with pytest.raises(BuildError, match="No such file"):
        build(SOURCE, compiler=Compiler(("/nowhere/cc",), "gcc", ""))


def test_a_full_disk_under_the_compiler_falls_back(
    cache: Path, wrapped: Wrapped, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = f"case \"$*\" in *'{cache}'*) echo 'as: No space left on device' >&2; exit 1;; esac"
    monkeypatch.setenv("CC", wrapped(command))
    with pytest.warns(RuntimeWarning, match="cannot be written"):
        path = build(SOURCE, compiler=find_compiler())
    assert cache not in path.parents
    assert build(SOURCE, compiler=find_compiler()) == path
    assert works(path)


def test_a_file_that_is_no_library_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.so").write_bytes(b"not a library")
    with pytest.raises(BuildError, match=r"x\.so cannot be loaded.*cache --clear"):
        open_library(tmp_path / "x.so", "int f(void);")


def test_an_open_library_outlives_the_cache(cache: Path, compiler: Compiler) -> None:
    _, lib = open_library(build(SOURCE, compiler=compiler), "double twice(double);")
    clear()
    assert lib.twice(1.5) == 3.0
    assert works(build(SOURCE, compiler=compiler))


@pytest.fixture
def ffi() -> Any:
    return cffi.FFI()


@pytest.mark.parametrize(("ctype", "dtype"), sorted(module.DTYPES.items()))
def test_a_pointer_is_the_arrays_memory(ffi: Any, ctype: str, dtype: str) -> None:
    array = np.arange(6, dtype=dtype).reshape(2, 3)
    made = pointer(ffi, array, ctype, writable=True)
    assert ffi.sizeof(ffi.typeof(made).item) == array.itemsize
    made[4] = 40
    assert array[1, 1] == 40
    assert len(pointer(ffi, array[:0], ctype)) == 0
    assert pointer(ffi, np.array(7, dtype), ctype)[0] == 7


def test_a_pointer_keeps_its_array_alive(ffi: Any) -> None:
    made = pointer(ffi, np.full(100_000, 3.0), "double")
    np.full(100_000, 4.0)
    assert made[99_999] == 3.0


def _read_only() -> np.ndarray[Any, Any]:
    array = np.zeros(3, np.float32)
    array.flags.writeable = False
    return array


@pytest.mark.parametrize(
    ("array", "reason"),
    [
        (np.zeros(3), "must be float32 .* got dtype\\('float64'\\)"),
        (np.zeros(3, np.int32), "must be float32"),
        (np.zeros(3, np.dtype(np.float32).newbyteorder()), "native byte order"),
        (np.zeros((3, 4), np.float32).T, "C-contiguous"),
        (np.zeros(8, np.float32)[::2], "C-contiguous"),
        (np.zeros(13, np.uint8)[1:].view(np.float32), "aligned"),
        (_read_only(), "read-only"),
    ],
)
def test_unfit_arrays_are_refused(ffi: Any, array: np.ndarray[Any, Any], reason: str) -> None:
    with pytest.raises(DataError, match=f"(?s)weights .*{reason}"):
        pointer(ffi, array, "float", name="weights", writable=True)


def test_read_only_arrays_can_be_read(ffi: Any) -> None:
    assert list(pointer(ffi, _read_only(), "float")) == [0.0, 0.0, 0.0]
