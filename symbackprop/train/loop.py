"""The epoch loop: chunks of about 50 ms, between which Ctrl-C, the progress bar and the guard act.

A chunk ends with its epoch where something is measured after it; else one chunk may run many short epochs.
"""

from __future__ import annotations

import signal
import threading
import time
from types import FrameType, TracebackType
from typing import Any

import numpy as np

from ..runtime import Module
from .blocks import Array, Blocks
from .evaluate import accuracy
from .feed import Feed, Plan
from .guard import Guard
from .history import History
from .objective import objective
from .progress import Progress, make_progress

CHUNK_SECONDS = 0.05
GROWTH = 8
"""A chunk is at most so many times the one before: the first steps are slower than the rest."""


class Pace:
    """How many steps make a chunk, from the rate measured so far."""

    def __init__(self) -> None:
        self._steps = 1

    def steps(self, left: int) -> int:
        """Steps of the next chunk; at least 1, at most `left`."""
        return min(self._steps, left)

    def measured(self, steps: int, seconds: float) -> None:
        """Learn that `steps` steps took `seconds`."""
        fitting = steps * CHUNK_SECONDS / max(seconds, 1e-9)
        self._steps = max(1, min(int(fitting), GROWTH * self._steps))


class CtrlC:
    """While in use, the first Ctrl-C only sets `asked`; the second one raises KeyboardInterrupt as ever.

    Acts in the main thread and where Python's own handler is in place; no other thread gets Ctrl-C.
    """

    def __init__(self) -> None:
        self.asked = False
        self._before: Any = None

    def _note(self, signum: int, frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True

    def __enter__(self) -> CtrlC:
        main = threading.current_thread() is threading.main_thread()
        if main and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            self._before = signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)


class _Training:
    """One call of `fit`."""

    def __init__(self, module: Module, blocks: Blocks, data: tuple[Array, ...], plan: Plan, stop: CtrlC) -> None:
        self.feed = Feed(module, blocks, data, plan)
        self.guard = Guard(module, blocks, self.feed, plan)
        self.plan = plan
        self.stop = stop
        self.pace = Pace()
        batches = np.full(plan.steps, float(plan.batch))
        batches[-1] = plan.rows_of(plan.steps - 1, 1)
        self.weights = batches
        self.rows = plan.rows_of(0, plan.steps)

    def span(self, left: int) -> int:
        """How many of the `left` epochs make one chunk; at least 1."""
        return max(1, self.pace.steps(left * self.plan.steps) // self.plan.steps)

    def epochs(self, number: int, count: int, progress: Progress) -> list[dict[str, float]] | None:
        """Train `count` epochs from the `number`-th on, in one chunk if they are several.

        Their losses and speeds, or None when Ctrl-C cut them short.
        """
        self.feed.begin_epochs(count)
        losses = np.empty(count * self.plan.steps)
        done, seconds, total = 0, 0.0, 0.0
        while done < len(losses):
            if self.stop.asked:
                return None
            steps = self.pace.steps(len(losses) - done) if count == 1 else len(losses)
            begun = time.perf_counter()
            self.guard.train(losses[done : done + steps])
            spent = time.perf_counter() - begun
            self.pace.measured(steps, spent)
            total += float(losses[done : done + steps].sum())
            rows = count * self.rows if count > 1 else self.plan.rows_of(done, steps)
            done, seconds = done + steps, seconds + spent
            progress.chunk(number + count - 1, rows, total / done)
        means = losses.reshape(count, self.plan.steps) @ self.weights / self.rows
        each = seconds / count
        last = self.feed.run.first_step + self.plan.steps * np.arange(1, count + 1) - 1
        rates = self.feed.scheduled(last)
        return [
            {"loss": float(m), "seconds": each, "examples_per_second": self.rows / max(each, 1e-9)}
            | {name: float(values[i]) for name, values in rates.items()}
            for i, m in enumerate(means)
        ]


def measure(
    module: Module,
    blocks: Blocks,
    data: tuple[Array, ...],
    validation: tuple[Array, ...] | None,
    metrics: bool,
) -> dict[str, float]:
    """After an epoch: accuracy on `data` (if `metrics`), loss and accuracy on `validation`."""
    made: dict[str, float] = {}
    right = accuracy(module, blocks, data) if metrics else None
    if right is not None:
        made["accuracy"] = right
    if validation is not None:
        made["val_loss"] = objective(module, blocks, validation)
        right = accuracy(module, blocks, validation)
        if right is not None:
            made["val_accuracy"] = right
    return made


def train(
    module: Module,
    blocks: Blocks,
    data: tuple[Array, ...],
    plan: Plan,
    *,
    validation: tuple[Array, ...] | None,
    verbose: bool,
    metrics: bool,
) -> History:
    """Train for `plan.epochs` epochs; `data` and `validation` are inputs then targets, checked and converted.

    Ctrl-C ends it cleanly between two chunks and is not raised again: `history.interrupted` says so, and the
    blocks hold the parameters, state and counters of the last step done. A second Ctrl-C does not wait for
    the chunk (its steps are undone). Raises `NonFiniteError` when the loss or a parameter stops being finite.
    """
    history = History()
    with CtrlC() as stop, make_progress(verbose, plan.epochs, plan.rows_of(0, plan.steps)) as progress:
        try:
            training = _Training(module, blocks, data, plan, stop)
            unmeasured = validation is None and (not metrics or module.manifest.metric is None)
            unmeasured = unmeasured and not any(s.watches for s in blocks.schedules.values())
            while len(history) < plan.epochs:
                number = len(history) + 1
                count = training.span(plan.epochs - number + 1) if unmeasured else 1
                told = training.epochs(number, count, progress)
                if told is None:
                    break
                for row in told:
                    after = measure(module, blocks, data, validation, metrics and not unmeasured)
                    training.feed.observe(after.get("val_loss", row["loss"]))
                    history.append(**row, **after)
                    progress.epoch(len(history), history)
        except KeyboardInterrupt:
            stop.asked = True
    history.interrupted = stop.asked
    return history
