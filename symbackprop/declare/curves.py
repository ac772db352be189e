"""The records behind `sb.schedules`: the values of each kind of schedule at the steps of a clock."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from .schedule import Clock, Schedule, start

if TYPE_CHECKING:
    from .schedule import Array


@dataclass(frozen=True, slots=True)
class Formula(Schedule):
    """Values by a formula of the clock and of some numbers."""

    name: str
    numbers: tuple[float, ...]

    def at(self, clock: Clock) -> Array:
        """See `Schedule.at`."""
        import numpy as np

        with np.errstate(all="ignore"):
            made: Array = FORMULAS[self.name](clock, *self.numbers) + np.zeros(clock.t.shape)
        return made


FORMULAS: dict[str, Callable[..., Any]] = {
    "constant": lambda c, value: value,
    "inverse": lambda c, value: value / c.e,
    "robbins_monro": lambda c, value, decay, power: value / (1 + decay * c.t) ** power,
    "step": lambda c, value, factor, every: value * factor ** ((c.e - 1) // every),
    "exponential": lambda c, value, factor: value * factor ** (c.e - 1.0),
}


@dataclass(frozen=True, slots=True)
class Cosine(Schedule):
    """See `schedules.cosine`."""

    value: float
    steps: int | None
    epochs: float | None
    minimum: float

    def at(self, clock: Clock) -> Array:
        """See `Schedule.at`."""
        import numpy as np

        x = np.minimum(1.0, clock.done(self.steps) / _total(clock, self.steps, self.epochs))
        return _cosine(self.value, self.minimum, x)


@dataclass(frozen=True, slots=True)
class OneCycle(Schedule):
    """See `schedules.one_cycle`."""

    largest: float
    steps: int | None
    epochs: float | None
    start: float
    end: float
    rise: float

    def at(self, clock: Clock) -> Array:
        """See `Schedule.at`."""
        import numpy as np

        total = _total(clock, self.steps, self.epochs)
        done, top = np.minimum(clock.done(self.steps), total - 1), max(self.rise * total - 1, 0.0)
        with np.errstate(all="ignore"):
            up = _cosine(self.start, self.largest, done / top if top > 0 else np.ones(done.shape))
            down = _cosine(self.largest, self.end, (done - top) / max(total - 1 - top, 1e-300))
        return np.where(done <= top, up, down)


@dataclass(frozen=True, slots=True)
class WarmUp(Schedule):
    """See `schedules.warm_up`."""

    then: Schedule
    steps: int | None
    epochs: float | None

    def at(self, clock: Clock) -> Array:
        """See `Schedule.at`."""
        import numpy as np

        total = _total(clock, self.steps, self.epochs)
        done = clock.done(self.steps)
        first = float(self.then.at(start(clock.per))[0])
        late = done >= total - 1e-9
        values = first * np.minimum(1.0, (done + 1) / total)
        if late.any():
            shifted = clock.later(self.steps, self.epochs)
            values[late] = self.then.at(Clock(shifted.t[late], shifted.e[late], shifted.past[late], clock.per))
        return values

    @property
    def watches(self) -> bool:
        """See `Schedule.watches`."""
        return self.then.watches

    def observe(self, loss: float) -> Schedule:
        """See `Schedule.observe`; epochs of the warm-up count too."""
        return replace(self, then=self.then.observe(loss))

    @property
    def memory(self) -> tuple[float, ...]:
        """See `Schedule.memory`."""
        return self.then.memory

    def recall(self, memory: tuple[float, ...]) -> Schedule:
        """See `Schedule.recall`."""
        return replace(self, then=self.then.recall(memory))


@dataclass(frozen=True, slots=True)
class Plateau(Schedule):
    """See `schedules.reduce_on_plateau`; `best`, `waited` and `now` are what the epochs so far have made of it."""

    value: float
    factor: float
    patience: int
    minimum: float
    threshold: float
    best: float = math.inf
    waited: int = 0
    now: float | None = None

    def at(self, clock: Clock) -> Array:
        """See `Schedule.at`."""
        import numpy as np

        return np.full(clock.t.shape, self.value if self.now is None else self.now)

    @property
    def watches(self) -> bool:
        """See `Schedule.watches`."""
        return True

    def observe(self, loss: float) -> Schedule:
        """See `Schedule.observe`."""
        if loss < self.best * (1 - self.threshold):
            return replace(self, best=loss, waited=0)
        if self.waited < self.patience:
            return replace(self, waited=self.waited + 1)
        now = self.value if self.now is None else self.now
        return replace(self, waited=0, now=max(now * self.factor, self.minimum))

    @property
    def memory(self) -> tuple[float, ...]:
        """See `Schedule.memory`: best, waited, now."""
        return self.best, float(self.waited), self.value if self.now is None else self.now

    def recall(self, memory: tuple[float, ...]) -> Schedule:
        """See `Schedule.recall`."""
        if len(memory) != 3:
            return self
        best, waited, now = memory
        return replace(self, best=best, waited=int(waited), now=now)


def _cosine(first: float, last: float, x: Array) -> Array:
    import numpy as np

    return last + (first - last) * (1 + np.cos(np.pi * x)) / 2


def _total(clock: Clock, steps: int | None, epochs: float | None) -> float:
    return float(steps if steps is not None else (epochs or 0) * clock.per)
