"""A stand-in for a compiled program: linear and softmax regression with momentum, written out in NumPy."""

from __future__ import annotations

import dataclasses
import threading
import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from symbackprop import streams
from symbackprop.records import Initializer
from symbackprop.runtime import Manifest, Port, Run, Slot
from symbackprop.train import Model

Array = np.ndarray[Any, Any]
D, K, GAP = 4, 3, 16


def manifest(kind: str = "softmax", dtype: str = "float64", inputs: int = 1) -> Manifest:
    """`kind`: "softmax" (one-hot targets), "linear" (real targets), "logistic" (targets in [0, 1])."""
    role = {"softmax": "one_hot", "linear": "real", "logistic": "unit"}[kind]
    outputs = K if kind == "softmax" else 1
    ports = tuple(Port(f"x{i}" if inputs > 1 else "x", (D // inputs,)) for i in range(inputs))
    slots = (
        Slot("W", (outputs, D), 0, Initializer("normal", (0.0, 0.1))),
        Slot("b", (outputs,), GAP, Initializer("constant", (0.0,))),
    )
    return Manifest(
        dtype=dtype,
        inputs=ports,
        targets=(Port("y", (outputs,), role),),
        outputs=(Port("p", (outputs,), "real"),),
        parameters=slots,
        block=2 * GAP,
        states=("v",),
        hypers=(("eta", 0.1), ("mu", 0.9), ("lam", 0.01)),
        metric={"softmax": "argmax", "linear": None, "logistic": "threshold:0.5"}[kind],
        trace=("z", "p", "L", "dz", "dW", "db"),
        optimizer="momentum",
    )


@dataclass
class Double:
    """The module. `reduction`: "mean", "sum", or "coupled" (rows act on each other); `over_n`: penalty / n.

    `interrupt_at` raises KeyboardInterrupt in the middle of that step; `slow` are seconds a step;
    every step waits for the others at `meet`.
    """

    manifest: Manifest
    kind: str = "softmax"
    reduction: str = "mean"
    over_n: bool = False
    interrupt_at: int | None = None
    slow: float = 0.0
    meet: threading.Barrier | None = None
    target: str = "double"
    calls: list[tuple[str, int]] = field(default_factory=list)

    def split(self, params: Array) -> tuple[Array, Array]:
        w, b = self.manifest.parameters
        return params[: w.shape[0] * D].reshape(w.shape), params[GAP : GAP + b.shape[0]]

    def trace(
        self, params: Array, hypers: Array, data: tuple[Array, ...], draw: tuple[int, int] = (0, 0)
    ) -> dict[str, Array]:
        x, y = np.concatenate(data[:-1], axis=1), data[-1]
        weights, bias = self.split(params)
        z = x @ weights.T + bias
        if self.kind == "softmax":
            p = np.exp(z - z.max(1, keepdims=True))
            p /= p.sum(1, keepdims=True)
            rows, dz = -(y * np.log(p)).sum(1), p - y
        elif self.kind == "logistic":
            p = 1 / (1 + np.exp(-z))
            rows, dz = -(y * np.log(p) + (1 - y) * np.log(1 - p)).sum(1), p - y
        else:
            p, rows, dz = z, ((z - y) ** 2).sum(1), 2 * (z - y)
        n = 1 if self.reduction == "sum" else len(x)
        lam = hypers[2] / len(x) if self.over_n else hypers[2]
        data_part = np.log(np.exp(rows).sum()) if self.reduction == "coupled" else rows.sum() / n
        loss = data_part + lam / 2 * (weights**2).sum()
        dz = dz / n
        return {"z": z, "p": p, "L": np.asarray(loss), "dz": dz, "dW": dz.T @ x + lam * weights, "db": dz.sum(0)}

    def predict(self, params: Array, hypers: Array, inputs: tuple[Array, ...]) -> tuple[Array, ...]:
        self.calls.append(("predict", len(inputs[0])))
        fake = np.zeros((len(inputs[0]), *self.manifest.targets[0].shape), self.manifest.dtype)
        return (self.trace(params, hypers, (*inputs, fake))["p"],)

    def loss(self, params: Array, hypers: Array, data: tuple[Array, ...]) -> float:
        self.calls.append(("loss", len(data[0])))
        return float(self.trace(params, hypers, data)["L"])

    def gradients(
        self, params: Array, hypers: Array, data: tuple[Array, ...], out: Array, draw: tuple[int, int] = (0, 0)
    ) -> float:
        made = self.trace(params, hypers, data)
        weights, bias = self.split(out)
        weights[...], bias[...] = made["dW"], made["db"]
        return float(made["L"])

    def train(self, run: Run, steps: int) -> int:
        self.calls.append(("train", steps))
        for array in (run.params, run.state, *run.data):
            assert array.flags.c_contiguous
            assert array.dtype == np.dtype(self.manifest.dtype)
        for done in range(1, steps + 1):
            if not self._step(run, done - 1):
                return done
        return steps

    def _step(self, run: Run, place: int) -> bool:
        epoch, position = run.place
        if run.order_epoch != epoch:
            run.order[:] = streams.permutation(run.seed, epoch, run.rows) if run.shuffle else np.arange(run.rows)
            run.order_epoch = epoch
        rows = run.order[position * run.batch : (position + 1) * run.batch]
        gradient = np.zeros_like(run.params)
        loss = self.gradients(run.params, run.hypers, tuple(a[rows] for a in run.data), gradient)
        time.sleep(self.slow)
        if self.meet is not None:
            self.meet.wait(20)
        run.losses[place] = loss
        run.step += 1
        if not np.isfinite(loss):
            return False
        run.state[0] = run.hypers[1] * run.state[0] + gradient
        if self.interrupt_at == run.step - 1:
            self.interrupt_at = None
            raise KeyboardInterrupt
        run.params -= (run.hypers[0] * run.state[0]).astype(run.params.dtype)
        return True


def make(kind: str = "softmax", dtype: str = "float64", inputs: int = 1, seed: int = 0, **options: Any) -> Model:
    """A model of a double; `hypers` among the options replaces defaults."""
    hypers = options.pop("hypers", {})
    return Model(Double(manifest(kind, dtype, inputs), kind, **options), seed, hypers, "source text")


def double(model: Model) -> Double:
    """The double inside a model."""
    module = model._module
    assert isinstance(module, Double)
    return module


def changed(model: Model, **fields: Any) -> Model:
    """A fresh model with a changed manifest."""
    module = double(model)
    return Model(dataclasses.replace(module, manifest=dataclasses.replace(module.manifest, **fields)), 0, {}, "")


def blobs(rows: int = 60, kind: str = "softmax", seed: int = 7) -> tuple[Array, Array]:
    """Data that can be learned: X (rows, D) and integer labels, real or 0/1 targets."""
    draw = np.random.default_rng(seed)
    labels = draw.integers(0, K, rows)
    X = draw.normal(size=(rows, D)) + 2.0 * np.eye(K, D)[labels]
    if kind == "linear":
        return X, X @ np.arange(1.0, D + 1)
    return X, labels if kind == "softmax" else (labels == 0)


def state(model: Model) -> tuple[bytes, bytes, int]:
    """Everything that training changes, for exact comparison."""
    blocks = model._blocks
    return blocks.params.tobytes(), blocks.state.tobytes(), blocks.step
