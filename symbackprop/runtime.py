"""What a generated program says of itself, and how it is run: the records around a loaded module."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Protocol

from .records import Initializer

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, slots=True)
class Port:
    """An input, target or output of a program. `shape` is without the batch axis.

    `role`: "real", "unit" (entries in [0, 1]), "sign" (-1 or 1), "one_hot" (rows sum to 1; integer labels are
    expanded), "index" (whole numbers 0 ... `levels` - 1, kept in the program's real type) or "weight" (a sample's,
    >= 0; 1 if not given). `ignore` is a label that belongs to no class: its "one_hot" row is zero.
    """

    name: str
    shape: tuple[int, ...]
    role: str = "real"
    levels: int = 0
    ignore: int | None = None


@dataclass(frozen=True, slots=True)
class Slot:
    """A parameter's place in the flat block: `offset` in entries, from `shape` how many."""

    name: str
    shape: tuple[int, ...]
    offset: int
    init: Initializer


@dataclass(frozen=True, slots=True)
class Manifest:
    """All that the runtime must know of a compiled network; stored as JSON beside its sources.

    `block` is the length of the flat parameter block in entries (slots are aligned, gaps are zero);
    every optimizer state is a block of the same length; `hypers` are (name, default) in the order of the
    scalar block and `bounds` between which numbers each lies (as `declare.bounds.Bounds`; none: any);
    `trace` are the tensors that the NumPy module's `trace` returns, in order of computation.
    `fixed` are the slots of the model's states (running statistics, frozen parameters), which lie behind the
    block. A training batch has at least `least_rows` samples; `randoms` are drawn anew for each. `starts` are the
    optimizer states' first values: numbers, or names of hyper-parameters (none: all 0). `unreduced` are the losses
    that `Module.losses` gives.
    """

    dtype: str
    inputs: tuple[Port, ...]
    targets: tuple[Port, ...]
    outputs: tuple[Port, ...]
    parameters: tuple[Slot, ...]
    block: int
    states: tuple[str, ...]
    hypers: tuple[tuple[str, float], ...]
    metric: str | None
    trace: tuple[str, ...]
    optimizer: str
    fixed: tuple[Slot, ...] = ()
    least_rows: int = 1
    randoms: tuple[str, ...] = ()
    starts: tuple[float | str, ...] = ()
    unreduced: tuple[str, ...] = ()
    bounds: tuple[tuple[float | None, ...], ...] = ()

    @property
    def length(self) -> int:
        """Entries of the whole array: the block, then the states."""
        return max([self.block, *(slot.offset + math.prod(slot.shape) for slot in self.fixed)])

    def to_json(self) -> str:
        """This record as JSON text."""
        return json.dumps(asdict(self), indent=1)

    @classmethod
    def from_json(cls, text: str) -> Manifest:
        """The record from `to_json`'s text; raises KeyError, TypeError or ValueError on anything else."""
        raw: dict[str, Any] = json.loads(text)
        ports = {k: tuple(_port(p) for p in raw[k]) for k in ("inputs", "targets", "outputs")}
        return cls(
            dtype=raw["dtype"],
            parameters=tuple(map(_slot, raw["parameters"])),
            block=raw["block"],
            states=tuple(raw["states"]),
            hypers=tuple((name, float(value)) for name, value in raw["hypers"]),
            metric=raw["metric"],
            trace=tuple(raw["trace"]),
            optimizer=raw["optimizer"],
            fixed=tuple(map(_slot, raw["fixed"])),
            least_rows=raw["least_rows"],
            randoms=tuple(raw["randoms"]),
            starts=tuple(raw["starts"]),
            unreduced=tuple(raw["unreduced"]),
            bounds=tuple(map(tuple, raw.get("bounds", ()))),
            **ports,
        )


def _port(raw: Mapping[str, Any]) -> Port:
    return Port(raw["name"], tuple(raw["shape"]), raw["role"], raw["levels"], raw["ignore"])


def _slot(raw: Mapping[str, Any]) -> Slot:
    init = Initializer(raw["init"]["kind"], tuple(raw["init"]["args"]))
    return Slot(raw["name"], tuple(raw["shape"]), raw["offset"], init)


@dataclass(frozen=True, slots=True)
class Source:
    """Generated text for one target, with what the runtime must know of it."""

    target: str
    text: str
    manifest: Manifest


@dataclass(slots=True)
class Run:
    """One training run's buffers, shared by Python and the generated loop (the one mutable record).

    `params` has the manifest's `length` entries and each row of `state` is a flat block, in the model's dtype;
    `hypers` is float64, (H,) or a row for every step of the call (steps, H);
    `data` are the inputs then the targets, each (rows, ...), contiguous, in the model's dtype;
    `first_epoch` is the number of the epoch that began at step `first_step`;
    `order` is the current epoch's permutation (int64), valid for epoch `order_epoch` (-1: none);
    `losses` gets one float64 a step of the current chunk.
    """

    params: np.ndarray[Any, Any]
    state: np.ndarray[Any, Any]
    hypers: np.ndarray[Any, Any]
    data: tuple[np.ndarray[Any, Any], ...]
    rows: int
    batch: int
    seed: int
    shuffle: bool
    drop_last: bool
    order: np.ndarray[Any, Any]
    order_epoch: int
    losses: np.ndarray[Any, Any]
    step: int = 0
    first_step: int = 0
    first_epoch: int = 0

    @property
    def place(self) -> tuple[int, int]:
        """The epoch that the next step belongs to, and its batch within it."""
        epochs, batch = divmod(self.step - self.first_step, self.steps_per_epoch)
        return self.first_epoch + epochs, batch

    @property
    def steps_per_epoch(self) -> int:
        """Steps of one epoch; the last partial batch counts unless `drop_last`."""
        return self.rows // self.batch if self.drop_last else -(-self.rows // self.batch)


class Module(Protocol):
    """A loaded program. All arrays are contiguous and of the manifest's dtype (`hypers`: float64)."""

    manifest: Manifest
    target: str

    def predict(
        self,
        params: np.ndarray[Any, Any],
        hypers: np.ndarray[Any, Any],
        inputs: tuple[np.ndarray[Any, Any], ...],
    ) -> tuple[np.ndarray[Any, Any], ...]:
        """Outputs for a batch."""

    def loss(
        self,
        params: np.ndarray[Any, Any],
        hypers: np.ndarray[Any, Any],
        data: tuple[np.ndarray[Any, Any], ...],
    ) -> float:
        """The objective on a batch, regularizers included, in the inference mode."""

    def gradients(
        self,
        params: np.ndarray[Any, Any],
        hypers: np.ndarray[Any, Any],
        data: tuple[np.ndarray[Any, Any], ...],
        out: np.ndarray[Any, Any],
        draw: tuple[int, int] = (0, 0),
    ) -> float:
        """The objective in the training mode; its gradient is written to the flat block `out`.

        `draw` is the (seed, step) that keys the random tensors.
        """

    def losses(
        self,
        params: np.ndarray[Any, Any],
        hypers: np.ndarray[Any, Any],
        data: tuple[np.ndarray[Any, Any], ...],
    ) -> dict[str, np.ndarray[Any, Any]]:
        """The losses before their sum, by the names of the manifest's `unreduced`, in the inference mode."""

    def train(self, run: Run, steps: int) -> int:
        """At most `steps` steps from `run.step` (counted from 0 over all epochs) on; advances `run.step`.

        Returns the number of steps done. Fewer than asked: the loss of the last one done, the last written
        in `run.losses`, is not finite; its update was not applied.
        """

    def trace(
        self,
        params: np.ndarray[Any, Any],
        hypers: np.ndarray[Any, Any],
        data: tuple[np.ndarray[Any, Any], ...],
        draw: tuple[int, int] = (0, 0),
    ) -> dict[str, np.ndarray[Any, Any]]:
        """Every named tensor of a training step on a batch (forward to gradients), in order of computation."""
