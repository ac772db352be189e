"""The cache's folder: where it is, that it is safe, and how files get into it.

A file or folder appears by a rename, so a process that is killed leaves at most a folder `.tmp-...`, which counts
for nothing and is swept up later.
"""

from __future__ import annotations

import atexit
import errno
import os
import shutil
import stat
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from ..errors import BuildError

Result = TypeVar("Result")

VARIABLE = "SYMBACKPROP_CACHE_DIR"
SOURCES, LIBRARIES, LOCKS, FAILED = FOLDERS = ("sources", "libraries", "locks", "failed")
TAG, TEMPORARY = "CACHEDIR.TAG", ".tmp-"
TAG_TEXT = "Signature: 8a477f597d28d172789f06886806bc55\n# Made by symbackprop; it may be deleted at any time.\n"
STALE_SECONDS = 3600.0
LOCK_SECONDS = 600.0
UNWRITABLE = frozenset({errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOSPC, errno.EDQUOT})

_private: list[tuple[int, Path]] = []  # (process, temporary cache) where the real one cannot be written


def cache_root() -> Path:
    """The folder of the cache, made (mode 0700) when absent: $SYMBACKPROP_CACHE_DIR, else the user's cache folder.

    Where it cannot be made (a read-only or full disk) a temporary folder takes its place, with one warning.
    Raises `BuildError` when others may write to it, or when it holds something else.
    """
    root = _configured()
    try:
        _prepare(root)
    except OSError as error:
        if error.errno in UNWRITABLE:
            return _private_root(root, error)
        raise BuildError(f"the cache folder {root} cannot be used: {error}. {_cure()}") from error
    return root


def _configured() -> Path:
    chosen = os.environ.get(VARIABLE)
    if chosen:
        return Path(chosen).expanduser().absolute()
    from platformdirs import user_cache_path

    return user_cache_path("symbackprop")


def _cure() -> str:
    return f"Set {VARIABLE} to a folder of your own that is empty or does not exist yet."


def _prepare(root: Path) -> None:
    """Make the folder unless it is there, and refuse an unsafe one or one that is no cache."""
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    _check_safe(root)
    if (root / TAG).exists():
        return
    foreign = [n for n in os.listdir(root) if not n.startswith(TEMPORARY) and n not in (TAG, *FOLDERS)]
    if foreign:
        raise BuildError(f"the cache folder {root} holds other things, such as {min(foreign)!r}. {_cure()}")
    write_atomically(root / TAG, TAG_TEXT.encode())


def _check_safe(root: Path) -> None:
    link, folder = root.lstat(), root.stat()
    if not hasattr(os, "geteuid"):
        return
    user = os.geteuid()
    strangers = ({folder.st_uid} - {user}) | ({link.st_uid} - {user, 0})  # root may own a link, not the folder
    if strangers:
        raise BuildError(
            f"the cache folder {root} belongs to user {max(strangers)}, not to you (user {user}): its owner could "
            f"replace the code that you run. {_cure()}"
        )
    if folder.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise BuildError(
            f"the cache folder {root} has mode {stat.S_IMODE(folder.st_mode):04o}: others could replace the code that "
            f"you run. Run `chmod go-w {root}`, or set {VARIABLE} to another folder."
        )


def _private_root(root: Path, reason: OSError) -> Path:
    """A temporary cache of this process, made and told of once."""
    if not _private or not _private[-1][1].is_dir():
        first = not _private
        _private.append((os.getpid(), Path(tempfile.mkdtemp(prefix="symbackprop-"))))
        if first:
            atexit.register(_remove_private)
            warnings.warn(
                f"the cache folder {root} cannot be written ({reason}), so sources and libraries are made anew by "
                f"every process. Set {VARIABLE} to a folder that can be written.",
                RuntimeWarning,
                stacklevel=2,
            )
    return _private[-1][1]


def _remove_private() -> None:
    for process, folder in _private:
        if process == os.getpid():  # a forked child leaves its parent's alone
            shutil.rmtree(folder, ignore_errors=True)


def roots() -> tuple[Path, ...]:
    """Where to look: the cache, and the temporary one when there is one."""
    return tuple(dict.fromkeys((cache_root(), *(folder for _, folder in _private))))


def writing(action: Callable[[Path], Result]) -> Result:
    """`action(root)`; where the disk turns out to be read-only or full, once more with a temporary cache.

    Raises `BuildError` when that fails too.
    """
    root = cache_root()
    try:
        return action(root)
    except OSError as error:
        if error.errno not in UNWRITABLE:
            raise BuildError(f"the cache folder {root} cannot be written: {error}. {_cure()}") from error
        fallback = _private_root(root, error)
    try:
        return action(fallback)
    except OSError as error:
        raise BuildError(f"neither {root} nor {fallback} can be written: {error}. {_cure()}") from error


def folder_in(root: Path, name: str) -> Path:
    """A folder of the cache, made when absent."""
    folder = root / name
    if not folder.is_dir():
        folder.mkdir(mode=0o700, exist_ok=True)
    return folder


@contextmanager
def temporary_in(folder: Path) -> Iterator[Path]:
    """An empty folder inside `folder`, removed afterwards; old ones of killed processes are swept up."""
    for name in os.listdir(folder):
        if name.startswith(TEMPORARY):
            with suppress(OSError):
                if time.time() - (folder / name).lstat().st_mtime > STALE_SECONDS:
                    remove(folder / name)
    path = Path(tempfile.mkdtemp(prefix=TEMPORARY, dir=folder))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file so that others see all of it or nothing."""
    with temporary_in(path.parent) as folder:
        made = folder / path.name
        made.write_bytes(data)
        os.replace(made, path)


@contextmanager
def locked(root: Path, name: str) -> Iterator[None]:
    """One process at a time for each name. The lock saves work; nothing breaks without it.

    So a file system without locks, or a holder that takes longer than ten minutes, is no error.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(folder_in(root, LOCKS) / f"{name}.lock", timeout=LOCK_SECONDS)
    try:
        lock.acquire()
    except (Timeout, NotImplementedError):
        pass
    except OSError as error:
        if error.errno in UNWRITABLE:
            raise
    try:
        yield
    finally:
        lock.release()


def remove(path: Path) -> None:
    """Remove a file, a link or a folder with all that is in it."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
