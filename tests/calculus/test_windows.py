"""Derivatives through windows, strides, maxima, reshapes and joins, judged by definition.

The derived equations are evaluated by `interpreter`, and compared with central differences of the forward ones.
"""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest

import symbackprop as sb
from symbackprop.records import Equation
from tests.interpreter import run

ROWS = 3
STEP = 1e-5
n, o, c, i, j, k, q = sb.indices("n o c i j k q")


def mixed(x: sb.Tensor) -> Any:
    """A trainable map of channels before the layer under test, so that its input has a gradient."""
    V = sb.parameter("V", (3, x.dims[1]))
    a = sb.tensor("a", (x.dim(0), 3, *x.dims[2:]))
    rest = (i, j)[: len(x.dims) - 2]
    return sb.layer(a, sb.equation(a[(n, o, *rest)], sb.tanh(sb.Sum(V[o, c] * x[(n, c, *rest)], c))))


def conv(size: int, stride: int, padding: int, dilation: int) -> Any:
    def layer(x: sb.Tensor) -> Any:
        u = sb.indices("u")
        W = sb.parameter("W", (2, x.dims[1], sb.Dim("k", size)))
        length = (x.dims[2].size + 2 * padding - dilation * (size - 1) - 1) // stride + 1
        z = sb.tensor("z", (x.dim(0), 2, length))
        there = x.padded[n, c, stride * i + dilation * u - padding]
        return sb.layer(z, sb.equation(z[n, o, i], sb.Sum(W[o, c, u] * there, c, u)))

    return layer


def transposed_conv(size: int, stride: int, padding: int) -> Any:
    def layer(x: sb.Tensor) -> Any:
        u = sb.indices("u")
        W = sb.parameter("W", (x.dims[1], 2, sb.Dim("k", size)))
        z = sb.tensor("z", (x.dim(0), 2, (x.dims[2].size - 1) * stride - 2 * padding + size))
        there = x.padded[n, c, (i + padding - u) / stride]
        return sb.layer(z, sb.equation(z[n, o, i], sb.Sum(W[c, o, u] * there, c, u)))

    return layer


def pool(size: int, stride: int, padding: int, largest: bool = True) -> Any:
    def layer(x: sb.Tensor) -> Any:
        v = sb.indices("v", size)
        m = sb.tensor("m", (x.dim(0), x.dims[1], (x.dims[2].size + 2 * padding - size) // stride + 1))
        place = (n, c, stride * i + v - padding)
        value = sb.MaxOver(x.lowest[place], v) if largest else sb.Sum(x.padded[place], v) / size
        return sb.layer(m, sb.equation(m[n, c, i], value))

    return layer


def pool2d(size: int, stride: int) -> Any:
    def layer(x: sb.Tensor) -> Any:
        u, v = sb.indices("u v", size)
        sides = [(d.size - size) // stride + 1 for d in x.dims[2:]]
        m = sb.tensor("m", (x.dim(0), x.dims[1], *sides))
        return sb.layer(m, sb.equation(m[n, c, i, j], sb.MaxOver(x[n, c, stride * i + u, stride * j + v], u, v)))

    return layer


def flat(x: sb.Tensor) -> Any:
    sizes = [d.size for d in x.dims[1:]]
    f = sb.tensor("f", (x.dim(0), math.prod(sizes)))
    digits = (sb.part(j, math.prod(sizes[a + 1 :]), size) for a, size in enumerate(sizes))
    return sb.layer(f, sb.equation(f[n, j], x[(n, *digits)]))


def reshaped(rows: int, columns: int) -> Any:
    def layer(x: sb.Tensor) -> Any:
        high, wide = (d.size for d in x.dims[1:])
        r = sb.tensor("r", (x.dim(0), rows, columns))
        place = columns * i + j
        return sb.layer(r, sb.equation(r[n, i, j], x[n, sb.part(place, wide, high), sb.part(place, 1, wide)]))

    return layer


def joined(x: sb.Tensor) -> Any:
    U = sb.parameter("U", (3, x.dims[1]))
    u = sb.tensor("u", (x.dim(0), 3))
    y = sb.tensor("joined", (x.dim(0), 3 + x.dims[1].size))
    return sb.layer(
        y,
        sb.equation(u[n, k], sb.Sum(U[k, j] * x[n, j], j)),
        sb.equation(y[n, j], u.padded[n, j] + x.padded[n, j - 3]),
    )


def every_second(x: sb.Tensor) -> Any:
    y = sb.tensor("every_second", (x.dim(0), x.dims[1].size // 2))
    return sb.layer(y, sb.equation(y[n, j], x[n, 2 * j + 1]))


def awkward(x: sb.Tensor) -> Any:
    """Padded entries under functions, where what lies outside does not vanish."""
    u = sb.indices("u", 3)
    y = sb.tensor("awkward", (x.dim(0), *x.dims[1:]))
    inside = sb.exp(x.padded[n, c, i + u - 1]) / (2 + x.padded[n, c, i + 1] ** 2)
    return sb.layer(y, sb.equation(y[n, c, i], sb.log(1 + sb.Sum(inside, u))))


def maxout(x: sb.Tensor) -> Any:
    M = sb.parameter("M", (4, 3, x.dims[1]))
    y = sb.tensor("maxout", (x.dim(0), 4))
    return sb.layer(y, sb.equation(y[n, j], sb.MaxOver(sb.Sum(M[j, k, q] * x[n, q], q), k)))


def diagonal(x: sb.Tensor) -> Any:
    B = sb.parameter("B", (x.dims[1], x.dims[1]))
    y = sb.tensor("diagonal", (x.dim(0), x.dims[1]))
    return sb.layer(y, sb.equation(y[n, j], B[j, j] * x[n, 0] + x[n, j]))


NETWORKS = {
    "conv": [sb.Input((2, 7)), mixed, conv(3, 1, 1, 1), flat],
    "conv, stride 2": [sb.Input((2, 9)), mixed, conv(3, 2, 1, 1), flat],
    "conv, stride and dilation 2": [sb.Input((2, 9)), mixed, conv(3, 2, 2, 2), flat],
    "conv, stride beyond the filter": [sb.Input((2, 9)), mixed, conv(2, 3, 0, 1), flat],
    "transposed conv": [sb.Input((2, 4)), mixed, transposed_conv(3, 2, 1), flat],
    "max pool": [sb.Input((2, 8)), mixed, pool(2, 2, 0), flat],
    "max pool, overlapping, padded": [sb.Input((2, 8)), mixed, pool(3, 2, 1), flat],
    "mean pool, padded": [sb.Input((2, 8)), mixed, pool(3, 2, 1, False), flat],
    "max pool 2d": [sb.Input((2, 4, 5)), mixed, pool2d(2, 2), flat],
    "max pool 2d, overlapping": [sb.Input((2, 4, 5)), mixed, pool2d(3, 1), flat],
    "reshape": [sb.Input((4, 6)), mixed, reshaped(2, 9), flat],
    "joined": [sb.Input(4), sb.Dense(3, "tanh"), joined],
    "every second": [sb.Input(4), sb.Dense(5, "tanh"), every_second],
    "awkward": [sb.Input((2, 5)), mixed, awkward, flat],
    "maxout": [sb.Input(4), sb.Dense(5, "tanh"), maxout],
    "diagonal": [sb.Input(4), sb.Dense(5, "tanh"), diagonal],
}


def differences(forward: tuple[Equation, ...], theta: sb.Tensor, values: dict[Any, Any]) -> Any:
    """Central differences of the last of the equations by every entry of `theta`."""
    reference = np.zeros_like(values[theta])
    for place in itertools.product(*map(range, reference.shape)):
        losses = []
        for sign in (1, -1):
            moved = values[theta].copy()
            moved[place] += sign * STEP
            losses.append(float(run(forward, {**values, theta: moved}, ROWS)[forward[-1].lhs]))
        reference[place] = (losses[0] - losses[1]) / (2 * STEP)
    return reference


@pytest.mark.parametrize("computed", [False, True], ids=["printed", "computed"])
@pytest.mark.parametrize("name", NETWORKS)
def test_gradients_are_central_differences(name: str, computed: bool) -> None:
    net = sb.Network([*NETWORKS[name], sb.Dense(2)], loss="mse")
    derivation, system = net.derive(), net.system
    rng = np.random.default_rng(len(name))
    values = {
        t: rng.normal(size=tuple(d.size or ROWS for d in t.dims))
        for t in (*system.inputs, *system.targets, *system.parameters)
    }
    everything = (*derivation.forward, derivation.objective, *derivation.adjoints, *derivation.gradients)
    made = run(everything, values, ROWS, computed)
    for theta, gradient in zip(system.parameters, derivation.gradients, strict=True):
        reference = differences((*system.forward, system.objective), theta, values)
        error = np.abs(made[gradient.lhs] - reference).max() / max(np.abs(reference).max(), 1e-3)
        assert error < 1e-7, (theta.name, error)


def test_a_value_held_constant_passes_no_gradient() -> None:
    def twice(x: sb.Tensor) -> Any:
        y = sb.tensor("y_", (x.dim(0), x.dims[1]))
        return sb.layer(y, sb.equation(y[n, j], x[n, j] * sb.stop_gradient(x[n, j])))

    def square(x: sb.Tensor) -> Any:
        y = sb.tensor("y_", (x.dim(0), x.dims[1]))
        return sb.layer(y, sb.equation(y[n, j], x[n, j] ** 2))

    made = []
    for layer in (twice, square):
        net = sb.Network([sb.Input(3), sb.Dense(2), layer], loss="mse")
        derivation, system = net.derive(), net.system
        rng = np.random.default_rng(0)
        tensors = (*system.inputs, *system.targets, *system.parameters)
        values = {t: rng.normal(size=tuple(d.size or ROWS for d in t.dims)) for t in tensors}
        equations = (*derivation.forward, derivation.objective, *derivation.adjoints, *derivation.gradients)
        values = run(equations, values, ROWS)
        made.append([values[g.lhs] for g in derivation.gradients])
    for held, free in zip(*made, strict=True):
        np.testing.assert_allclose(2 * held, free, rtol=1e-12)
