"""The demo, in full: what it writes and how well it learns."""

from __future__ import annotations

import builtins
import importlib
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from symbackprop.cli import cli


@pytest.mark.slow
def test_the_demo_learns_and_writes_its_files(tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = CliRunner().invoke(cli, ["demo", "--out", str(out)])
    assert result.exit_code == 0, result.output
    last = result.stdout.splitlines()[-1]
    found = re.fullmatch(r"mean test accuracy: (\d\d\.\d) %", last)
    assert found, last
    assert float(found[1]) >= 97
    assert "δ2" in result.stdout
    for name, start in {
        "derivation.tex": "",
        "derivation.html": "<!DOCTYPE html>",
        "digits_mlp.c": "",
        "digits_mlp.py": '"""',
        "learning_curve.png": "",
    }.items():
        assert (out / name).stat().st_size > 1000, name
        assert not start or (out / name).read_text().startswith(start)


def test_without_scikit_learn_the_demo_names_the_cure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    genuine = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.split(".", maxsplit=1)[0] == "sklearn":
            raise ImportError(name)
        return genuine(name, *args, **kwargs)

    importlib.import_module("symbackprop.demo")
    monkeypatch.setattr(builtins, "__import__", without)
    result = CliRunner().invoke(cli, ["demo", "--out", str(tmp_path / "out")])
    assert result.exit_code == 1
    assert 'pip install "symbackprop[sklearn]"' in result.stderr
    assert not (tmp_path / "out").exists()
