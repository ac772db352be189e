"""Which compiler is taken, and with which flags."""

from __future__ import annotations

import importlib.util
import platform
import shutil
from pathlib import Path

import pytest

from symbackprop.errors import BuildError
from symbackprop.load.compiler import Compiler, Kind, cpu_features, find_compiler, flags

KINDS: tuple[Kind, ...] = ("gcc", "clang", "other")


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder as the only one on the path, no CC, no ziglang."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.delenv("CC", raising=False)
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "ziglang" else found(name, *rest)
    )
    return folder


def program(folder: Path, name: str, answer: str, status: int = 0) -> str:
    path = folder / name
    path.write_text(f"#!/bin/sh\necho '{answer}'\nexit {status}\n")
    path.chmod(0o755)
    return str(path)


def test_there_may_be_none(bare: Path) -> None:
    assert find_compiler() is None


def test_gcc_comes_before_clang_before_cc(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = {"cc": "some cc 1.0", "clang": "clang version 18.1", "gcc": "gcc 12 Free Software Foundation"}
    kinds: dict[str, Kind] = {"cc": "other", "clang": "clang", "gcc": "gcc"}
    for step, (name, answer) in enumerate(answers.items()):
        path = program(bare, name, answer)
        monkeypatch.setenv("PATH", f"{bare}:/nowhere/{step}")  # another path: what was found is remembered
        assert find_compiler() == Compiler((path,), kinds[name], answer)


def test_a_program_that_fails_is_passed_over(bare: Path) -> None:
    program(bare, "gcc", "no developer tools", status=1)
    path = program(bare, "clang", "clang version 18.1")
    found = find_compiler()
    assert found is not None
    assert found.command == (path,)


def test_CC_may_hold_arguments(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = program(bare, "my cc", "clang version 18.1")
    monkeypatch.setenv("CC", "'my cc' --target=x")
    assert find_compiler() == Compiler((path, "--target=x"), "clang", "clang version 18.1")


def test_zig_is_known_by_its_name(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(bare, "zig", "clang version 22.1")
    monkeypatch.setenv("CC", "zig cc")
    found = find_compiler()
    assert found is not None
    assert found.kind == "zig"


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("no-such-cc", "no program 'no-such-cc'"),
        ("broken", "`broken --version` failed"),
        ("gcc 'half", "No closing quotation"),
    ],
)
def test_a_broken_CC_is_named(bare: Path, monkeypatch: pytest.MonkeyPatch, value: str, reason: str) -> None:
    program(bare, "broken", "", status=3)
    program(bare, "gcc", "gcc 12 Free Software Foundation")
    monkeypatch.setenv("CC", value)
    with pytest.raises(BuildError, match=r"environment variable CC is .*Set CC to a C compiler") as raised:
        find_compiler()
    assert reason in str(raised.value)


def test_the_ziglang_wheel_is_the_last_resort(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ziglang").mkdir()
    (tmp_path / "ziglang" / "__init__.py").touch()
    (tmp_path / "ziglang-0.17.0.dist-info").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.syspath_prepend(str(tmp_path))
    found = find_compiler()
    assert found is not None
    assert (found.command[1:], found.kind, found.version) == (("-m", "ziglang", "cc"), "zig", "ziglang 0.17.0")


def test_flags_follow_kind_and_machine() -> None:
    gcc, clang, other = (Compiler(("x",), kind, "") for kind in KINDS)
    assert "-march=native" in flags(gcc, "x86_64")
    assert "-mprefer-vector-width=512" in flags(clang, "AMD64")
    assert "-mcpu=native" in flags(gcc, "aarch64")
    assert not [f for f in flags(gcc, "riscv64") if f.startswith("-m")]
    assert "-fveclib=libmvec" not in flags(gcc, "x86_64")
    assert flags(other) == ("-O3", "-std=gnu11", "-fPIC", "-shared")
    for compiler in (gcc, clang, other):
        assert not {"-ffast-math", "-Ofast", "-ffinite-math-only"} & set(flags(compiler, "x86_64"))


def test_this_compiler_answers(compiler: Compiler) -> None:
    assert shutil.which(compiler.command[0])
    assert compiler.version


def test_features_name_the_processor_but_not_its_clock() -> None:
    known = cpu_features()
    assert platform.machine() in known
    assert len(known.splitlines()) > 3
    assert "MHz" not in known
