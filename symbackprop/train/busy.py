"""One user at a time: the lock of a model."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..errors import SymbackpropError

POLL = 0.02
"""Seconds between two looks at what holds the lock."""


class Busy:
    """A lock that waits for short work and refuses, with a clear error, to wait for a training.

    A copy (pickle, deepcopy) is free, and so is the lock in a forked child, whatever the parent's threads do.
    """

    def __init__(self) -> None:
        self._clear()

    def _clear(self) -> None:
        self._lock = threading.Lock()
        self._pid = os.getpid()
        self._fitting = False

    @contextmanager
    def hold(self, fitting: bool = False) -> Iterator[None]:
        """Hold the lock; `SymbackpropError` at once when a `fit` has it."""
        if self._pid != os.getpid():
            self._clear()
        while not self._lock.acquire(timeout=POLL):
            if self._fitting:
                raise SymbackpropError(
                    "this model is training in another thread; wait for that fit to return, "
                    "or work on a copy (copy.deepcopy(model) before the fit)"
                )
        self._fitting = fitting
        try:
            yield
        finally:
            self._fitting = False
            self._lock.release()

    def __reduce__(self) -> tuple[Any, ...]:
        return Busy, ()
