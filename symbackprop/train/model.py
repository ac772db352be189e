"""The model: a compiled network with its parameters; it fits, predicts, evaluates and saves."""

from __future__ import annotations

import operator
import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..errors import DataError, ModelFileError
from ..runtime import Manifest, Module
from . import checkpoint
from .blocks import Array, Blocks, aligned, fixed_views, views
from .busy import Busy
from .data import check_batch_size, check_count, check_least_rows, prepare, prepare_inputs
from .evaluate import BATCH, accuracy, predictions
from .feed import Plan
from .history import History
from .initialize import initial_block
from .loop import train
from .metrics import check_metric
from .objective import objective
from .states import fill
from .summary import summary
from .values import Hypers, Parameters


class Model:
    """A compiled network that learns.

    `X` and `y` are arrays with one row a sample. With several inputs or targets they are tuples in the order
    of the network, or dicts by name. They are checked before anything runs (`DataError`) and converted: see
    `train.data`. One thread at a time works on a model; while it trains, other threads get an error. A model
    can be pickled, deep-copied and used after a fork; a copy starts as its original is.
    """

    def __init__(self, module: Module, seed: int, hypers: Mapping[str, Any], source: str) -> None:
        """A model with fresh parameters.

        `seed` (0 to 2^63 - 1) keys initial values and the order of the rows; `hypers` (numbers or schedules)
        replaces defaults of the manifest; `source` is the generated text of `module`.
        """
        manifest = module.manifest
        check_metric(manifest.metric)
        self._module = module
        self._source = source
        self._busy = Busy()
        self._blocks = Blocks(
            params=initial_block(manifest, _seed(seed)),
            state=aligned((len(manifest.states), manifest.block), manifest.dtype),
            hypers=np.array([value for _, value in manifest.hypers], dtype=np.float64),
            seed=_seed(seed),
        )
        self.hypers.update(hypers)
        fill(manifest, self._blocks)

    def fit(
        self,
        X: Any,
        y: Any = None,
        epochs: int = 1,
        batch_size: int = 32,
        *,
        sample_weight: Any = None,
        validation_data: Any = None,
        verbose: bool = True,
        shuffle: bool = True,
        drop_last: bool = False,
        metrics: bool = True,
    ) -> History:
        """Train for `epochs` epochs of batches of `batch_size` rows; an epoch's last batch may be smaller.

        Called again it goes on with the parameters, optimizer state and counters as they are, in a new epoch.
        `sample_weight` (N,), numbers >= 0, are the samples' weights in the loss of a network declared with
        `sample_weights=True` (1 if not given). `validation_data` is (X, y) or (X, y, sample_weight), measured
        after each epoch. `shuffle` orders the rows anew for each
        epoch, `drop_last` leaves a smaller last batch out, `metrics` measures the accuracy on X after each
        epoch (one pass over it). `verbose` shows a bar in a terminal, about ten lines elsewhere, on stderr.

        Ctrl-C stops after the chunk at hand (about 50 ms) and is not raised again: the model keeps what it
        has learned, and the history has `interrupted` set.

        Raises `DataError`; `NonFiniteError` when the loss or a parameter becomes NaN or infinite, with the
        parameters from before that step kept; `SymbackpropError` when another thread trains this model.
        """
        data = prepare(self.manifest, X, y, sample_weight=sample_weight)
        batch = check_batch_size(batch_size, len(data[0]))
        check_least_rows(self.manifest.least_rows, len(data[0]), batch, drop_last)
        plan = Plan(check_count(epochs, "epochs"), batch, shuffle, drop_last, len(data[0]))
        seen = None if validation_data is None else _validation(self.manifest, validation_data)
        with self._busy.hold(fitting=True):
            return train(self._module, self._blocks, data, plan, validation=seen, verbose=verbose, metrics=metrics)

    def predict(self, X: Any, batch_size: int = BATCH) -> Any:
        """The network's output (N, ...) in the model's dtype; a dict by name when it has several.

        Computed `batch_size` rows at a time. For a network whose rows act on each other (a sum over the
        batch) take `batch_size=len(X)`.
        """
        inputs = prepare_inputs(self.manifest, X)
        batch = check_count(batch_size, "batch_size")
        with self._busy.hold():
            made = predictions(self._module, self._blocks, inputs, batch)
        if len(made) == 1:
            return made[0]
        return dict(zip((port.name for port in self.manifest.outputs), made, strict=True))

    def evaluate(self, X: Any, y: Any = None, *, sample_weight: Any = None) -> dict[str, float]:
        """`loss`, the whole objective (regularizers included), and `accuracy` if there is a metric.

        As in `predict`, layers are in their inference mode. The loss is that of one batch of all rows, also when
        so many rows are computed in parts; `sample_weight` (N,) counts in it, not in the accuracy.
        """
        data = prepare(self.manifest, X, y, sample_weight=sample_weight)
        with self._busy.hold():
            told = {"loss": objective(self._module, self._blocks, data)}
            right = accuracy(self._module, self._blocks, data)
        return told if right is None else told | {"accuracy": right}

    def gradients(self, X: Any, y: Any = None, *, sample_weight: Any = None) -> dict[str, Array]:
        """The gradient of the whole objective on one batch of all rows, by parameter name, in its shape.

        Layers are in their training mode, random ones as in the model's next step; no state changes.
        """
        data = prepare(self.manifest, X, y, sample_weight=sample_weight)
        check_least_rows(self.manifest.least_rows, len(data[0]), len(data[0]), drop_last=False)
        out = aligned((self.manifest.block,), self.manifest.dtype)
        with self._busy.hold(), np.errstate(all="ignore"):
            blocks = self._blocks
            self._module.gradients(blocks.params, blocks.hypers, data, out, draw=(blocks.seed, blocks.step))
        return {name: part.copy() for name, part in views(self.manifest, out).items()}

    def losses(self, X: Any, y: Any = None, *, sample_weight: Any = None) -> Any:
        """The losses of a network with `reduction="none"`, one a sample or an entry; a dict by name of several.

        They are those of prediction, with samples weighted, on one batch of all rows. Raises `DataError` for a
        network whose losses are reduced.
        """
        if not self.manifest.unreduced:
            raise DataError('this network reduces its loss to one number; declare it with reduction="none"')
        data = prepare(self.manifest, X, y, sample_weight=sample_weight)
        with self._busy.hold(), np.errstate(all="ignore"):
            made = self._module.losses(self._blocks.params, self._blocks.hypers, data)
        return made if len(made) > 1 else next(iter(made.values()))

    @property
    def parameters(self) -> Parameters:
        """The parameters by name: reading copies, setting checks. Assigning a dict replaces all of them."""
        return Parameters(self.manifest, self._blocks, self._busy)

    @parameters.setter
    def parameters(self, values: Mapping[str, Any]) -> None:
        self.parameters.replace(values)

    @property
    def states(self) -> Parameters:
        """What is kept with the parameters but not trained: running statistics, frozen parameters.

        Reading copies, setting checks, as for `parameters`.
        """
        return Parameters(self.manifest, self._blocks, self._busy, "state")

    @states.setter
    def states(self, values: Mapping[str, Any]) -> None:
        self.states.replace(values)

    @property
    def hypers(self) -> Hypers:
        """The hyper-parameters by name, settable: `model.hypers["eta"] = 0.01`, or a schedule."""
        return Hypers(self.manifest, self._blocks)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model to one `.safetensors` file, from which training goes on as if never stopped."""
        with self._busy.hold():
            blocks, manifest = self._blocks, self.manifest
            rows = zip(manifest.states, blocks.state, strict=True)
            saved = checkpoint.Checkpoint(
                manifest=manifest,
                parameters=views(manifest, blocks.params),
                fixed=fixed_views(manifest, blocks.params),
                states={state: views(manifest, row) for state, row in rows},
                hypers=dict(self.hypers),
                seed=blocks.seed,
                step=blocks.step,
                epoch=blocks.epoch,
                schedules={name: schedule.memory for name, schedule in blocks.schedules.items()},
            )
            checkpoint.write(path, saved)

    def load(self, path: str | os.PathLike[str]) -> None:
        """Fill this model from a file of `save`: parameters, states, optimizer state, counters, seed, hypers.

        Schedules are not in the file: those of this model go on, with what the saved ones had learned from losses.
        Raises `ModelFileError`, and changes nothing, for a corrupt or foreign file or one of another network.
        """
        saved = checkpoint.read(path)
        if told := checkpoint.differences(saved.manifest, self.manifest):
            raise ModelFileError(
                f"{path} belongs to another network: {'; '.join(told)}. To take over only parameters: "
                "model.parameters.update(symbackprop.train.checkpoint.read(path).parameters)"
            )
        with self._busy.hold():
            blocks, manifest = self._blocks, self.manifest
            for name, part in views(manifest, blocks.params).items():
                part[...] = saved.parameters[name]
            for name, part in fixed_views(manifest, blocks.params).items():
                part[...] = saved.fixed[name]
            blocks.state[...] = 0
            for state, row in zip(manifest.states, blocks.state, strict=True):
                for name, part in views(manifest, row).items():
                    part[...] = saved.states[state][name]
            blocks.hypers[:] = [saved.hypers[name] for name, _ in manifest.hypers]
            for name, schedule in blocks.schedules.items():
                blocks.schedules[name] = schedule.recall(saved.schedules.get(name, ()))
            blocks.seed, blocks.step, blocks.epoch = saved.seed, saved.step, saved.epoch

    @property
    def manifest(self) -> Manifest:
        """What the compiled program says of itself."""
        return self._module.manifest

    @property
    def target(self) -> str:
        """What the network was compiled to: "c" or "numpy"."""
        return self._module.target

    @property
    def source(self) -> str:
        """The generated text that runs."""
        return self._source

    @property
    def seed(self) -> int:
        """The key of all random streams."""
        return self._blocks.seed

    @property
    def step(self) -> int:
        """Updates done so far, over all calls of `fit`."""
        return self._blocks.step

    @property
    def epoch(self) -> int:
        """Epochs begun so far, over all calls of `fit`."""
        return self._blocks.epoch

    def summary(self) -> str:
        """Inputs, parameters with shapes and counts, outputs, optimizer and its numbers, as text."""
        return summary(self._module, self.hypers)

    def __repr__(self) -> str:
        manifest = self.manifest
        count = sum(part.size for part in views(manifest, self._blocks.params).values())
        return (
            f"Model(target={self.target!r}, dtype={manifest.dtype!r}, parameters={count}, "
            f"optimizer={manifest.optimizer!r}, step={self.step})"
        )

    def __getstate__(self) -> dict[str, Any]:
        """All but the lock: a copy gets its own."""
        return {"module": self._module, "source": self._source, "blocks": self._blocks}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._module = state["module"]
        self._source = state["source"]
        self._blocks = state["blocks"]
        self._busy = Busy()


def _validation(manifest: Manifest, data: Any) -> tuple[Array, ...]:
    if not isinstance(data, (tuple, list)) or len(data) not in (2, 3):
        raise DataError("validation_data must be a pair (X, y), or (X, y, sample_weight)")
    return prepare(manifest, data[0], data[1], "validation ", sample_weight=data[2] if len(data) == 3 else None)


def _seed(value: Any) -> int:
    try:
        seed = operator.index(value)
    except TypeError:
        seed = -1
    if not 0 <= seed < 1 << 63:
        raise DataError(f"seed must be a whole number from 0 to 2^63 - 1; got {value!r}")
    return seed
