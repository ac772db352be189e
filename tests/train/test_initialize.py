from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from module_double import Array, manifest

from symbackprop.errors import DeclarationError
from symbackprop.records import Initializer
from symbackprop.runtime import Manifest, Slot
from symbackprop.train.blocks import views
from symbackprop.train.initialize import KINDS, initial_block


def drawn(
    init: Initializer, shape: tuple[int, ...] = (200, 300), seed: int = 0, name: str = "W", dtype: str = "float64"
) -> Array:  # fmt: skip
    slot = Slot(name, shape, 0, init)
    made = filled((slot,), math.prod(shape), dtype)
    return views(made, initial_block(made, seed))[name]


def filled(slots: tuple[Slot, ...], block: int, dtype: str = "float64") -> Manifest:
    base = manifest()
    return Manifest(dtype, base.inputs, base.targets, base.outputs, slots, block, (), (), None, (), "sgd")


FAN_IN, FAN_OUT = 300, 200
UNIFORM: dict[str, tuple[tuple[float, ...], Any]] = {
    "uniform": ((-0.5, 1.5), (-0.5, 1.5)),
    "glorot_uniform": ((), math.sqrt(6 / (FAN_IN + FAN_OUT))),
    "he_uniform": ((), math.sqrt(6 / FAN_IN)),
    "fan_in_uniform": ((), 1 / math.sqrt(FAN_IN)),
}
NORMAL: dict[str, tuple[tuple[float, ...], tuple[float, float]]] = {
    "normal": ((0.3, 0.7), (0.3, 0.7)),
    "glorot_normal": ((), (0.0, math.sqrt(2 / (FAN_IN + FAN_OUT)))),
    "he_normal": ((), (0.0, math.sqrt(2 / FAN_IN))),
    "lecun_normal": ((), (0.0, math.sqrt(1 / FAN_IN))),
}


@pytest.mark.parametrize("kind", UNIFORM)
def test_uniform_kinds(kind: str) -> None:
    args, bounds = UNIFORM[kind]
    low, high = bounds if isinstance(bounds, tuple) else (-bounds, bounds)
    values = drawn(Initializer(kind, args))
    assert low <= values.min() < low + 1e-3 * (high - low)
    assert high > values.max() > high - 1e-3 * (high - low)
    shares = np.histogram(values, 10, (low, high))[0] / values.size
    np.testing.assert_allclose(shares, 0.1, atol=0.006)


@pytest.mark.parametrize("kind", NORMAL)
def test_normal_kinds(kind: str) -> None:
    args, (mu, sigma) = NORMAL[kind]
    values = (drawn(Initializer(kind, args)) - mu) / sigma
    assert abs(values.mean()) < 0.02 and abs(values.std() - 1) < 0.02
    assert abs((np.abs(values) < 1).mean() - math.erf(1 / math.sqrt(2))) < 0.01
    assert np.abs(values).max() > 3.5


def test_truncated_normal() -> None:
    values = (drawn(Initializer("truncated_normal", (5.0, 2.0))) - 5.0) / 2.0
    assert 1.98 < np.abs(values).max() <= 2.0
    assert abs(values.std() - 0.8796) < 0.01
    inside = math.erf(1 / math.sqrt(2)) / math.erf(2 / math.sqrt(2))
    assert abs((np.abs(values) < 1).mean() - inside) < 0.01


@pytest.mark.parametrize("shape", [(20, 50), (50, 20), (8, 3, 4), (7,)])
def test_orthogonal(shape: tuple[int, ...]) -> None:
    matrix = drawn(Initializer("orthogonal", (1.5,)), shape).reshape(shape[0], -1)
    product = matrix @ matrix.T if matrix.shape[0] <= matrix.shape[1] else matrix.T @ matrix
    np.testing.assert_allclose(product, 1.5**2 * np.eye(len(product)), atol=1e-12)


def test_constant_and_gaps() -> None:
    slots = (Slot("a", (3,), 0, Initializer("constant", (2.5,))), Slot("s", (), 8, Initializer("constant", (1.0,))))
    block = initial_block(filled(slots, 16, "float32"), 0)
    np.testing.assert_array_equal(block, [2.5] * 3 + [0] * 5 + [1] + [0] * 7)
    assert block.dtype == np.float32
    assert block.ctypes.data % 64 == 0


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"constant"}))
def test_streams(kind: str) -> None:
    """Values follow from seed and name alone: not from other parameters, their order, or the dtype."""
    init = Initializer(kind, (0.2, 0.9)[2 - KINDS[kind][0] :])
    alone = drawn(init, (6, 5))
    pair = filled((Slot("V", (9,), 0, init), Slot("W", (6, 5), 16, init)), 48)
    np.testing.assert_array_equal(views(pair, initial_block(pair, 0))["W"], alone)
    assert not np.array_equal(drawn(init, (6, 5), name="V"), alone)
    assert not np.array_equal(drawn(init, (6, 5), seed=1), alone)
    np.testing.assert_array_equal(drawn(init, (6, 5), dtype="float32"), alone.astype(np.float32))


@pytest.mark.parametrize(
    ("init", "told"),
    [
        (Initializer("glorot_unifrom"), "'glorot_unifrom'.*Did you mean 'glorot_uniform'"),
        (Initializer("normal", (1.0,)), "normal takes 2 finite numbers"),
        (Initializer("constant", (math.nan,)), "constant takes 1 finite numbers"),
        (Initializer("normal", (0.0, -1.0)), "deviation >= 0"),
        (Initializer("uniform", (1.0, -1.0)), "low <= high"),
        (Initializer("constant", (1e39,)), "too large for float32"),
    ],
)
def test_bad_initializers(init: Initializer, told: str) -> None:
    with pytest.raises(DeclarationError, match=told):
        drawn(init, (2, 2), dtype="float32")
