"""The wheel, built by way of the sdist, holds the templates and works away from the checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

TRAIN = """
import pathlib, sys, warnings
import numpy as np
import symbackprop as sb

assert pathlib.Path(sb.__file__).is_relative_to(sys.argv[1]), sb.__file__
rng = np.random.default_rng(0)
X = rng.random((64, 3)); y = (X.sum(1) > 1.5).astype(int)
net = sb.Network([sb.Input(3), sb.Dense(4, "tanh"), sb.Dense(2)], loss="softmax_cross_entropy")
for target in sys.argv[2:]:
    model = sb.compile(net, target=target, optimizer="adam", seed=0)
    history = model.fit(X, y, epochs=5, batch_size=16, verbose=False)
    assert model.target == target and history.loss[-1] < history.loss[0], (target, history)
net.derive().document("net.tex")
net.derive().document("net.html", notation="ng", language="ru")
assert "\\\\begin{document}" in pathlib.Path("net.tex").read_text()
print("trained", *sys.argv[2:])
"""


def run(command: list[str], cwd: Path, **environment: str) -> str:
    env = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | environment
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel built from the sdist, with the build tools that are installed already."""
    out = tmp_path_factory.mktemp("dist")
    run([sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(ROOT)], ROOT)
    assert len(list(out.glob("symbackprop-*.tar.gz"))) == 1
    (built,) = out.glob("symbackprop-*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of its own with the wheel installed; dependencies come from this environment."""
    folder = tmp_path_factory.mktemp("site")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    run([*pip, "--no-deps", "--no-index", "--target", str(folder), str(wheel)], folder)
    return folder


@pytest.mark.slow
def test_the_wheel_holds_package_and_templates_only(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    folder = ROOT / "templates"
    kept = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    prefix = "symbackprop/templates/"
    assert kept
    assert {n.removeprefix(prefix) for n in names if n.startswith(prefix)} == kept
    assert "symbackprop/py.typed" in names
    assert {n.split("/")[0].split("-")[0] for n in names} == {"symbackprop"}


@pytest.mark.slow
def test_the_installed_wheel_compiles_and_trains(installed: Path, tmp_path: Path) -> None:
    from symbackprop.load.compiler import find_compiler

    targets = ["numpy"] if find_compiler() is None else ["numpy", "c"]
    empty = tmp_path / "empty"
    empty.mkdir()
    command = [sys.executable, "-P", "-c", TRAIN, str(installed), *targets]
    told = run(command, empty, PYTHONPATH=str(installed), SYMBACKPROP_CACHE_DIR=str(tmp_path / "cache"))
    assert told.split() == ["trained", *targets]


@pytest.mark.slow
def test_the_installed_command_runs(installed: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-P", str(installed / "bin" / "symbackprop"), "--version"]
    assert run(command, tmp_path, PYTHONPATH=str(installed)).startswith("symbackprop, version ")
