"""Load an emitted NumPy module and run it behind the `Module` interface."""

from __future__ import annotations

import importlib.abc
import importlib.util
from types import ModuleType
from typing import Any

import numpy as np

from ..runtime import Manifest, Run, Source
from ..streams import permutation

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
        strengths = len(self.manifest.hypers) - self._code.UPDATE_SCALARS
        self._strengths = slice(0, strengths)
        self._update_scalars = slice(strengths, None)

    def __reduce__(self) -> Any:
        return NumpyModule, (self.source,)

    def _parameters(self, params: Array) -> list[Array]:
        return [params[s.offset : s.offset + int(np.prod(s.shape))].reshape(s.shape) for s in self.manifest.parameters]

    def _arguments(self, params: Array, hypers: Array, data: tuple[Array, ...]) -> list[Any]:
        return [*data, *self._parameters(params), *hypers[self._strengths].tolist()]

    def predict(self, params: Array, hypers: Array, inputs: tuple[Array, ...]) -> tuple[Array, ...]:
        """Outputs for a batch."""
        outputs = self._code.predict(*self._arguments(params, hypers, inputs))
        return tuple(np.ascontiguousarray(o, dtype=self._dtype) for o in outputs)

    def loss(self, params: Array, hypers: Array, data: tuple[Array, ...]) -> float:
        """The objective on a batch."""
        return float(self._code.loss(*self._arguments(params, hypers, data)))

    def gradients(self, params: Array, hypers: Array, data: tuple[Array, ...], out: Array) -> float:
        """The objective; its gradient is written to the flat block `out`."""
        value, gradients = self._code.gradients(*self._arguments(params, hypers, data))
        for place, gradient in zip(self._parameters(out), gradients, strict=True):
            place[...] = gradient
        return float(value)

    def train(self, run: Run, steps: int) -> int:
        """At most `steps` steps from `run.step` on; see `runtime.Module`."""
        out = np.zeros_like(run.params)
        scalars = run.hypers[self._update_scalars].tolist()
        for done in range(steps):
            batch = tuple(np.ascontiguousarray(d[self._rows(run)]) for d in run.data)
            run.losses[done] = self.gradients(run.params, run.hypers, batch, out)
            if not np.isfinite(run.losses[done]):
                return done + 1
            new = self._code.update(run.step + 1, run.params, out, *run.state, *scalars)
            run.params[...] = new[0]
            for slot, value in zip(run.state, new[1:], strict=True):
                slot[...] = value
            run.step += 1
        return steps

    def _rows(self, run: Run) -> Array:
        epoch, place = run.place
        if run.order_epoch != epoch:
            run.order[...] = permutation(run.seed, epoch, run.rows) if run.shuffle else np.arange(run.rows)
            run.order_epoch = epoch
        return run.order[place * run.batch : (place + 1) * run.batch]

    def trace(self, params: Array, hypers: Array, data: tuple[Array, ...]) -> dict[str, Array]:
        """Every named tensor on a batch, in order of computation."""
        return {n: np.asarray(v) for n, v in self._code.trace(*self._arguments(params, hypers, data)).items()}
