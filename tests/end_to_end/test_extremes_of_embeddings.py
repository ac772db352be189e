"""Losses of several outputs in float32, up to 10^4, against mpmath: values, and gradients by each output."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath as mp
import numpy as np
import pytest

from symbackprop.declare import losses
from symbackprop.declare.optimizers import as_optimizer
from symbackprop.emit.c import emit_c
from symbackprop.emit.numpy import emit_numpy
from symbackprop.load.native import NativeModule
from symbackprop.load.numpy import NumpyModule
from symbackprop.lower import lower
from symbackprop.pipeline import derive
from symbackprop.train import Model
from tests.end_to_end import reference_mpmath as ref
from tests.table.systems import INPUTS, network

Rows = list[list[Any]]
SCALES = (1e-3, 1.0, 20.0, 90.0, 1e4)


def float32_model(net: Any, target: str) -> Model:
    program = lower(derive(net), as_optimizer(None).equations())
    numpy = emit_numpy(program, "float32")
    module: Any = NumpyModule(numpy) if target == "numpy" else NativeModule(emit_c(program, "float32"), numpy)
    return Model(module, 0, net.strengths, numpy.text)


def gaussian(m: Rows, v: Rows, y: Rows) -> Any:
    cells = [(a, b, c) for p, q, r in zip(m, v, y, strict=True) for a, b, c in zip(p, q, r, strict=True)]
    return mp.fsum((mp.log(b) + (a - c) ** 2 / b) / 2 for a, b, c in cells)


def cosine_embedding(a: Rows, b: Rows, y: Rows) -> Any:
    rows = zip(a, b, y, strict=True)
    return mp.fsum(1 - ref.cosine(p, q) if label > 0 else max(0, ref.cosine(p, q)) for p, q, (label,) in rows)


def triplet(a: Rows, p: Rows, n: Rows) -> Any:
    eps = ref.exact(1e-6)

    def distance(u: list[Any], v: list[Any]) -> Any:
        return mp.sqrt(mp.fsum((s - t + eps) ** 2 for s, t in zip(u, v, strict=True)))

    return mp.fsum(max(mp.mpf(0), distance(u, v) - distance(u, w) + 1) for u, v, w in zip(a, p, n, strict=True))


def info_nce(q: Rows, k: Rows) -> Any:
    total = mp.mpf(0)
    for n, row in enumerate(q):
        s = [mp.fsum(x * y for x, y in zip(row, key, strict=True)) for key in k]
        total += mp.log(mp.fsum(mp.exp(v - s[n]) for v in s))
    return total


def drawn(scale: float, seed: int) -> Any:
    """(INPUTS, INPUTS) numbers of float32, about `scale`."""
    return (scale * np.random.default_rng(seed).normal(size=(INPUTS, INPUTS))).astype(np.float32).astype(float)


def derivative(function: Callable[..., Any], at: list[Rows], which: int, row: int, column: int) -> Any:
    step = mp.ldexp(1, -ref.STEP_BITS)

    def moved(by: Any) -> Any:
        tables = [[list(r) for r in table] for table in at]
        tables[which][row][column] += by
        return function(*tables)

    return (moved(step) - moved(-step)) / (2 * step)


CASES: dict[str, tuple[Any, Callable[..., Any], int]] = {
    "gaussian_nll": (losses.gaussian_nll(), gaussian, 2),
    "cosine_embedding": (losses.cosine_embedding(), cosine_embedding, 2),
    "triplet": (losses.triplet(), triplet, 3),
    "info_nce": (losses.info_nce(1.0, normalize=False), info_nce, 2),
}


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("name", CASES)
def test_losses_of_several_outputs(name: str, scale: float, target: str) -> None:
    """x = 1 makes each output the transpose of its weight; gradients are compared by their largest entry."""
    loss, function, count = CASES[name]
    tables = [drawn(scale, seed) for seed in range(count)]
    if name == "gaussian_nll":
        tables[1] = abs(tables[1]) + np.float32(scale)
    if name == "info_nce":
        tables[1] = drawn(1.0, 1)
    model = float32_model(network(loss, "sum", INPUTS), target)
    made = {f"W{i}": t.T for i, t in enumerate(tables, 1)} | {f"b{i}": np.zeros(INPUTS) for i in range(1, count + 1)}
    model.parameters = made
    y = {"gaussian_nll": drawn(scale, 9), "cosine_embedding": np.array([[1.0], [-1], [-1]])}.get(name)
    given = None if y is None else y[:, 0] if y.shape[1] == 1 else y
    got = model.gradients(np.eye(INPUTS), given)
    value = model.evaluate(np.eye(INPUTS), given)["loss"]
    with mp.workprec(ref.ENOUGH_BITS):
        at = [[[ref.exact(v) for v in row] for row in t] for t in (*tables, *(() if y is None else (y,)))]
        assert ref.excess(value, function(*at), 1e-5 * min(scale, 1)) <= 1, f"{value}, true {function(*at)}"
        for which in range(count):
            places = [(r, c) for r in range(INPUTS) for c in range(INPUTS)]
            true = {place: derivative(function, at, which, *place) for place in places}
            largest = float(max(abs(v) for v in true.values()))
            for (r, c), want in true.items():
                found = float(got[f"W{which + 1}"][c, r])
                assert ref.excess(found, want, 1e-5 * largest + 1e-37) <= 1, f"{which}[{r}, {c}]: {found}, true {want}"
