"""Feeds: run steps of one epoch after another over data in memory.

Every call of `fit` begins an epoch. A program finds its place in the data from the step counter alone, so
this fits only where the counter stands on a multiple of the epoch's steps: then `DirectFeed` hands the whole
work over. Otherwise (other data or batch size than before, or an epoch cut short) `StagedFeed` gathers each
chunk's rows here, in an order that the program reads batch by batch from where its counter stands. Both give
the batches of `random.permutation(seed, epoch, rows)`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from ..records import Module, Run
from . import random
from .blocks import Array, Blocks


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


class Feed(Protocol):
    """Trains the model of its blocks."""

    @property
    def position(self) -> int:
        """Number of the epoch's batches done."""

    def begin_epoch(self) -> None:
        """Start over, with the next order of the rows."""

    def train(self, losses: Array) -> int:
        """Run `len(losses)` steps of this epoch, at most; as `Module.train`. Advances the blocks' step."""

    def rewind(self, step: int) -> None:
        """Go back to a step of this epoch (the caller puts parameters and state back)."""

    def batch(self) -> tuple[Array, ...]:
        """The data of the next step."""


def make_feed(module: Module, blocks: Blocks, data: tuple[Array, ...], plan: Plan) -> Feed:
    """The feed for a `fit` that begins at the blocks' step."""
    kind = DirectFeed if blocks.step % plan.steps == 0 else StagedFeed
    return kind(module, blocks, data, plan)


@dataclass
class _Feed:
    """What both feeds share."""

    module: Module
    blocks: Blocks
    data: tuple[Array, ...]
    plan: Plan
    start: int = field(init=False, default=0)

    @property
    def position(self) -> int:
        """See `Feed`."""
        return self.blocks.step - self.start

    def begin_epoch(self) -> None:
        """See `Feed`."""
        self.start = self.blocks.step
        self.blocks.epoch += 1

    def rewind(self, step: int) -> None:
        """See `Feed`."""
        self.blocks.step = step

    def batch(self) -> tuple[Array, ...]:
        """See `Feed`."""
        first = self.position * self.plan.batch
        rows = self._order()[first : first + self.plan.batch]
        return tuple(np.ascontiguousarray(a[rows]) for a in self.data)

    def _epoch(self) -> int:
        raise NotImplementedError

    def _order(self) -> Array:
        if not self.plan.shuffle:
            return np.arange(self.plan.rows)
        return random.permutation(self.blocks.seed, self._epoch(), self.plan.rows)

    def _call(self, run: Run, losses: Array) -> int:
        run.step = self.blocks.step
        run.losses = losses
        with np.errstate(all="ignore"):
            done = self.module.train(run, len(losses))
        self.blocks.step += done
        return done

    def _run(self, data: tuple[Array, ...], batch: int, shuffle: bool) -> Run:
        blocks, rows = self.blocks, len(data[0])
        return Run(
            params=blocks.params, state=blocks.state, hypers=blocks.hypers, data=data, rows=rows, batch=batch,
            seed=blocks.seed, shuffle=shuffle, drop_last=self.plan.drop_last,
            order=np.arange(rows, dtype=np.int64), order_epoch=-1, losses=np.empty(0),
        )  # fmt: skip


@dataclass
class DirectFeed(_Feed):
    """The program shuffles and gathers by itself."""

    run: Run = field(init=False)

    def __post_init__(self) -> None:
        self.run = self._run(self.data, self.plan.batch, self.plan.shuffle)

    def _epoch(self) -> int:
        return self.blocks.step // self.plan.steps

    def rewind(self, step: int) -> None:
        """See `Feed`. The order may have been left half written, so it is made anew."""
        super().rewind(step)
        self.run.order_epoch = -1

    def train(self, losses: Array) -> int:
        """See `Feed`."""
        return self._call(self.run, losses)


@dataclass
class StagedFeed(_Feed):
    """The rows of a chunk are gathered before the program is called."""

    order: Array = field(init=False)

    def begin_epoch(self) -> None:
        """See `Feed`."""
        super().begin_epoch()
        self.order = self._order()

    def _epoch(self) -> int:
        return self.blocks.epoch - 1

    def train(self, losses: Array) -> int:
        """See `Feed`."""
        full = min(self.plan.rows // self.plan.batch - self.position, len(losses))
        done = self._full(losses[:full]) if full else 0
        if done == full < len(losses) and np.isfinite(losses[:full]).all():
            rows = self.order[self.position * self.plan.batch :]
            done += self._call(self._run(self._gather(rows), len(rows), shuffle=False), losses[full:])
        return done

    def _full(self, losses: Array) -> int:
        """Whole batches, turned so that the first of them lies where the program looks at this step."""
        count, size = len(losses), self.plan.batch
        first = self.position * size
        rows = self.order[first : first + count * size].reshape(count, size)
        turned = np.roll(rows, self.blocks.step % count, axis=0).reshape(-1)
        return self._call(self._run(self._gather(turned), size, shuffle=False), losses)

    def _gather(self, rows: Array) -> tuple[Array, ...]:
        return tuple(np.ascontiguousarray(a[rows]) for a in self.data)
