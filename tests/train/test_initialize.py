from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from module_double import Array, manifest

from symbackprop.declare import initializers
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
    "lecun_uniform": ((), math.sqrt(3 / FAN_IN)),
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


FILTER = (16, 12, 5, 7)
"""A filter (out, in, h, w): fan_in 12*5*7 = 420, fan_out 16*5*7 = 560."""


@pytest.mark.parametrize(
    ("kind", "variance"),
    [
        ("glorot_uniform", 2 / (420 + 560)),
        ("glorot_normal", 2 / (420 + 560)),
        ("he_uniform", 2 / 420),
        ("he_normal", 2 / 420),
        ("lecun_uniform", 1 / 420),
        ("lecun_normal", 1 / 420),
        ("fan_in_uniform", 1 / (3 * 420)),
    ],
)
def test_the_variance_of_a_filter(kind: str, variance: float) -> None:
    """6720 draws: the variance is known within 5 standard errors, and a bound by the nearest draw."""
    values = drawn(Initializer(kind), FILTER).reshape(-1)
    assert abs(values.mean()) < 5 * math.sqrt(variance / values.size)
    assert abs(values.var() / variance - 1) < 5 * math.sqrt(2 / values.size)
    if kind.endswith("uniform"):
        bound = math.sqrt(3 * variance)
        assert 0.998 * bound < np.abs(values).max() <= bound


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_word(kind: str) -> None:
    """In sb.init, and no word stands for a kind that is unknown."""
    made = {"uniform": (-1, 1), "values": (1, 2)}.get(kind, ())
    assert getattr(initializers, kind)(*made).kind == kind


def test_shorthands() -> None:
    assert drawn(initializers.zeros(), (2, 2)).tolist() == [[0, 0], [0, 0]]
    assert drawn(initializers.ones(), (2, 2)).tolist() == [[1, 1], [1, 1]]
    assert drawn(initializers.values(1, 2, 3, 4), (2, 2)).tolist() == [[1, 2], [3, 4]]
    assert initializers.xavier_uniform() == initializers.glorot_uniform()
    assert initializers.xavier_normal() == initializers.glorot_normal()
    assert initializers.torch_default() == Initializer("fan_in_uniform")


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


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"constant", "values"}))
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
        (Initializer("values", (1.0, 2.0)), r"\(2, 2\) needs 4 values; got 2"),
    ],
)
def test_bad_initializers(init: Initializer, told: str) -> None:
    with pytest.raises(DeclarationError, match=told):
        drawn(init, (2, 2), dtype="float32")


def test_states_stand_behind_the_parameters() -> None:
    kept = Slot("running_var", (3,), 16, Initializer("constant", (1.0,)))
    made = replace(filled((Slot("W", (2,), 0, Initializer("constant", (5.0,))),), 16), fixed=(kept,))
    assert initial_block(made, 0).tolist() == [5, 5] + [0] * 14 + [1] * 3
