"""Create the virtual environment that the Makefile uses and install the project into it, once.

Needs nothing but Python's standard library. A stamp in the environment holds a hash of pyproject.toml and the
extras that are installed; when both still fit, nothing is done. The syntax is old enough for an old Python to
read the file and say that it is too old.
"""

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

OLDEST = (3, 11)
ROOT = Path(__file__).resolve().parents[1]


def main() -> int:
    """Make the environment fit; returns the exit status."""
    parser = argparse.ArgumentParser(description="Create a virtual environment and install the project into it.")
    parser.add_argument("--venv", default=".venv", help="folder of the environment")
    parser.add_argument("--extras", default="", help="extras to install, separated by commas")
    options = parser.parse_args()
    if sys.version_info < OLDEST:
        return fail(too_old())
    venv = Path(options.venv)
    python = venv / ("Scripts" if os.name == "nt" else "bin") / "python"
    stamp = venv / "symbackprop-stamp.json"
    project = hashlib.sha256((ROOT / "pyproject.toml").read_bytes()).hexdigest()
    usable = works(python)
    done = read_stamp(stamp) if usable else {}
    wanted = sorted({*done.get("extras", ()), *filter(None, options.extras.split(","))})
    current = {"project": project, "root": str(ROOT), "extras": wanted}
    if done == current:
        return 0
    if not usable:
        problem = create(venv)
        if problem:
            return fail(problem)
    if not install(python, wanted):
        return fail("pip failed; its message stands above. Is the package index reachable from this machine?")
    stamp.write_text(json.dumps(current), encoding="utf-8")
    return 0


def works(python: Path) -> bool:
    """Whether this interpreter exists, starts, and has pip."""
    return python.exists() and run([str(python), "-c", "import pip"], quiet=True).returncode == 0


def read_stamp(stamp: Path) -> dict:  # type: ignore[type-arg]
    """What the environment holds; {} when that is unknown."""
    try:
        found = json.loads(stamp.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def create(venv: Path) -> str:
    """Create the environment; returns what went wrong and its cure, "" when nothing did."""
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    if venv.is_dir() and any(venv.iterdir()) and not (venv / "pyvenv.cfg").exists():
        return f"{venv} is a folder with other files, not an environment; name another one, as in make demo VENV=.venv"
    say(f"creating the environment {venv} with Python {version}")
    made = run([sys.executable, "-m", "venv", "--clear", str(venv)], quiet=True)
    if made.returncode == 0:
        return ""
    shutil.rmtree(str(venv), ignore_errors=True)
    return (
        f"`{sys.executable} -m venv {venv}` failed:\n{made.stdout.strip()}\n"
        f"Python's modules venv and ensurepip are needed. On Debian and Ubuntu: apt-get install python{version}-venv. "
        f"Elsewhere: install a complete Python, or name another one, as in make demo PYTHON=/usr/local/bin/python3"
    )


def install(python: Path, extras: list) -> bool:  # type: ignore[type-arg]
    """Install the project in editable form with its extras; True when that worked."""
    target = f"{ROOT}[{','.join(extras)}]" if extras else str(ROOT)
    say(f"installing the project with {', '.join(extras) or 'no extras'}; this takes a few minutes, once")
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--editable", target]
    return run(pip).returncode == 0


def run(command: list, quiet: bool = False) -> "subprocess.CompletedProcess[str]":  # type: ignore[type-arg]
    """Run a command; `quiet` keeps its output, standard error included, instead of showing it."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT} if quiet else {}
    return subprocess.run(command, text=True, check=False, **pipes)  # type: ignore[call-overload, no-any-return]


def too_old() -> str:
    """The message for an old Python, with a newer one that is on the PATH."""
    newer = [name for name in (f"python3.{minor}" for minor in range(20, 10, -1)) if shutil.which(name)]
    cure = f"name a newer one, as in make demo PYTHON={newer[0]}" if newer else "install Python 3.11 or newer"
    return f"{sys.executable} is Python {sys.version.split()[0]}; symbackprop needs 3.11 or newer. Cure: {cure}"


def say(text: str) -> None:
    """A line on standard error."""
    print(f"setup: {text}", file=sys.stderr, flush=True)


def fail(text: str) -> int:
    """Say why; returns the exit status 1."""
    say(text)
    return 1


if __name__ == "__main__":
    sys.exit(main())
