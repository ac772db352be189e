"""Load an emitted C library and run it behind the `Module` interface."""

from __future__ import annotations

import math
import threading
from typing import Any

import numpy as np

from ..runtime import Manifest, Run, Source
from .compiler import find_compiler
from .library import build, open_library, pointer
from .numpy import NumpyModule

Array = np.ndarray[Any, Any]

DECLARATIONS = """
int64_t sbp_arena_size(int64_t N);
void sbp_predict(const {real} *params, const double *hyper, {real} *arena, const {real} *const *data, int64_t N,
                 {real} *const *out);
double sbp_loss(const {real} *params, const double *hyper, {real} *arena, const {real} *const *data, int64_t N);
double sbp_gradients(const {real} *params, const double *hyper, {real} *arena, const {real} *const *data, int64_t N,
                     {real} *grads{draw});
typedef struct {{
    {real} *params;
    {real} *state;
    const double *hyper;
    int64_t hyper_stride;
    {real} *arena;
    const {real} *const *data;
    int64_t rows, batch, step, first_step, first_epoch, order_epoch;
    int64_t *order;
    uint64_t *scratch;
    uint64_t seed;
    int32_t shuffle, drop_last;
    double *losses;
}} sbp_run;
int64_t sbp_train(sbp_run *run, int64_t steps);
"""
DRAW = ", uint64_t seed, uint64_t step"  # what keys random tensors, where there are some
KEPT = 1 << 24  # entries of the largest arena that a thread keeps between calls
SCRATCH = 2048  # uint64s of the shuffle's scratch that do not grow with the rows; 4 a row beside them


class NativeModule:
    """A program in C. Calls release the GIL; every thread has an arena of its own."""

    target = "c"

    def __init__(self, source: Source, twin: Source) -> None:
        self.source, self.twin = source, twin
        self.manifest: Manifest = source.manifest
        self._dtype = np.dtype(self.manifest.dtype)
        self._real = "float" if self._dtype == np.float32 else "double"
        compiler = find_compiler()
        declarations = DECLARATIONS.format(real=self._real, draw=DRAW if self.manifest.randoms else "")
        self._ffi, self._lib = open_library(build(source.text, compiler=compiler), declarations)
        self._local = threading.local()
        self._reference: NumpyModule | None = None

    def __reduce__(self) -> Any:
        return NativeModule, (self.source, self.twin)

    def _arena(self, rows: int) -> Array:
        """This thread's scratch memory for batches of `rows`, zeroed when new."""
        size = int(self._lib.sbp_arena_size(rows))
        arena: Array | None = getattr(self._local, "arena", None)
        if arena is None or arena.size < size:
            arena = _aligned_zeros(size, self._dtype)
            if size <= KEPT:
                self._local.arena = arena
        return arena

    def _pointer(self, array: Array, ctype: str, name: str = "array", writable: bool = False) -> Any:
        """The memory of an array, its type and layout checked: a wrong one would be read as garbage."""
        return pointer(self._ffi, array, ctype, name=name, writable=writable)

    def _call(self, params: Array, hypers: Array, data: tuple[Array, ...]) -> tuple[tuple[Any, ...], Any]:
        """The arguments that all entry points share, and what must stay alive during the call."""
        rows, ports = len(data[0]), (*self.manifest.inputs, *self.manifest.targets)
        arrays = [self._pointer(d, self._real, p.name) for d, p in zip(data, ports, strict=False)]
        arrays += [self._ffi.NULL] * (len(ports) - len(arrays))
        pointers = self._ffi.new(f"{self._real} *[]", arrays)
        arguments = (
            self._pointer(params, self._real, "params"),
            self._pointer(hypers, "double", "hypers"),
            self._pointer(self._arena(rows), self._real),
            self._ffi.cast(f"const {self._real} *const *", pointers),
            rows,
        )
        return arguments, (pointers, arrays)

    def predict(self, params: Array, hypers: Array, inputs: tuple[Array, ...]) -> tuple[Array, ...]:
        """Outputs for a batch."""
        outputs = tuple(np.empty((len(inputs[0]), *p.shape), self._dtype) for p in self.manifest.outputs)
        arguments, _keep = self._call(params, hypers, inputs)
        out = self._ffi.new(f"{self._real} *[]", [self._pointer(o, self._real, writable=True) for o in outputs])
        self._lib.sbp_predict(*arguments, out)
        return outputs

    def loss(self, params: Array, hypers: Array, data: tuple[Array, ...]) -> float:
        """The objective on a batch, in the inference mode."""
        arguments, _keep = self._call(params, hypers, data)
        return float(self._lib.sbp_loss(*arguments))

    def gradients(
        self, params: Array, hypers: Array, data: tuple[Array, ...], out: Array, draw: tuple[int, int] = (0, 0)
    ) -> float:
        """The objective in the training mode; its gradient is written to the flat block `out`."""
        arguments, _keep = self._call(params, hypers, data)
        grads = self._pointer(out, self._real, "out", writable=True)
        return float(self._lib.sbp_gradients(*arguments, grads, *(draw if self.manifest.randoms else ())))

    def train(self, run: Run, steps: int) -> int:
        """At most `steps` steps from `run.step` on; see `runtime.Module`."""
        if len(run.losses) < steps:
            raise ValueError(f"the losses of {steps} steps do not fit into {len(run.losses)} places")
        raw = self._ffi.new("sbp_run *")
        arguments, _keep = self._call(run.params, run.hypers, run.data)
        _, raw.hyper, _, raw.data, _ = arguments
        raw.hyper_stride = run.hypers.shape[1] if run.hypers.ndim == 2 else 0
        arena, scratch = self._arena(run.batch), np.empty(4 * run.rows + SCRATCH, np.uint64)
        raw.arena = self._pointer(arena, self._real, writable=True)
        raw.params = self._pointer(run.params, self._real, "params", writable=True)
        raw.state = self._pointer(run.state, self._real, "state", writable=True)
        raw.rows, raw.batch = run.rows, run.batch
        raw.step, raw.first_step, raw.first_epoch = run.step, run.first_step, run.first_epoch
        raw.order, raw.order_epoch = self._pointer(run.order, "int64_t", "order", writable=True), run.order_epoch
        raw.scratch, raw.seed = self._pointer(scratch, "uint64_t", writable=True), run.seed
        raw.shuffle, raw.drop_last = run.shuffle, run.drop_last
        raw.losses = self._pointer(run.losses, "double", "losses", writable=True)
        done = int(self._lib.sbp_train(raw, steps))
        run.step, run.order_epoch = int(raw.step), int(raw.order_epoch)
        return done

    def trace(
        self, params: Array, hypers: Array, data: tuple[Array, ...], draw: tuple[int, int] = (0, 0)
    ) -> dict[str, Array]:
        """Every named tensor of a training step on a batch, computed by the NumPy twin."""
        return self._numpy().trace(params, hypers, data, draw)

    def losses(self, params: Array, hypers: Array, data: tuple[Array, ...]) -> dict[str, Array]:
        """The losses before their sum, computed by the NumPy twin."""
        return self._numpy().losses(params, hypers, data)

    def _numpy(self) -> NumpyModule:
        if self._reference is None:
            self._reference = NumpyModule(self.twin)
        return self._reference


def _aligned_zeros(size: int, dtype: np.dtype[Any]) -> Array:
    """Zeros that start on a cache line."""
    raw = np.zeros(math.ceil(size * dtype.itemsize + 64), np.uint8)
    start = -raw.ctypes.data % 64
    return raw[start : start + size * dtype.itemsize].view(dtype)
