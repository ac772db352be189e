"""A model's parameters and hyper-parameters as mappings that check what is written to them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ..errors import DataError, did_you_mean
from ..runtime import Manifest
from .blocks import Array, Blocks, views
from .busy import Busy
from .data import convert, number_array


class Parameters(Mapping[str, Array]):
    """Parameter name -> its array.

    Reading gives a copy, marked read-only: it stays as it is while training goes on, and writing into it is
    an error instead of having no effect. To change a parameter assign a whole array: its name, shape and
    finiteness are checked, and it is converted to the model's dtype. The optimizer's state stays as it is.
    """

    def __init__(self, manifest: Manifest, blocks: Blocks, busy: Busy) -> None:
        self._manifest = manifest
        self._views = views(manifest, blocks.params)
        self._busy = busy

    def __getitem__(self, name: str) -> Array:
        """A read-only copy of one parameter; KeyError with the nearest names for an unknown one."""
        if name not in self._views:
            raise KeyError(f"no parameter {name!r}.{did_you_mean(name, self._views)}")
        copy = self._views[name].copy()
        copy.flags.writeable = False
        return copy

    def __iter__(self) -> Iterator[str]:
        return iter(self._views)

    def __len__(self) -> int:
        return len(self._views)

    def __setitem__(self, name: str, value: Any) -> None:
        """Replace one parameter."""
        self.update({name: value})

    def update(self, values: Mapping[str, Any]) -> None:
        """Replace some parameters: all of them, or with a `DataError` none."""
        made = {name: self._checked(name, value) for name, value in values.items()}
        with self._busy.hold():
            for name, array in made.items():
                self._views[name][...] = array

    def replace(self, values: Mapping[str, Any]) -> None:
        """Replace every parameter; `DataError` when `values` lacks one."""
        if missing := [name for name in self._views if name not in values]:
            raise DataError(
                f"parameters lack {', '.join(map(repr, missing))}; use model.parameters.update(...) to set only some"
            )
        self.update(values)

    def _checked(self, name: str, value: Any) -> Array:
        if name not in self._views:
            raise DataError(f"no parameter {name!r}.{did_you_mean(name, self._views)}")
        array = number_array(value, f"parameters[{name!r}]")
        if array.shape != self._views[name].shape:
            cure = "; a weight is stored (out, in)" if array.T.shape == self._views[name].shape else ""
            raise DataError(f"parameter {name!r} has shape {self._views[name].shape}; got {array.shape}{cure}")
        return convert(array, self._manifest.dtype, f"parameters[{name!r}]")

    def __repr__(self) -> str:
        return f"Parameters({', '.join(f'{n}: {v.shape}' for n, v in self._views.items())})"


class Hypers(Mapping[str, float]):
    """Hyper-parameter name -> number (learning rate, decay, ...).

    A number that is set counts from the next step on; nothing is compiled again.
    """

    def __init__(self, manifest: Manifest, blocks: Blocks) -> None:
        self._places = {name: i for i, (name, _) in enumerate(manifest.hypers)}
        self._values = blocks.hypers

    def __getitem__(self, name: str) -> float:
        """One number; KeyError with the nearest names for an unknown one."""
        if name not in self._places:
            raise KeyError(f"no hyper-parameter {name!r}.{did_you_mean(name, self._places)}")
        return float(self._values[self._places[name]])

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def __setitem__(self, name: str, value: float) -> None:
        """Set one number; it must be finite."""
        self.update({name: value})

    def update(self, values: Mapping[str, float]) -> None:
        """Set some numbers: all of them, or with a `DataError` none."""
        made = {}
        for name, value in values.items():
            if name not in self._places:
                raise DataError(f"no hyper-parameter {name!r}.{did_you_mean(name, self._places)}")
            made[self._places[name]] = _finite(value, name)
        for place, number in made.items():
            self._values[place] = number

    def __repr__(self) -> str:
        return f"Hypers({', '.join(f'{name}={self[name]:g}' for name in self)})"


def _finite(value: object, name: str) -> float:
    number = float(value) if isinstance(value, (int, float, np.integer, np.floating)) else math.nan
    if isinstance(value, bool) or not math.isfinite(number):
        raise DataError(f"hyper-parameter {name!r} must be a finite number; got {value!r}")
    return number
