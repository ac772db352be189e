"""The README's Python runs as it stands, and its commands exist."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from symbackprop.cli import cli
from symbackprop.load.compiler import find_compiler

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
DATA = """
import numpy as np
rng = np.random.default_rng(0)
X, y, Xv, yv = rng.random((96, 64)), rng.integers(0, 10, 96), rng.random((32, 64)), rng.integers(0, 10, 32)
w = rng.random(96)
"""
CHECKS = """
model_of_equations = sb.compile(rbf_net, target="numpy", optimizer=Momentum(0.1))
model_of_equations.fit(X, rng.random((96, 10)), verbose=False)
assert len(history) == 30 and (tuple(model.gradients(X[:4], y[:4])["W1"].shape) == (32, 64))
assert "{target}" == model.target == heads.target == trained.target
assert heads.predict(X)["digit"].shape == (96, 10) and list(siamese.derive().system.parameters)[0].name == "W1"
assert [t.name for t in tied.system.parameters] == ["W1", "b1", "b2"]
assert trained.hypers["drop4"] == 0.1 and abs(trained.hypers["eta"] - 1e-3 / 6) < 1e-9 and "b*.decay" in trained.hypers
"""


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, flags=re.MULTILINE | re.DOTALL)


def test_the_python_of_the_readme_runs(tmp_path: Path) -> None:
    target = "numpy" if find_compiler() is None else "c"
    code = [DATA, *(b.replace('target="c"', f'target="{target}"') for b in blocks("python"))]
    script = tmp_path / "readme.py"
    script.write_text("\n".join([*code, CHECKS.replace("{target}", target)]), encoding="utf-8")
    command = [sys.executable, "-W", "error", str(script)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    printed = blocks("text")
    assert printed
    assert not [text for text in printed if text not in done.stdout]
    assert "dE[j, k] = Σ_n,m δ_h[n, m, k] [j = token[n, m]]" in README
    assert "dE[j, k] = Σ_n,m δ_h[n, m, k] [j = token[n, m]]" in done.stdout
    assert (tmp_path / "digits.safetensors").stat().st_size > 1000


def test_the_commands_of_the_readme_exist() -> None:
    named = re.findall(r"^symbackprop (\w+)", "\n".join(blocks("sh")), flags=re.MULTILINE)
    assert set(named) == set(cli.commands)
    made = [
        t for line in re.findall(r"^make ([a-z -]+)", "\n".join(blocks("sh")), flags=re.MULTILINE) for t in line.split()
    ]
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert made
    assert not [t for t in made if not re.search(rf"^{t}:", makefile, flags=re.MULTILINE)]
