"""The doctor: its verdict is its exit status, and what is missing comes with its cure."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from symbackprop import doctor
from symbackprop.cli import cli
from symbackprop.load.compiler import find_compiler


def run() -> Result:
    return CliRunner().invoke(cli, ["doctor"])


@pytest.mark.skipif(find_compiler() is None, reason="no C compiler on this machine")
def test_a_working_compiler_is_tried_and_named(cache_dir: str) -> None:
    result = run()
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[-1] == "C works."
    for told in (cache_dir, "Python", "numpy", "BLAS", "CPU", "LaTeX", "matplotlib"):
        assert told in result.stdout


def test_no_compiler_comes_with_its_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "find_compiler", lambda: None)
    result = run()
    assert result.exit_code == 1
    assert "missing" in result.stdout
    assert 'pip install "symbackprop[zig]"' in result.stdout


def test_a_broken_compiler_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "no-such-compiler")
    result = run()
    assert result.exit_code == 1
    assert "broken" in result.stdout
    assert "no-such-compiler" in result.stdout


def test_a_compiler_that_computes_wrongly_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    if find_compiler() is None:
        pytest.skip("no C compiler on this machine")
    monkeypatch.setattr(doctor, "PROBE", doctor.PROBE.replace("2.0", "2.5"))
    assert doctor.c_finding().mark == "broken"


def test_an_unusable_cache_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "letter.txt").write_text("not a cache")
    monkeypatch.setenv("SYMBACKPROP_CACHE_DIR", str(tmp_path))
    assert doctor.cache().mark == "broken"


def test_cpu_features_are_whole_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "cpu_features", lambda: "linux\nflags : fpu avx2 fma4 avx512f asimdhp")
    assert doctor.cpu().text.endswith("cores, AVX2, AVX-512")
    monkeypatch.setattr(doctor, "cpu_features", lambda: "linux\nFeatures : fp asimd sve2")
    assert doctor.cpu().text.endswith("cores, NEON")
