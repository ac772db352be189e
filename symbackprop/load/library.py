"""Build C sources into shared libraries, open them, and hand arrays to them."""

from __future__ import annotations

import errno
import functools
import json
import os
import shlex
import signal
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import BuildError, DataError
from .cache import checksum
from .compiler import LIBRARIES as LINKED
from .compiler import Compiler, cpu_features, flags
from .folder import FAILED, LIBRARIES, folder_in, locked, roots, temporary_in, write_atomically, writing

if TYPE_CHECKING:
    import numpy as np

BUILD_SECONDS = 300.0
MESSAGE_CHARACTERS = 4000
DTYPES = {
    "float": "float32",
    "double": "float64",
    "int32_t": "int32",
    "int64_t": "int64",
    "uint32_t": "uint32",
    "uint64_t": "uint64",
}
"""C type -> the dtype of an array of it."""


def build(source: str, *, compiler: Compiler | None, timeout: float = BUILD_SECONDS) -> Path:
    """The shared library of a C source, from the cache or compiled now (`timeout` in seconds).

    Raises `BuildError` when there is no compiler, or when it fails or takes too long: the message holds the
    command, what the compiler said and where the source is kept.
    """
    if compiler is None:
        raise BuildError(
            "no C compiler was found: neither CC, gcc, clang, cc nor the ziglang wheel. Install one (such as "
            "`apt-get install gcc`, `xcode-select --install` or `pip install ziglang`), or use target='numpy'."
        )
    options = flags(compiler)
    facts = (source, compiler.command, compiler.kind, compiler.version, options, LINKED, cpu_features())
    key = checksum(json.dumps(facts).encode())
    for root in roots():
        if (library := _find(root, key)) is not None:
            return library
    return writing(lambda root: _build(root, key, source, (*compiler.command, *options), timeout))


def _find(root: Path, key: str) -> Path | None:
    """The library if it is there and whole."""
    library = root / LIBRARIES / f"{key}.so"
    with suppress(OSError):
        if checksum(library.read_bytes()).encode() == library.with_suffix(".sha256").read_bytes():
            return library
    return None


def _build(root: Path, key: str, source: str, command: tuple[str, ...], timeout: float) -> Path:
    with locked(root, key):
        found = _find(root, key)  # another process may have built it meanwhile
        return found or _compile(root, key, source, command, timeout)


def _compile(root: Path, key: str, source: str, command: tuple[str, ...], timeout: float) -> Path:
    """Compile in a temporary folder and move the library, after its checksum, to its place."""
    folder = folder_in(root, LIBRARIES)
    with temporary_in(folder) as temporary:
        code, made = temporary / "program.c", temporary / "program.so"
        code.write_text(source, encoding="utf-8")
        status, said = _run((*command, str(code), "-o", str(made), *LINKED), temporary, timeout)
        if "No space left on device" in said:
            raise OSError(errno.ENOSPC, "the compiler found no space left", str(folder))
        if status != 0 or not made.is_file():
            raise BuildError(_failure(root, key, source, command, status, said, timeout))
        library = folder / f"{key}.so"
        write_atomically(library.with_suffix(".sha256"), checksum(made.read_bytes()).encode())
        os.replace(made, library)
    return library


def _run(command: tuple[str, ...], folder: Path, timeout: float) -> tuple[int | None, str]:
    """Exit status (None: out of time) and output. The whole process group ends with this call."""
    environment = {**os.environ, "LC_ALL": "C", "TMPDIR": str(folder)}
    try:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except OSError as error:
        return -1, str(error)
    with process:
        try:
            said, _ = process.communicate(timeout=timeout)
            return process.returncode, said.decode(errors="replace")
        except subprocess.TimeoutExpired:
            return None, ""
        finally:
            if process.poll() is None:
                _kill(process)


def _kill(process: subprocess.Popen[bytes]) -> None:
    with suppress(OSError):
        os.killpg(process.pid, signal.SIGKILL)
    process.kill()


def _failure(
    root: Path, key: str, source: str, command: tuple[str, ...], status: int | None, said: str, timeout: float
) -> str:
    """Keeps the source, and says what happened."""
    kept = folder_in(root, FAILED) / f"{key}.c"
    write_atomically(kept, source.encode())
    what = f"took longer than {timeout:g} s" if status is None else f"failed with exit status {status}"
    if len(said) > MESSAGE_CHARACTERS:
        said = f"{said[:MESSAGE_CHARACTERS]}\n... ({len(said) - MESSAGE_CHARACTERS} more characters)"
    again = shlex.join((*command, str(kept), "-o", "program.so", *LINKED))
    return (
        f"the C compiler {what}.\n  command: {again}\n  source:  {kept}\n{said.strip()}\n"
        "Run the command to see it again. If the compiler is broken or too old, set CC to another one; "
        "target='numpy' needs none."
    )


@functools.lru_cache(maxsize=128)
def open_library(path: Path, declarations: str) -> tuple[Any, Any]:
    """cffi's `ffi` and the library at `path`, whose functions and types `declarations` names in C.

    The result is kept, so pointers made for one user of a library suit the others. Raises `BuildError` when
    the file cannot be loaded.
    """
    from cffi import FFI

    ffi: Any = FFI()
    ffi.cdef(declarations)
    try:
        return ffi, ffi.dlopen(str(path))
    except OSError as error:
        raise BuildError(
            f"the library {path} cannot be loaded: {error}. Run `symbackprop cache --clear`; if it stays so, the "
            "compiler builds for another machine than this: set CC to another one."
        ) from error


def pointer(ffi: Any, array: np.ndarray[Any, Any], ctype: str, *, name: str = "array", writable: bool = False) -> Any:
    """A C array `ctype[]` that is the memory of `array`, and keeps it alive.

    cffi itself checks neither dtype nor alignment. Raises `DataError` unless `array` has the dtype of `ctype` in
    native byte order, is C-contiguous, aligned and, where `writable` is set, can be written.
    """
    dtype, kind = array.dtype, DTYPES[ctype]
    if dtype.name != kind or not dtype.isnative:
        raise DataError(
            f"{name} must be {kind} in native byte order; got {dtype!r}. Convert it: np.ascontiguousarray(x, {kind!r})."
        )
    if not (array.flags.c_contiguous and array.flags.aligned):
        raise DataError(
            f"{name} of shape {array.shape} and strides {array.strides} must be C-contiguous and aligned. Copy it: "
            "np.array(x, order='C')."
        )
    if writable and not array.flags.writeable:
        raise DataError(f"{name} must be writable, but is read-only. Copy it: np.array(x).")
    return ffi.from_buffer(f"{ctype}[]", array, require_writable=writable)
