"""What training reports, epoch by epoch."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from ..errors import SymbackpropError, did_you_mean

COLUMNS = ("loss", "accuracy", "val_loss", "val_accuracy", "seconds", "examples_per_second")


class History:
    """One number per complete epoch and column; rows are only ever appended.

    `loss` is the mean of the objective over the epoch's batches as they were trained (so it lags behind
    `val_loss`), each batch weighted by its rows. `accuracy` is measured after the epoch on the training data.
    `val_loss` and `val_accuracy` are empty without validation data, both accuracies where the loss has no
    metric. `seconds` and `examples_per_second` count the training steps only, not what is measured after. Every
    hyper-parameter that has a schedule has a column of its name, with its value at the epoch's last step.

    `interrupted` is True when Ctrl-C ended the training; an epoch that was cut short has no row.
    """

    def __init__(self) -> None:
        self.interrupted = False
        self._columns: dict[str, list[float]] = {name: [] for name in COLUMNS}

    def append(self, **values: float) -> None:
        """Add one epoch; every epoch must bring the same columns."""
        for name, value in values.items():
            self._columns.setdefault(name, []).append(value)

    def __getitem__(self, name: str) -> tuple[float, ...]:
        """The numbers of one column; KeyError with the nearest names for any other."""
        if name not in self._columns:
            raise KeyError(f"no column {name!r} in a history.{did_you_mean(name, self._columns)}")
        return tuple(self._columns[name])

    @property
    def loss(self) -> tuple[float, ...]:
        """Objective per epoch, while training."""
        return self["loss"]

    @property
    def accuracy(self) -> tuple[float, ...]:
        """Accuracy on the training data after each epoch."""
        return self["accuracy"]

    @property
    def val_loss(self) -> tuple[float, ...]:
        """Objective on the validation data after each epoch."""
        return self["val_loss"]

    @property
    def val_accuracy(self) -> tuple[float, ...]:
        """Accuracy on the validation data after each epoch."""
        return self["val_accuracy"]

    @property
    def seconds(self) -> tuple[float, ...]:
        """Time of each epoch's training steps."""
        return self["seconds"]

    @property
    def examples_per_second(self) -> tuple[float, ...]:
        """Rows trained a second, per epoch."""
        return self["examples_per_second"]

    def __len__(self) -> int:
        """Number of complete epochs."""
        return len(self._columns["loss"])

    def __iter__(self) -> Iterator[str]:
        """The names of the columns that hold numbers."""
        return (name for name, values in self._columns.items() if values)

    def to_dict(self) -> dict[str, list[float]]:
        """Column -> list of numbers, for the columns that hold any."""
        return {name: list(self[name]) for name in self}

    def plot(self, path: str | os.PathLike[str]) -> Path:
        """Write the learning curves to an image file (its suffix says the format) and return its path.

        Needs matplotlib, the extra `plot`; raises `SymbackpropError` without it, and when there is no epoch.
        """
        if not len(self):
            raise SymbackpropError("nothing to plot: the history has no complete epoch")
        try:
            from matplotlib.figure import Figure
        except ImportError as error:
            raise SymbackpropError(
                'History.plot needs matplotlib: pip install "symbackprop[plot]", or draw to_dict() yourself'
            ) from error
        groups = [g for g in (("loss", "val_loss"), ("accuracy", "val_accuracy")) if any(self[name] for name in g)]
        figure = Figure(figsize=(5.0 * len(groups), 3.5), layout="constrained")
        for place, group in enumerate(groups, 1):
            axes = figure.add_subplot(1, len(groups), place)
            for name in filter(self.__getitem__, group):
                axes.plot(range(1, len(self) + 1), self[name], label=name)
            axes.set_xlabel("epoch")
            axes.set_ylabel(group[0])
            axes.grid(visible=True, alpha=0.3)
            axes.legend()
        figure.savefig(path, dpi=120)
        return Path(path)

    def __repr__(self) -> str:
        shown = (name for name in self if name not in ("seconds", "examples_per_second"))
        last = "".join(f", {name}={self[name][-1]:.4g}" for name in shown)
        return f"History(epochs={len(self)}{last}{', interrupted' if self.interrupted else ''})"
