"""Models and the cache over processes: copies, compilers that are killed, late, broken or missing, and Ctrl-C."""

from __future__ import annotations

import copy
import multiprocessing
import os
import pickle
import shutil
import signal
import stat
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import symbackprop as sb
from symbackprop.load.compiler import find_compiler
from symbackprop.train import Model
from tests.end_to_end.processes import finish, python, start

pytestmark = pytest.mark.skipif(os.name != "posix", reason="POSIX signals and permissions")

DRAW = np.random.default_rng(2)
X = DRAW.normal(size=(150, 6))
Y = (X @ DRAW.normal(size=(6, 3))).argmax(1)

SETUP = """
import hashlib, os, signal, sys, time
import numpy as np
import symbackprop as sb

def network(width):
    return sb.Network([sb.Input(6), sb.Dense(width, "tanh"), sb.Dense(3)], loss="softmax_cross_entropy")

def compiled(width=9):
    return sb.compile(network(width), target="c", optimizer=sb.Adam(0.01), seed=4)

X = np.random.default_rng(0).normal(size=(50, 6))
y = np.arange(50) % 3

def trained(model):
    model.fit(X, y, epochs=3, batch_size=8, verbose=False)
    return hashlib.sha256(model._blocks.params.tobytes()).hexdigest()
"""
REPORT = (
    SETUP
    + """
try:
    compiled()
except sb.SymbackpropError as error:
    print(f"{type(error).__name__}: {error}")
"""
)
TRAIN = SETUP + "model = compiled()\nprint(model.target, trained(model))\n"


def fit(model: Model) -> bytes:
    model.fit(X, Y, epochs=3, batch_size=16, verbose=False)
    return model._blocks.params.tobytes() + model._blocks.state.tobytes() + str(model.step).encode()


def make(target: str) -> Model:
    layers = [sb.Input(6), sb.Dense(9, "tanh"), sb.Dense(3)]
    return sb.compile(
        sb.Network(layers, loss="softmax_cross_entropy"), target=target, optimizer=sb.Adam(0.01), dtype="float64"
    )


def in_child(pipe: Connection, model: Model) -> None:
    pipe.send((fit(model), model.predict(X)))


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_a_child_process_trains_on_alike(method: str, target: str) -> None:
    model = make(target)
    fit(model)
    context: Any = multiprocessing.get_context(method)
    ours, theirs = context.Pipe()
    child = context.Process(target=in_child, args=(theirs, model))
    child.start()
    assert ours.poll(120)
    state, output = ours.recv()
    child.join(60)
    assert child.exitcode == 0
    assert fit(model) == state
    np.testing.assert_array_equal(model.predict(X), output)


@pytest.mark.parametrize("how", ["deepcopy", "pickle"])
def test_a_copy_trains_alike_and_apart(how: str, target: str) -> None:
    model = make(target)
    fit(model)
    twin = copy.deepcopy(model) if how == "deepcopy" else pickle.loads(pickle.dumps(model))
    before = model.predict(X)
    ahead = fit(twin)
    np.testing.assert_array_equal(model.predict(X), before)
    assert fit(model) == ahead


@pytest.fixture
def slow_compiler(tmp_path: Path, c_compiler: None) -> Iterator[Path]:
    """A compiler that notes every compilation in `log`, and stops before or after it as the file `pause` says."""
    real = find_compiler()
    assert real is not None
    script = tmp_path / "slow-cc"
    script.write_text(
        f"""#!/bin/sh
case "$*" in *--version*) exec {real.command[0]} "$@";; esac
echo $$ >> {tmp_path}/log
pause=$(cat {tmp_path}/pause 2>/dev/null)
[ "$pause" = before ] && {{ touch {tmp_path}/reached; sleep 60; }}
{real.command[0]} "$@" || exit 1
[ "$pause" = after ] && {{ touch {tmp_path}/reached; sleep 60; }}
[ -n "$pause" ] && sleep 0.5
exit 0
"""
    )
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    yield script
    for line in (tmp_path / "log").read_text().split() if (tmp_path / "log").exists() else ():
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(int(line), signal.SIGKILL)  # every compiler has a process group of its own


def wait_for(path: Path, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < end, f"{path.name} did not appear in {seconds} s"
        time.sleep(0.01)


def whole_libraries(cache: Path) -> list[str]:
    return sorted(p.name for p in (cache / "libraries").glob("*.so"))


def test_processes_compile_the_same_network_at_once(slow_compiler: Path, tmp_path: Path) -> None:
    """Four processes, one compilation, one result."""
    (tmp_path / "pause").write_text("a little")
    processes = [start(TRAIN, tmp_path / "cache", CC=str(slow_compiler)) for _ in range(4)]
    done = [finish(p) for p in processes]
    assert [d.returncode for d in done] == [0] * 4, [d.stderr for d in done]
    assert len({d.stdout for d in done}) == 1 and done[0].stdout.startswith("c ")
    assert len((tmp_path / "log").read_text().split()) == 1
    assert len(whole_libraries(tmp_path / "cache")) == 1


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_process_killed_while_it_compiles_leaves_a_usable_cache(
    moment: str, slow_compiler: Path, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    (tmp_path / "pause").write_text(moment)
    first = start(TRAIN, cache, CC=str(slow_compiler))
    wait_for(tmp_path / "reached")
    first.kill()
    first.communicate(timeout=30)
    assert first.returncode == -signal.SIGKILL
    assert whole_libraries(cache) == []
    (tmp_path / "pause").unlink()
    begun = time.monotonic()
    second = python(TRAIN, cache, CC=str(slow_compiler))
    assert time.monotonic() - begun < 60, "the dead process's lock was waited for"
    assert len(whole_libraries(cache)) == 1
    assert python(TRAIN, cache, CC=str(slow_compiler)) == second
    assert len((tmp_path / "log").read_text().split()) == 2


@pytest.mark.full
def test_processes_killed_at_any_moment(c_compiler: None, tmp_path: Path) -> None:
    """Each run is killed a little later than the one before, and the cache goes on as it is."""
    reference = python(TRAIN, tmp_path / "whole")
    cache = tmp_path / "cache"
    for delay in np.linspace(0.05, 4.0, 60):
        process = start(TRAIN, cache)
        time.sleep(delay)
        process.kill()
        process.communicate(timeout=30)
    assert python(TRAIN, cache) == reference


def test_a_damaged_cache_is_made_anew(c_compiler: None, tmp_path: Path) -> None:
    """A library cut short, and a source with a changed byte, are not used."""
    cache = tmp_path / "cache"
    reference = python(TRAIN, cache)
    (library,) = (cache / "libraries").glob("*.so")
    library.write_bytes(library.read_bytes()[:1000])
    assert python(TRAIN, cache) == reference
    (source,) = (cache / "sources").glob("*/program.c")
    source.write_text(source.read_text().replace("tanhf", "expf"))
    assert python(TRAIN, cache) == reference
    assert (cache / "libraries").is_dir() and len(whole_libraries(cache)) == 1


INTERRUPTED = (
    SETUP
    + """
signal.signal(signal.SIGINT, signal.default_int_handler)
model = compiled(300)
X, y = np.random.default_rng(0).normal(size=(60_000, 6)), np.arange(60_000) % 3
print("ready", flush=True)
history = model.fit(X, y, epochs=1_000_000, batch_size=50, verbose=False)
print(history.interrupted, model.step, len(history), flush=True)
assert all(np.isfinite(p).all() for p in model.parameters.values())
model.save(sys.argv[1])
other = compiled(300)
other.load(sys.argv[1])
assert np.array_equal(other.predict(X), model.predict(X)) and other.step == model.step > 0
assert not model.fit(X, y, epochs=1, batch_size=5000, verbose=False).interrupted
print("kept", flush=True)
"""
)


def test_ctrl_c_stops_training_in_c(c_compiler: None, tmp_path: Path) -> None:
    process = start(INTERRUPTED, tmp_path / "cache", str(tmp_path / "m.safetensors"))
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "ready\n", process.stderr and process.stderr.read()
        time.sleep(1.0)
        begun = time.monotonic()
        process.send_signal(signal.SIGINT)
        told = process.stdout.readline().split()
        seconds = time.monotonic() - begun
        done = finish(process)
    finally:
        process.kill()
    assert told[0] == "True" and int(told[1]) > 0, done.stderr
    assert seconds < 2.0
    assert done.stdout == "kept\n" and done.returncode == 0, done.stderr


NO_COMPILER = """
import importlib.util, sys, warnings
sys.modules["ziglang"] = None  # as if that wheel were not installed
with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    model = compiled()
print(len(told), told[0].category.__name__)
print(told[0].message)
print(model.target, trained(model))
"""


def test_without_a_compiler_numpy_is_taken_with_one_warning(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    out = python(SETUP + NO_COMPILER, tmp_path / "cache", PATH=str(tmp_path / "empty"), CC=None)
    count, message, used = out.splitlines()
    assert count == "1 UserWarning"
    for word in ("no C compiler", "NumPy", "CC", "gcc", "clang", "ziglang", "symbackprop doctor"):
        assert word in message
    assert used.startswith("numpy ")


def test_the_warning_is_told_once(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    script = SETUP + 'sys.modules["ziglang"] = None\nfor width in (3, 4, 5):\n    compiled(width)\n'
    done = finish(start(script, tmp_path / "cache", PATH=str(tmp_path / "empty"), CC=None))
    assert done.returncode == 0
    assert done.stderr.count("no C compiler was found") == 1


@pytest.mark.parametrize("command", ["false", "no-such-compiler", "true"])
def test_a_wrong_cc_is_named(command: str, tmp_path: Path) -> None:
    """Neither another compiler nor NumPy takes its place: the user asked for this one."""
    told = python(REPORT, tmp_path / "cache", CC=command)
    assert told.startswith("BuildError: ")
    for word in ("CC", command):
        assert word in told


def test_a_failing_compiler_is_quoted_and_the_source_kept(c_compiler: None, tmp_path: Path) -> None:
    compiler = shutil.which("gcc") or shutil.which("clang") or shutil.which("cc")
    told = python(REPORT, tmp_path / "cache", CC=f"{compiler} -fno-such-option")
    assert "-fno-such-option" in told
    (source,) = (line.split(None, 1)[1] for line in told.splitlines() if line.startswith("  source:"))
    assert Path(source).read_text(encoding="utf-8").startswith("/*")
    again = subprocess.run([str(compiler), "-fsyntax-only", "-march=native", source], check=False)
    assert again.returncode == 0


def test_numpy_needs_no_compiler_and_no_warning(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    script = SETUP + "model = sb.compile(network(3), target='numpy')\nprint(model.target, trained(model)[:0])\n"
    done = finish(start(script, tmp_path / "cache", PATH=str(tmp_path / "empty"), CC="false"))
    assert (done.returncode, done.stdout.split(), done.stderr) == (0, ["numpy"], "")
