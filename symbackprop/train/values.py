"""A model's parameters and hyper-parameters as mappings that check what is written to them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ..declare.bounds import Bounds
from ..declare.schedule import Clock, Schedule, as_schedule
from ..errors import DataError, did_you_mean
from ..runtime import Manifest
from .blocks import Array, Blocks, bounds_of, fixed_views, views
from .busy import Busy
from .data import convert, number_array


class Parameters(Mapping[str, Array]):
    """Name -> array, of a model's parameters, or of its states (running statistics, frozen parameters).

    Reading gives a copy, marked read-only: it stays as it is while training goes on, and writing into it is
    an error instead of having no effect. To change a parameter assign a whole array: its name, shape and
    finiteness are checked, and it is converted to the model's dtype. The optimizer's state stays as it is.
    """

    def __init__(self, manifest: Manifest, blocks: Blocks, busy: Busy, word: str = "parameter") -> None:
        """`word` is "parameter" or "state"."""
        self._manifest = manifest
        self._word = word
        self._views = (views if word == "parameter" else fixed_views)(manifest, blocks.params)
        self._busy = busy

    def __getitem__(self, name: str) -> Array:
        """A read-only copy of one array; KeyError with the nearest names for an unknown one."""
        if name not in self._views:
            raise KeyError(f"no {self._word} {name!r}.{did_you_mean(name, self._views)}")
        copy = self._views[name].copy()
        copy.flags.writeable = False
        return copy

    def __iter__(self) -> Iterator[str]:
        return iter(self._views)

    def __len__(self) -> int:
        return len(self._views)

    def __setitem__(self, name: str, value: Any) -> None:
        """Replace one array."""
        self.update({name: value})

    def update(self, values: Mapping[str, Any]) -> None:
        """Replace some arrays: all of them, or with a `DataError` none."""
        made = {name: self._checked(name, value) for name, value in values.items()}
        with self._busy.hold():
            for name, array in made.items():
                self._views[name][...] = array

    def replace(self, values: Mapping[str, Any]) -> None:
        """Replace every array; `DataError` when `values` lacks one."""
        if missing := [name for name in self._views if name not in values]:
            raise DataError(
                f"{self._word}s lack {', '.join(map(repr, missing))}; "
                f"use model.{self._word}s.update(...) to set only some"
            )
        self.update(values)

    def _checked(self, name: str, value: Any) -> Array:
        if name not in self._views:
            raise DataError(f"no {self._word} {name!r}.{did_you_mean(name, self._views)}")
        array = number_array(value, f"{self._word}s[{name!r}]")
        if array.shape != self._views[name].shape:
            cure = "; a weight is stored (out, in)" if array.T.shape == self._views[name].shape else ""
            raise DataError(f"{self._word} {name!r} has shape {self._views[name].shape}; got {array.shape}{cure}")
        return convert(array, self._manifest.dtype, f"{self._word}s[{name!r}]")

    def __repr__(self) -> str:
        return f"{self._word.capitalize()}s({', '.join(f'{n}: {v.shape}' for n, v in self._views.items())})"


class Hypers(Mapping[str, float]):
    """Hyper-parameter name -> number (learning rate, decay, ...).

    What is set counts from the next step on; nothing is compiled again. A schedule may be set like a number; reading
    gives its value at the last step done. A number that is set takes the place of a schedule.
    """

    def __init__(self, manifest: Manifest, blocks: Blocks) -> None:
        self._places = {name: i for i, (name, _) in enumerate(manifest.hypers)}
        self._bounds = bounds_of(manifest)
        self._blocks = blocks

    def __getitem__(self, name: str) -> float:
        """One number; KeyError with the nearest names for an unknown one."""
        if name not in self._places:
            raise KeyError(f"no hyper-parameter {name!r}.{did_you_mean(name, self._places)}")
        return float(self._blocks.hypers[self._places[name]])

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def __setitem__(self, name: str, value: Any) -> None:
        """Set one number, which must be finite and within its bounds, or a schedule that begins with one."""
        self.update({name: value})

    def update(self, values: Mapping[str, Any]) -> None:
        """Set some numbers or schedules: all of them, or with a `DataError` none."""
        made: dict[str, tuple[float, Schedule | None]] = {}
        for name, value in values.items():
            if name not in self._places:
                raise DataError(f"no hyper-parameter {name!r}.{did_you_mean(name, self._places)}")
            schedule = as_schedule(value)
            now = value if schedule is None else self._now(schedule)
            made[name] = (_finite(now, name, self._bounds[name]), schedule)
        for name, (number, schedule) in made.items():
            self._blocks.hypers[self._places[name]] = number
            self._blocks.schedules.pop(name, None)
            if schedule is not None:
                self._blocks.schedules[name] = schedule

    def _now(self, schedule: Schedule) -> float:
        """What a schedule gives the next step, taken for the first one of an epoch."""
        steps = np.array([self._blocks.step])
        return float(schedule.at(Clock.of(steps, self._blocks.step, self._blocks.epoch, 1))[0])

    def __repr__(self) -> str:
        return f"Hypers({', '.join(f'{name}={self[name]:g}' for name in self)})"


def _finite(value: object, name: str, bounds: Bounds) -> float:
    number = float(value) if isinstance(value, (int, float, np.integer, np.floating)) else math.nan
    if isinstance(value, bool) or not math.isfinite(number) or not bounds.holds(number):
        raise DataError(f"hyper-parameter {name!r} must be {bounds.wanted}; got {value!r}")
    return number
