"""Load an emitted NumPy module and run it behind the `Module` interface."""

from __future__ import annotations

import importlib.abc
import importlib.util
import math
from collections.abc import Iterable
from types import ModuleType
from typing import Any

import numpy as np

from .. import streams
from ..runtime import Manifest, Run, Slot, Source
from .update import Updates

Array = np.ndarray[Any, Any]


class _TextLoader(importlib.abc.SourceLoader):
    """Imports generated text as a module."""

    def __init__(self, text: str) -> None:
        self.text = text

    def get_filename(self, fullname: str) -> str:
        """A name for tracebacks."""
        return f"<{fullname}>"

    def get_data(self, path: Any) -> bytes:
        """The module's text."""
        return self.text.encode()

    def get_source(self, fullname: str) -> str:
        """The module's text, for tracebacks."""
        return self.text


def import_text(text: str, name: str) -> ModuleType:
    """The module that generated Python text defines."""
    spec = importlib.util.spec_from_loader(name, _TextLoader(text))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class NumpyModule:
    """A program in NumPy. Its training loop takes the same batches as the C one."""

    target = "numpy"

    def __init__(self, source: Source) -> None:
        self.source = source
        self.manifest: Manifest = source.manifest
        self._code = import_text(source.text, "symbackprop_generated")
        self._dtype = np.dtype(self.manifest.dtype)
        self._strengths = slice(0, len(self.manifest.hypers) - self._code.UPDATE_SCALARS)
        self._updates = Updates(self._code, self.manifest)

    def __reduce__(self) -> Any:
        return NumpyModule, (self.source,)

    def _slots(self, params: Array, slots: tuple[Slot, ...]) -> list[Array]:
        """The slots' parts of an array, no copies."""
        return [params[s.offset : s.offset + math.prod(s.shape)].reshape(s.shape) for s in slots]

    def _arguments(
        self, params: Array, hypers: Array, data: tuple[Array, ...], drawn: Iterable[Array] = ()
    ) -> list[Any]:
        arrays = self._slots(params, (*self.manifest.parameters, *self.manifest.fixed))
        return [*data, *drawn, *arrays, *hypers[self._strengths].tolist()]

    def _draws(self, rows: int, draw: tuple[int, int]) -> list[Array]:
        """The random tensors of a step, for (seed, step)."""
        if not self.manifest.randoms:
            return []
        seed, step = draw
        shapes = self._code.randoms(rows)
        return [streams.tensor(seed, step, n, shapes[n], self._dtype) for n in self.manifest.randoms]

    def _step(
        self, params: Array, hypers: Array, data: tuple[Array, ...], out: Array, draw: tuple[int, int]
    ) -> tuple[float, dict[str, Array]]:
        """The objective, with its gradient in `out`; new values of states by name."""
        drawn = self._draws(len(data[0]), draw)
        value, gradients, *renewed = self._code.gradients(*self._arguments(params, hypers, data, drawn))
        for place, gradient in zip(self._slots(out, self.manifest.parameters), gradients, strict=True):
            place[...] = gradient
        return float(value), renewed[0] if renewed else {}

    def predict(self, params: Array, hypers: Array, inputs: tuple[Array, ...]) -> tuple[Array, ...]:
        """Outputs for a batch."""
        outputs = self._code.predict(*self._arguments(params, hypers, inputs))
        return tuple(np.array(o, dtype=self._dtype, order="C") for o in outputs)

    def loss(self, params: Array, hypers: Array, data: tuple[Array, ...]) -> float:
        """The objective on a batch, in the inference mode."""
        return float(self._code.loss(*self._arguments(params, hypers, data)))

    def losses(self, params: Array, hypers: Array, data: tuple[Array, ...]) -> dict[str, Array]:
        """The losses before their sum, by name, in the inference mode."""
        if not self.manifest.unreduced:
            return {}
        return {n: np.asarray(v) for n, v in self._code.losses(*self._arguments(params, hypers, data)).items()}

    def gradients(
        self, params: Array, hypers: Array, data: tuple[Array, ...], out: Array, draw: tuple[int, int] = (0, 0)
    ) -> float:
        """The objective in the training mode; its gradient is written to the flat block `out`."""
        return self._step(params, hypers, data, out, draw)[0]

    def train(self, run: Run, steps: int) -> int:
        """At most `steps` steps from `run.step` on; see `runtime.Module`."""
        params = run.params[: self.manifest.block]
        out = np.zeros_like(params)
        for done in range(steps):
            batch = tuple(np.ascontiguousarray(d[self._rows(run)]) for d in run.data)
            hypers = run.hypers[done] if run.hypers.ndim == 2 else run.hypers
            run.losses[done], renewed = self._step(run.params, hypers, batch, out, (run.seed, run.step))
            if not np.isfinite(run.losses[done]):
                return done + 1
            self._updates(run.step + 1, params, out, run.state, hypers)
            self._keep(run.params, renewed)
            run.step += 1
        return steps

    def _keep(self, params: Array, renewed: dict[str, Array]) -> None:
        """Put the states' new values into their places; one may still be another's old value, in its place."""
        new = {name: np.array(value) for name, value in renewed.items()}
        for slot, place in zip(self.manifest.fixed, self._slots(params, self.manifest.fixed), strict=True):
            if slot.name in new:
                place[...] = new[slot.name]

    def _rows(self, run: Run) -> Array:
        epoch, place = run.place
        if run.order_epoch != epoch:
            run.order[...] = streams.permutation(run.seed, epoch, run.rows) if run.shuffle else np.arange(run.rows)
            run.order_epoch = epoch
        return run.order[place * run.batch : (place + 1) * run.batch]

    def trace(
        self, params: Array, hypers: Array, data: tuple[Array, ...], draw: tuple[int, int] = (0, 0)
    ) -> dict[str, Array]:
        """Every named tensor of a training step on a batch, in order of computation."""
        arguments = self._arguments(params, hypers, data, self._draws(len(data[0]), draw))
        return {n: np.asarray(v) for n, v in self._code.trace(*arguments).items()}
