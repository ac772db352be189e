"""The cache on disk: emitted sources by the key of their declaration, libraries by the hash of their source.

    CACHEDIR.TAG              the mark of a cache: nothing is written to, or cleared in, a folder without it
    sources/KEY/              files of one entry and checksums.json
    libraries/HASH.so         beside HASH.sha256 (`library.py` writes both)
    locks/                    who builds what; a lock dies with its process
    failed/                   sources that a compiler refused

What does not match its checksum is absent, and is made anew. `folder.py` says where all this is.
"""

from __future__ import annotations

import errno
import functools
import hashlib
import importlib.util
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from ..errors import BuildError
from ..resources import templates_root
from .folder import FOLDERS, SOURCES, cache_root, folder_in, remove, roots, temporary_in, writing

__all__ = [
    "Usage", "cache_root", "checksum", "clear", "installed_version", "load_entry", "package_fingerprint", "store_entry",
    "usage",
]  # fmt: skip

CHECKSUMS = "checksums.json"
VERSIONED = ("symbackprop", "sympy", "numpy", "jinja2")


class Usage(NamedTuple):
    """What the cache holds."""

    files: int
    bytes: int


def load_entry(key: str) -> dict[str, bytes] | None:
    """The files of an entry by name, None when there is no entry or when it is damaged."""
    for root in roots():
        files = _read(root / SOURCES / _plain(key))
        if files is not None:
            return files
    return None


def _read(folder: Path) -> dict[str, bytes] | None:
    try:
        sums = json.loads((folder / CHECKSUMS).read_bytes())
        files = {_plain(name): (folder / name).read_bytes() for name in sums}
    except (OSError, ValueError, TypeError, BuildError):
        return None
    return files if all(checksum(data) == sums[name] for name, data in files.items()) else None


def store_entry(key: str, files: Mapping[str, bytes]) -> None:
    """Keep files (name -> content) under a key, in place of what was there.

    Raises `BuildError` when neither the cache nor a temporary folder can be written.
    """
    sums = json.dumps({_plain(name): checksum(data) for name, data in files.items()})
    contents = {**files, CHECKSUMS: sums.encode()}
    writing(lambda root: _store(folder_in(root, SOURCES) / _plain(key), contents))


def _store(target: Path, files: Mapping[str, bytes]) -> None:
    with temporary_in(target.parent) as temporary:
        made, old = temporary / "new", temporary / "old"
        made.mkdir(mode=0o700)
        for name, data in files.items():
            (made / name).write_bytes(data)
        for _ in range(100):  # others may put the same entry here between the two renames
            with suppress(FileNotFoundError):
                os.replace(target, old)
            try:
                os.replace(made, target)
                return
            except OSError as error:
                if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
                    raise
            remove(old)


def checksum(data: bytes) -> str:
    """SHA-256 in hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def _plain(name: str) -> str:
    """`name` if it is safe as the name of a file in its folder."""
    if not name or name.startswith(".") or name == CHECKSUMS or set(name) & set('/\\:*?"<>|\0'):
        raise BuildError(f"{name!r} cannot name a cache entry or a file in one: use letters, digits, '-', '_' and '.'")
    return name


def usage() -> Usage:
    """Number and size of the files in the cache."""
    sizes = [
        path.lstat().st_size
        for root in roots()
        for name in FOLDERS
        for path in (root / name).rglob("*")
        if path.is_file()
    ]
    return Usage(len(sizes), sum(sizes))


def clear() -> None:
    """Remove all entries and libraries. What is loaded stays usable; what is needed again is made again."""
    for root in roots():
        for name in FOLDERS:
            remove(root / name)


@functools.cache
def package_fingerprint() -> str:
    """A hash of the package's own code and templates and of the versions it computes with: a part of every key."""
    package = Path(__file__).resolve().parents[1]
    digest = hashlib.sha256()
    for root, pattern in ((package, "*.py"), (templates_root(), "*.*")):
        for path in sorted(p for p in root.rglob(pattern) if p.is_file() and p.suffix != ".pyc"):
            data = path.read_bytes()
            digest.update(f"{path.relative_to(root).as_posix()} {len(data)}\n".encode())
            digest.update(data)
    for name in VERSIONED:
        digest.update(f"{name} {installed_version(name)}\n".encode())
    return digest.hexdigest()


def installed_version(distribution: str) -> str:
    """The version of an installed package, read off its folder's name; "" when it has none (a checkout).

    `importlib.metadata` would tell the same, but its import alone takes 50 ms.
    """
    spec = importlib.util.find_spec(distribution)
    if spec is None or spec.origin is None:
        return ""
    names = os.listdir(Path(spec.origin).parents[1])
    found = [n for n in names if n.lower().startswith(f"{distribution}-") and n.endswith((".dist-info", ".egg-info"))]
    return " ".join(sorted(n.rpartition(".")[0].partition("-")[2] for n in found))
