from __future__ import annotations

import builtins
import copy
import pickle
from pathlib import Path
from typing import Any

import pytest

from symbackprop.errors import SymbackpropError
from symbackprop.train import History


def example() -> History:
    history = History()
    for epoch in range(1, 4):
        history.append(loss=1 / epoch, val_loss=2 / epoch, seconds=0.5, examples_per_second=100.0)
    return history


def test_columns() -> None:
    history = example()
    assert len(history) == 3
    assert history.loss == history["loss"] == (1.0, 0.5, 1 / 3)
    assert history.accuracy == history.val_accuracy == ()
    assert list(history) == ["loss", "val_loss", "seconds", "examples_per_second"]
    assert history.to_dict()["val_loss"] == [2.0, 1.0, 2 / 3]
    history.to_dict()["loss"].append(0.0)
    assert len(history.loss) == 3
    with pytest.raises(KeyError, match="Did you mean 'val_loss'"):
        history["val_los"]


def test_repr_and_copies() -> None:
    history = example()
    assert repr(history) == "History(epochs=3, loss=0.3333, val_loss=0.6667)"
    history.interrupted = True
    assert repr(history).endswith(", interrupted)")
    for twin in (copy.deepcopy(history), pickle.loads(pickle.dumps(history))):
        assert twin.to_dict() == history.to_dict() and twin.interrupted
    assert repr(History()) == "History(epochs=0)"


@pytest.mark.parametrize("suffix", ["png", "svg"])
def test_plot(suffix: str, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    history = example()
    path = history.plot(tmp_path / f"curve.{suffix}")
    assert path.read_bytes()[:5] == {"png": b"\x89PNG\r", "svg": b"<?xml"}[suffix]


def test_plot_says_what_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(SymbackpropError, match="no complete epoch"):
        History().plot(tmp_path / "curve.png")
    real = builtins.__import__

    def without(name: str, *args: Any, **options: Any) -> Any:
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real(name, *args, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(SymbackpropError, match=r"symbackprop\[plot\]"):
        example().plot(tmp_path / "curve.png")
