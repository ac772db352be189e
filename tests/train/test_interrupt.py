from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from module_double import blobs, make, state

from symbackprop.train.loop import CtrlC, Pace

SCRIPT = """
import os, signal, sys, threading, time
from module_double import blobs, make

def press():
    while model.step < 200:
        time.sleep(0.001)
    os.kill(os.getpid(), signal.SIGINT)

signal.signal(signal.SIGINT, signal.default_int_handler)
X, y = blobs(600)
model = make(slow=0.001)
threading.Thread(target=press).start()
history = model.fit(X, y, epochs=10_000, batch_size=8, verbose=False)
assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
print(history.interrupted, len(history), model.step, flush=True)
model.fit(X, y, epochs=1, batch_size=100, verbose=False)
model.save(sys.argv[1])
print("saved", flush=True)
"""


def test_sigint_stops_cleanly_and_keeps_the_model(tmp_path: Path) -> None:
    here = Path(__file__).parent
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(here), str(here.parents[1])))}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path / "m.safetensors")],
        capture_output=True,
        text=True,
        env=environment,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told, saved = done.stdout.splitlines()
    interrupted, epochs, steps = told.split()
    assert interrupted == "True"
    assert 200 <= int(steps) < 10_000 and int(steps) // 75 == int(epochs)
    assert saved == "saved" and done.stderr == ""


def test_keyboard_interrupt_inside_a_step_undoes_the_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    """A NumPy program can be hit between the update of the state and that of the parameters."""
    monkeypatch.setattr(Pace, "steps", lambda self, left: min(3, left))
    X, y = blobs(64)
    model = make(interrupt_at=19)
    history = model.fit(X, y, epochs=5, batch_size=8, verbose=False)
    assert history.interrupted and len(history) == 2
    assert model.step == 19
    whole = make()
    monkeypatch.setattr(Pace, "steps", lambda self, left: 1)
    stop = make(interrupt_at=19)
    stop.fit(X, y, epochs=5, batch_size=8, verbose=False)
    assert state(stop) == state(model)
    whole.fit(X, y, epochs=2, batch_size=8, verbose=False)
    assert whole.step == 16


def test_fit_after_an_interrupt_begins_an_epoch() -> None:
    X, y = blobs(64)
    model = make(interrupt_at=3)
    assert model.fit(X, y, epochs=2, batch_size=8, verbose=False).interrupted
    step = model.step
    history = model.fit(X, y, epochs=2, batch_size=8, verbose=False)
    assert not history.interrupted and len(history) == 2
    assert model.step == step + 16


def test_first_ctrl_c_is_noted_second_is_raised() -> None:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with CtrlC() as stop:
            signal.raise_signal(signal.SIGINT)
            assert stop.asked
            with pytest.raises(KeyboardInterrupt):
                signal.raise_signal(signal.SIGINT)
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        with CtrlC():
            assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
