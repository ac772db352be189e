"""What `fit` shows while it runs: a bar in a terminal, a few lines elsewhere, or nothing."""

from __future__ import annotations

import os
import sys
import time
from types import TracebackType
from typing import Any, Protocol

from .history import History

LINES = 10
"""Where there is no terminal, about so many epochs are told of."""


COLUMNS = 120
"""Width of the bar's line where the terminal does not tell its own."""


class Progress(Protocol):
    """Told of every chunk and every epoch; closed at the end, whatever happens."""

    def chunk(self, epoch: int, rows: int, loss: float) -> None:
        """`rows` more are done in `epoch` (1-based); `loss` is the epoch's mean so far."""

    def epoch(self, epoch: int, history: History) -> None:
        """`epoch` (1-based) is complete; its numbers are the last of `history`."""

    def __enter__(self) -> Progress: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def make_progress(verbose: bool, epochs: int, rows: int) -> Progress:
    """The progress for `epochs` epochs of `rows` rows each."""
    if not verbose:
        return Silent()
    if sys.stderr is None or not sys.stderr.isatty():
        return Lines(epochs)
    return Bar(epochs, rows)


def _measures(history: History) -> str:
    return "  ".join(f"{n} {history[n][-1]:.4g}" for n in ("val_accuracy", "val_loss", "accuracy") if history[n])


def _rate(examples: float) -> str:
    for size, unit in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if examples >= size:
            return f"{examples / size:.3g}{unit} examples/s"
    return f"{examples:.3g} examples/s"


def _columns() -> int:
    """The terminal's width. Some pseudo-terminals say 0 by 0: tqdm would print nothing there."""
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns or COLUMNS
    except (OSError, ValueError, AttributeError):
        return COLUMNS


class Silent:
    """Shows nothing."""

    def chunk(self, epoch: int, rows: int, loss: float) -> None:
        """See `Progress`."""

    def epoch(self, epoch: int, history: History) -> None:
        """See `Progress`."""

    def __enter__(self) -> Silent:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None


class Lines(Silent):
    """One line for every `1/LINES` of the epochs, on stderr."""

    def __init__(self, epochs: int) -> None:
        self._epochs = epochs
        self._every = -(-epochs // LINES)

    def epoch(self, epoch: int, history: History) -> None:
        """See `Progress`."""
        if epoch % self._every and epoch != self._epochs:
            return
        told = (
            f"epoch {epoch}/{self._epochs}",
            _rate(history.examples_per_second[-1]),
            f"loss {history.loss[-1]:.4g}",
            _measures(history),
        )
        print("  ".join(filter(None, told)), file=sys.stderr, flush=True)


class Bar(Silent):
    """One tqdm bar for the whole `fit`."""

    FORMAT = "{desc} {bar:18} {unit}"

    def __init__(self, epochs: int, rows: int) -> None:
        from tqdm import tqdm  # 50 ms that a silent run does not pay

        self._epochs = epochs
        self._measured = ""
        self._begun = time.perf_counter()
        self._bar: Any = tqdm(
            total=epochs * rows,
            desc=f"epoch 1/{epochs}",
            unit="",
            bar_format=self.FORMAT,
            ascii=" ━",
            disable=None,
            file=sys.stderr,
            ncols=_columns(),
            nrows=20,
        )

    def chunk(self, epoch: int, rows: int, loss: float) -> None:
        """See `Progress`."""
        self._bar.set_description_str(f"epoch {epoch}/{self._epochs}", refresh=False)
        rate = (self._bar.n + rows) / (time.perf_counter() - self._begun)
        self._bar.unit = "  ".join(filter(None, (_rate(rate), f"loss {loss:.4g}", self._measured)))
        self._bar.update(rows)

    def epoch(self, epoch: int, history: History) -> None:
        """See `Progress`."""
        last = f"loss {history.loss[-1]:.4g}"
        self._measured = _measures(history)
        self._bar.unit = "  ".join(filter(None, (self._bar.unit.split("  ")[0], last, self._measured)))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.close()
