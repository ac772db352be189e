"""The cache is safe against others, against killed processes and against damage, and never a reason to fail."""

from __future__ import annotations

import errno
import json
import os
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest

from symbackprop.errors import BuildError
from symbackprop.load import cache as store
from symbackprop.load import folder
from symbackprop.load.folder import STALE_SECONDS, TAG

FILES = {"program.c": b"int x;\n", "manifest.json": b'{"a": 1}', "empty": b""}


def test_entries_come_back(cache: Path) -> None:
    assert store.load_entry("k") is None
    store.store_entry("k", FILES)
    assert store.load_entry("k") == FILES
    store.store_entry("k", {"other": b"\x00\xff"})
    assert store.load_entry("k") == {"other": b"\x00\xff"}
    assert [p.name for p in (cache / "sources").iterdir()] == ["k"]


@pytest.mark.parametrize("name", ["", ".", "..", ".hidden", "a/b", "a\\b", "checksums.json", "nul\0"])
def test_names_stay_in_their_folder(cache: Path, name: str) -> None:
    with pytest.raises(BuildError, match="cannot name a cache entry"):
        store.store_entry("k", {name: b""})
    if name != "checksums.json":
        with pytest.raises(BuildError, match="cannot name a cache entry"):
            store.load_entry(name)


def damage_byte(entry: Path) -> None:
    (entry / "program.c").write_bytes(b"int y;\n")


def damage_length(entry: Path) -> None:
    (entry / "manifest.json").write_bytes(b"")


def damage_missing(entry: Path) -> None:
    (entry / "empty").unlink()


def damage_sums(entry: Path) -> None:
    (entry / "checksums.json").write_text("[1, 2")


def damage_sums_type(entry: Path) -> None:
    (entry / "checksums.json").write_text("7")


def damage_sums_escape(entry: Path) -> None:
    (entry / "checksums.json").write_text(json.dumps({"../k/program.c": store.checksum(FILES["program.c"])}))


def damage_no_sums(entry: Path) -> None:
    (entry / "checksums.json").unlink()


@pytest.mark.parametrize(
    "damage",
    [
        damage_byte, damage_length, damage_missing, damage_sums, damage_sums_type, damage_sums_escape,
        damage_no_sums,
    ],
)  # fmt: skip
def test_a_damaged_entry_is_absent_and_made_again(cache: Path, damage: Any) -> None:
    store.store_entry("k", FILES)
    damage(cache / "sources" / "k")
    assert store.load_entry("k") is None
    store.store_entry("k", FILES)
    assert store.load_entry("k") == FILES


def test_a_file_in_an_entrys_place_is_replaced(cache: Path) -> None:
    store.store_entry("other", FILES)
    (cache / "sources" / "k").write_text("not a folder")
    assert store.load_entry("k") is None
    store.store_entry("k", FILES)
    assert store.load_entry("k") == FILES


def test_the_folder_is_the_users_alone(cache: Path) -> None:
    before = os.umask(0)
    try:
        store.store_entry("k", FILES)
    finally:
        os.umask(before)
    assert stat.S_IMODE(cache.stat().st_mode) == 0o700
    assert (cache / TAG).read_text().startswith("Signature: 8a477f597d28d172789f06886806bc55")


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o702])
def test_a_folder_that_others_may_write_is_refused(cache: Path, mode: int) -> None:
    cache.mkdir()
    cache.chmod(mode)
    with pytest.raises(BuildError, match=f"has mode {mode:04o}: others .*chmod go-w"):
        store.cache_root()
    cache.chmod(0o700)
    assert store.cache_root() == cache


def test_a_link_to_such_a_folder_is_refused(cache: Path, tmp_path: Path) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    cache.symlink_to(tmp_path / "open")
    with pytest.raises(BuildError, match="has mode 0777"):
        store.load_entry("k")
    (tmp_path / "open").chmod(0o755)
    store.store_entry("k", FILES)
    assert store.load_entry("k") == FILES


def test_a_folder_of_someone_else_is_refused(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store.store_entry("k", FILES)
    user = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: user + 1)
    with pytest.raises(BuildError, match=f"belongs to user {user}, not to you .*SYMBACKPROP_CACHE_DIR"):
        store.load_entry("k")


def test_a_folder_with_other_things_is_refused_and_left_alone(cache: Path) -> None:
    (cache / "sources").mkdir(parents=True)
    (cache / "thesis.tex").write_text("years of work")
    for use in (store.clear, store.usage, store.cache_root):
        with pytest.raises(BuildError, match=r"holds other things, such as 'thesis.tex'"):
            use()
    assert (cache / "thesis.tex").exists()


def test_a_file_is_no_folder(cache: Path) -> None:
    cache.write_text("")
    with pytest.raises(BuildError, match="cannot be used"):
        store.cache_root()


def test_the_default_is_the_users_cache_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("SYMBACKPROP_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    root = store.cache_root()
    assert root.name == "symbackprop"
    assert tmp_path in root.parents


@pytest.mark.parametrize("code", [errno.EROFS, errno.ENOSPC, errno.EACCES])
def test_a_disk_that_cannot_be_written_is_told_of_once(cache: Path, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    store.store_entry("old", FILES)
    made = tempfile.mkdtemp

    def mkdtemp(prefix: str, dir: Path | None = None) -> str:  # noqa: A002
        if dir is not None and cache in (dir, *Path(dir).parents):
            raise OSError(code, os.strerror(code), str(dir))
        return made(prefix=prefix, dir=dir)

    monkeypatch.setattr(tempfile, "mkdtemp", mkdtemp)
    with pytest.warns(RuntimeWarning, match="cannot be written .*made anew by every process") as told:
        store.store_entry("k", FILES)
        store.store_entry("k2", FILES)
    assert len(told) == 1
    assert store.load_entry("k") == store.load_entry("k2") == store.load_entry("old") == FILES
    assert [p.name for p in (cache / "sources").iterdir()] == ["old"]


def test_a_root_that_cannot_be_made_falls_back(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Path.mkdir

    def mkdir(path: Path, *args: Any, **options: Any) -> None:
        if path == cache:
            raise OSError(errno.EROFS, "Read-only file system", str(path))
        made(path, *args, **options)

    monkeypatch.setattr(Path, "mkdir", mkdir)
    with pytest.warns(RuntimeWarning, match="Read-only file system"):
        store.store_entry("k", FILES)
    assert store.load_entry("k") == FILES
    assert not cache.exists()


def test_no_place_at_all_is_an_error(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    store.store_entry("k", FILES)
    monkeypatch.setattr(Path, "write_bytes", full)
    with (
        pytest.warns(RuntimeWarning, match="No space left"),
        pytest.raises(BuildError, match=r"neither .* can be written"),
    ):
        store.store_entry("k2", FILES)


def test_leftovers_count_for_nothing_and_are_swept_up(cache: Path) -> None:
    store.store_entry("k", FILES)
    old, young = cache / "sources" / ".tmp-old", cache / "sources" / ".tmp-young"
    for leftover in (old, young):
        leftover.mkdir()
        (leftover / "program.c").write_bytes(b"half a fi")
    past = time.time() - STALE_SECONDS - 60
    os.utime(old, (past, past))
    store.store_entry("k2", FILES)
    assert not old.exists()
    assert young.exists()
    assert store.load_entry("k") == store.load_entry("k2") == FILES


def test_clear_leaves_nothing_but_the_mark(cache: Path) -> None:
    assert store.usage() == (0, 0)
    store.store_entry("k", FILES)
    (cache / "libraries").mkdir()
    (cache / "libraries" / "x.so").write_bytes(b"12345")
    files, size = store.usage()
    assert files == len(FILES) + 2
    assert size > 5 + sum(map(len, FILES.values()))
    store.clear()
    assert store.usage() == (0, 0)
    assert store.load_entry("k") is None
    assert [p.name for p in cache.iterdir()] == [TAG]


STORE = """
import sys
from symbackprop.load.cache import load_entry, store_entry
files = {"a": b"x" * 100_000, "b": b"y" * 10}
for turn in range(60):
    store_entry("k", files)
    found = load_entry("k")
    if found not in (files, None):
        sys.exit("a mixed entry")
"""


def test_many_processes_may_store_one_entry(cache: Path) -> None:
    running = [subprocess.Popen([sys.executable, "-c", STORE], stderr=subprocess.PIPE) for _ in range(3)]
    for process in running:
        _, said = process.communicate(timeout=60)
        assert process.returncode == 0, said.decode()
    assert store.load_entry("k") == {"a": b"x" * 100_000, "b": b"y" * 10}
    assert [p.name for p in (cache / "sources").iterdir()] == ["k"]


def test_the_fingerprint_follows_code_and_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    fingerprint = store.package_fingerprint.__wrapped__
    here = fingerprint()
    assert here == store.package_fingerprint()
    monkeypatch.setattr(store, "installed_version", lambda name: "0.0" if name == "sympy" else "1")
    assert fingerprint() != here
    monkeypatch.undo()
    read = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda p: read(p) + (b" " if p.name == "gemm.h" else b""))
    assert fingerprint() != here
    monkeypatch.setattr(Path, "read_bytes", lambda p: read(p) + (b" " if p.name == "rules.py" else b""))
    assert fingerprint() != here


def test_versions_are_those_that_are_installed() -> None:
    from importlib.metadata import version

    for name in ("sympy", "numpy", "jinja2"):
        assert store.installed_version(name) == version(name)
    assert store.installed_version("no_such_package") == ""


def test_a_fork_leaves_its_parents_folder_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "parents").mkdir()
    entries = [(os.getpid() + 1, tmp_path / "parents"), (os.getpid(), tmp_path / "mine")]
    monkeypatch.setattr(folder, "_private", entries)
    folder._remove_private()
    assert [p.name for p in tmp_path.iterdir()] == ["parents"]
