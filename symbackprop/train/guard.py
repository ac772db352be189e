"""The non-finite guard: a chunk that ends in a NaN or an infinity is undone, replayed and explained.

The steps are a function of parameters, state and the step counter (random streams are counter-based), so a
chunk replayed from its snapshot does the same, and step by step the first bad one is found.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ..errors import NonFiniteError
from ..runtime import Module
from .blocks import Array, Blocks, first_not_finite
from .feed import Feed, Plan


@dataclass
class Guard:
    """Keeps a snapshot of one model's blocks while its feed trains it."""

    module: Module
    blocks: Blocks
    feed: Feed
    plan: Plan
    params: Array = field(init=False)
    state: Array = field(init=False)
    step: int = field(init=False)

    def __post_init__(self) -> None:
        self.params = np.empty_like(self.blocks.params)
        self.state = np.empty_like(self.blocks.state)

    def train(self, losses: Array) -> None:
        """Run `len(losses)` steps, all finite, or raise `NonFiniteError` with the last finite ones kept.

        Anything else that is raised on the way, KeyboardInterrupt too, leaves the blocks as they were before.
        """
        if self._attempt(losses) is None:
            return
        self._restore()
        for i in range(len(losses)):
            bad = self._attempt(losses[i : i + 1])
            if bad is not None:
                self._restore()
                raise self._explain(bad, float(losses[i]))

    def _attempt(self, losses: Array) -> str | None:
        """Train from a new snapshot; the first thing that is not finite after it, or None."""
        np.copyto(self.params, self.blocks.params)
        np.copyto(self.state, self.blocks.state)
        self.step = self.blocks.step
        try:
            done = self.feed.train(losses)
        except BaseException:
            self._restore()
            raise
        if done < len(losses) or not np.isfinite(losses).all():
            return "loss"
        return first_not_finite(self.module.manifest, self.blocks)

    def _restore(self) -> None:
        np.copyto(self.blocks.params, self.params)
        np.copyto(self.blocks.state, self.state)
        self.feed.rewind(self.step)

    def _explain(self, bad: str, loss: float) -> NonFiniteError:
        """The error for the next step, which is not finite; the parameters before it are in place."""
        data = self.feed.batch()
        tensor, told = self._origin(data)
        if tensor is None:
            tensor = bad
            told = f"every tensor of the step is finite in the NumPy trace, but {bad} is not"
        step, (epoch, batch) = self.step + 1, self.feed.place
        self.blocks.epoch = epoch + 1
        rates = ", ".join(
            f"{name} = {value:.3g}"
            for (name, _), value in zip(self.module.manifest.hypers, self.blocks.hypers, strict=True)
        )
        scale = max(float(np.abs(a).max()) for a in data)
        weight = float(np.abs(self.params).max(initial=0.0))
        return NonFiniteError(
            f"training step {step} (epoch {epoch + 1}, batch {batch + 1} of {self.plan.steps}) is not "
            f"finite, its loss is {loss:.6g}: {told}. The model keeps the parameters from before this step. "
            f"Likely causes: a learning rate that is too large ({rates}), data of too large a scale (largest "
            f"entry of this batch: {scale:.3g}), parameters that have grown (largest: {weight:.3g}), or a "
            "formula without a value there (log 0, 0/0)",
            step,
            tensor,
        )

    def _origin(self, data: tuple[Array, ...]) -> tuple[str | None, str]:
        with np.errstate(all="ignore"):
            trace = self.module.trace(self.params, self.blocks.hypers, data, draw=(self.blocks.seed, self.step))
        for name, entries in trace.items():
            bad = ~np.isfinite(entries)
            if bad.any():
                count, total = int(np.count_nonzero(bad)), np.size(entries)
                return name, f"it begins in tensor {name}, where {count} of {total} entries are not finite"
        return None, ""
