"""One multilayer perceptron's training by symbackprop behind a plain interface: reset, epoch, params.

`build(key, w, X, Y, threads)` takes a workload as plain data: `dims`, `act`, `loss` (ce, bce, mse), `batch`,
`opt` (sgd, mom, adam), `lr`, `mu`, `wd`. Weights are (in, out) outside, as the other columns have them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import symbackprop as sb
from symbackprop.runtime import Run
from symbackprop.train.blocks import aligned

LOSSES = {"ce": "softmax_cross_entropy", "bce": "sigmoid_cross_entropy", "mse": "mse"}


def network(w: dict[str, Any]) -> sb.Network:
    """The workload's network; decay acts on biases too."""
    widths = w["dims"][1:]
    layers = [sb.Input(w["dims"][0])]
    layers += [sb.Dense(n, w["act"] if i < len(widths) - 1 else None) for i, n in enumerate(widths)]
    decay = [sb.L2(w["wd"], biases=True)] if w.get("wd") else []
    return sb.Network(layers, loss=LOSSES[w["loss"]], regularizers=decay)


def optimizer(w: dict[str, Any]) -> sb.Optimizer:
    """The workload's optimizer."""
    if w["opt"] == "adam":
        return sb.Adam(w["lr"])
    return sb.Momentum(w["lr"], w["mu"]) if w.get("mu") else sb.SGD(w["lr"])


class Column:
    """A model and its run, driven an epoch at a time; the last partial batch is dropped."""

    def __init__(self, w: dict[str, Any], X: Any, Y: Any, target: str = "c") -> None:
        self.model = sb.compile(network(w), target=target, optimizer=optimizer(w), dtype="float32", seed=0)
        module = self.model._module
        manifest = module.manifest
        self.module, self.manifest = module, manifest
        y = np.eye(w["dims"][-1], dtype=np.float32)[Y] if w["loss"] == "ce" else Y
        hypers = np.array([self.model.hypers[name] for name, _ in manifest.hypers])
        rows = len(X)
        self.run = Run(
            params=aligned((manifest.block,), manifest.dtype),
            state=aligned((len(manifest.states), manifest.block), manifest.dtype),
            hypers=hypers,
            data=(np.ascontiguousarray(X, np.float32), np.ascontiguousarray(y, np.float32)),
            rows=rows,
            batch=w["batch"],
            seed=1,
            shuffle=True,
            drop_last=True,
            order=np.zeros(rows, np.int64),
            order_epoch=-1,
            losses=np.zeros(rows // w["batch"] + 1),
        )

    def _views(self) -> list[Any]:
        blocks = self.run.params
        return [blocks[s.offset : s.offset + int(np.prod(s.shape))].reshape(s.shape) for s in self.manifest.parameters]

    def reset(self, P: list[Any]) -> None:
        """Start from parameters W, b, W, b, ... with W (in, out)."""
        for view, p in zip(self._views(), P, strict=True):
            view[...] = p.T if p.ndim == 2 else p
        self.run.state[...] = 0
        self.run.step, self.run.order_epoch = 0, -1

    def epoch(self, perm: Any = None) -> None:
        """One epoch in the order `perm`, or in a fresh one."""
        steps = self.run.steps_per_epoch
        if perm is not None and len(perm) < self.run.rows:
            steps = len(perm) // self.run.batch
        if perm is not None:
            self.run.order[: len(perm)] = perm
            self.run.order_epoch = self.run.step // self.run.steps_per_epoch
        done = self.module.train(self.run, steps)
        self.loss = float(self.run.losses[done - 1])

    def params(self) -> list[Any]:
        """Copies of the parameters, W (in, out)."""
        return [v.T.copy() if v.ndim == 2 else v.copy() for v in self._views()]


def build(key: str, w: dict[str, Any], X: Any, Y: Any, threads: int) -> Column:
    """The column of a workload."""
    return Column(w, X, Y)
