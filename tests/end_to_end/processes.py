"""Python processes of the tests: a script, an environment of its own, and what it printed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def environment(cache: Path, **changes: str | None) -> dict[str, str]:
    """This process's environment with another cache; a change to None removes a variable."""
    wanted = {**os.environ, "SYMBACKPROP_CACHE_DIR": str(cache), "PYTHONPATH": str(ROOT), **changes}
    return {name: value for name, value in wanted.items() if value is not None}


def start(script: str, cache: Path, *arguments: str, **changes: str | None) -> subprocess.Popen[str]:
    """A running process with pipes for its output."""
    return subprocess.Popen(
        [sys.executable, "-c", script, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(cache, **changes),
        cwd=ROOT,
    )


def finish(process: subprocess.Popen[str], timeout: float = 120.0) -> Any:
    """Its exit status, output and error output."""
    out, err = process.communicate(timeout=timeout)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def python(script: str, cache: Path, *arguments: str, **changes: str | None) -> str:
    """What a script prints; it must end well."""
    done = finish(start(script, cache, *arguments, **changes))
    assert done.returncode == 0, f"exit status {done.returncode}\n{done.stdout}\n{done.stderr}"
    return str(done.stdout)
