from __future__ import annotations

import io
import os
import re
import select
import sys

import pytest
from module_double import blobs, make

from symbackprop.train.progress import _rate


def fit(epochs: int, verbose: bool = True) -> None:
    X, y = blobs()
    make().fit(X, y, epochs=epochs, batch_size=20, validation_data=(X, y), verbose=verbose)


def test_without_a_terminal_about_ten_lines(capsys: pytest.CaptureFixture[str]) -> None:
    for epochs, lines in ((1, 1), (10, 10), (25, 9), (1000, 10)):
        fit(epochs)
        out, err = capsys.readouterr()
        told = err.splitlines()
        assert out == "" and len(told) == lines
        assert re.fullmatch(
            rf"epoch {epochs}/{epochs}  [\d.e+]+ ?[kMG]? examples/s  loss [\d.e-]+  val_accuracy [\d.]+"
            r"  val_loss [\d.e-]+  accuracy [\d.]+",
            told[-1],
        )


def test_silent(capsys: pytest.CaptureFixture[str]) -> None:
    fit(3, verbose=False)
    assert capsys.readouterr() == ("", "")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_one_bar_in_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    fit(5)
    last = re.split(r"[\r\n]+", terminal.getvalue().strip())[-1]
    assert last.startswith("epoch 5/5 ━━━━━━━━━━━━━━━━━━ ")
    assert re.search(r"examples/s  loss [\d.e-]+  val_accuracy [\d.]+  val_loss [\d.e-]+  accuracy [\d.]+$", last)


def everything(reader: int) -> bytes:
    """All that was written to a pseudo-terminal whose other end is closed: one read may return a part of it."""
    text = b""
    try:
        while select.select([reader], [], [], 5.0)[0] and (part := os.read(reader, 65536)):
            text += part
    except OSError:  # Linux reports the closed end so
        pass
    return text


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")
def test_a_terminal_without_a_width_shows_the_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = os.openpty()
    with open(writer, "w") as terminal:
        monkeypatch.setattr("sys.stderr", terminal)
        fit(2)
        monkeypatch.undo()
    assert "epoch 2/2 ━" in everything(reader).decode(errors="replace")
    os.close(reader)


@pytest.mark.parametrize(
    ("rate", "told"),
    [(12.3, "12.3 examples/s"), (1.4e6, "1.4 M examples/s"), (45678, "45.7 k examples/s"), (2e9, "2 G examples/s")],
)  # fmt: skip
def test_rates(rate: float, told: str) -> None:
    assert _rate(rate) == told
