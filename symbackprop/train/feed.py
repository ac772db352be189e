"""Feeds: run steps of one epoch after another over data in memory.

Every call of `fit` begins a new epoch, whatever the step counter stands at. The batches of an epoch are those of
`streams.permutation(seed, epoch, rows)`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from .. import streams
from ..declare.schedule import Clock
from ..errors import NonFiniteError
from ..runtime import Module, Run
from .blocks import Array, Blocks, bounds_of


@dataclass(frozen=True, slots=True)
class Plan:
    """How `fit` goes over the data."""

    epochs: int
    batch: int
    shuffle: bool
    drop_last: bool
    rows: int

    @property
    def steps(self) -> int:
        """Steps of one epoch."""
        return self.rows // self.batch if self.drop_last else -(-self.rows // self.batch)

    def rows_of(self, first: int, steps: int) -> int:
        """Rows in `steps` batches of an epoch from batch `first` on."""
        return min((first + steps) * self.batch, self.rows) - first * self.batch


@dataclass
class Feed:
    """Trains the model of its blocks."""

    module: Module
    blocks: Blocks
    data: tuple[Array, ...]
    plan: Plan
    run: Run = field(init=False)

    def __post_init__(self) -> None:
        blocks, rows = self.blocks, self.plan.rows
        self.run = Run(
            params=blocks.params, state=blocks.state, hypers=blocks.hypers, data=self.data, rows=rows,
            batch=self.plan.batch, seed=blocks.seed, shuffle=self.plan.shuffle, drop_last=self.plan.drop_last,
            order=np.arange(rows, dtype=np.int64), order_epoch=-1, losses=np.empty(0), step=blocks.step,
        )  # fmt: skip

    @property
    def place(self) -> tuple[int, int]:
        """The epoch that the next step belongs to (from 0 on, over all calls of `fit`), and its batch there."""
        epochs, batch = divmod(self.blocks.step - self.run.first_step, self.plan.steps)
        return self.run.first_epoch + epochs, batch

    def begin_epochs(self, count: int = 1) -> None:
        """Start over, with the next order of the rows; the steps of `count` epochs will follow."""
        self.run.first_step, self.run.first_epoch = self.blocks.step, self.blocks.epoch
        self.blocks.epoch += count

    def train(self, losses: Array) -> int:
        """Run `len(losses)` steps of these epochs, at most; as `Module.train`. Advances the blocks' step."""
        blocks = self.blocks
        self.run.step, self.run.losses, self.run.hypers = blocks.step, losses, self._hypers(len(losses))
        with np.errstate(all="ignore"):
            done = self.module.train(self.run, len(losses))
        if blocks.schedules and done:
            blocks.hypers[:] = self.run.hypers[done - 1]
        blocks.step += done
        return done

    def _hypers(self, steps: int) -> Array:
        """The scalar block for the next steps: one for all, or with schedules a row (steps, H) for each."""
        if not self.blocks.schedules:
            return self.blocks.hypers
        rows = np.tile(self.blocks.hypers, (steps, 1))
        names = [name for name, _ in self.module.manifest.hypers]
        for name, values in self.scheduled(self.blocks.step + np.arange(steps)).items():
            rows[:, names.index(name)] = values
        return rows

    def scheduled(self, steps: Array) -> dict[str, Array]:
        """Values (steps,) of the hyper-parameters that have schedules, at steps (from 0) of these epochs.

        Raises `NonFiniteError` where a schedule has no finite value, or one beyond the hyper-parameter's bounds.
        """
        run = self.run
        clock = Clock.of(steps, run.first_step, run.first_epoch, self.plan.steps)
        made = {name: schedule.at(clock) for name, schedule in self.blocks.schedules.items()}
        bounds = bounds_of(self.module.manifest)
        for name, values in made.items():
            good = np.isfinite(values) & bounds[name].holds(values)
            if not good.all():
                bad = int(np.flatnonzero(~good)[0])
                raise NonFiniteError(
                    f"the schedule of {name} gives {values[bad]} at training step {clock.t[bad]} (epoch "
                    f"{clock.e[bad]}), which must be {bounds[name].wanted}: {self.blocks.schedules[name]!r}; the model "
                    "keeps what it has learned before",
                    int(clock.t[bad]),
                    name,
                )
        return made

    def observe(self, loss: float) -> None:
        """Tell the schedules of an epoch's loss."""
        schedules = self.blocks.schedules
        schedules.update({name: schedule.observe(loss) for name, schedule in schedules.items()})

    def rewind(self, step: int) -> None:
        """Go back to a step of these epochs (the caller puts parameters and state back).

        The order may have been left half written, so it is made anew.
        """
        self.blocks.step = step
        self.run.order_epoch = -1

    def batch(self) -> tuple[Array, ...]:
        """The data of the next step."""
        epoch, batch = self.place
        order = np.arange(self.plan.rows)
        if self.plan.shuffle:
            order = streams.permutation(self.blocks.seed, epoch, self.plan.rows)
        first = batch * self.plan.batch
        rows = order[first : first + self.plan.batch]
        return tuple(np.ascontiguousarray(a[rows]) for a in self.data)
