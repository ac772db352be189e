"""An optimizer's step by a generated NumPy module: all parameters at once, or a group's after another's."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np

from ..runtime import Manifest

Array = np.ndarray[Any, Any]
Ranges = tuple[tuple[int, int, tuple[int, ...]], ...]
"""Entries of the flat block, first and past the last, with the places of their scalars among all hyper-parameters."""


class Updates:
    """Calls the module's `update` on the flat block."""

    def __init__(self, code: ModuleType, manifest: Manifest) -> None:
        first = len(manifest.hypers) - code.UPDATE_SCALARS
        places = tuple(range(first, len(manifest.hypers)))
        self._ranges: Ranges = getattr(code, "GROUPS", ((0, manifest.block, places),))
        self._norm: Any = getattr(code, "gradient_norm", None)
        self._update: Any = code.update

    def __call__(self, step: int, params: Array, gradient: Array, state: Array, hypers: Array) -> None:
        """Step number `step` (from 1): new values are written to `params` and `state`.

        All are flat blocks, `state` one a row; `hypers` is the whole scalar block.
        """
        norm = () if self._norm is None else (self._norm(gradient),)
        for first, past, places in self._ranges:
            old = (params[first:past], *(s[first:past] for s in state))
            scalars = [float(hypers[i]) for i in places]
            new = self._update(step, old[0], gradient[first:past], *old[1:], *scalars, *norm)
            for place, value in zip(old, new, strict=True):
                place[...] = value
