"""A training that diverges says at which step and in which tensor, and both targets say the same."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symbackprop as sb
from symbackprop.errors import NonFiniteError
from symbackprop.train import Model

Array = np.ndarray[Any, Any]

DRAW = np.random.default_rng(9)
X = DRAW.normal(size=(60, 5))
Y = X @ DRAW.normal(size=(5, 2))


def linear() -> sb.Network:
    """Its gradient step with a large rate multiplies the parameters again and again."""
    return sb.Network([sb.Input(5), sb.Dense(4, "leaky_relu"), sb.Dense(2)], loss="mse")


def exponential() -> sb.Network:
    """e^z overflows long before the parameters do."""
    return sb.Network([sb.Input(5), sb.Dense(3, sb.exp), sb.Dense(2)], loss="mse")


def root() -> sb.Network:
    """The root of a negative number, once the training gets there."""
    return sb.Network([sb.Input(5), sb.Dense(3, "softplus"), sb.Dense(2, lambda z: sb.sqrt(z + 3))], loss="mse")


def diverge(model: Model, shuffle: bool = True) -> NonFiniteError:
    with pytest.raises(NonFiniteError) as caught:
        model.fit(X, Y, epochs=400, batch_size=8, shuffle=shuffle, verbose=False)
    return caught.value


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("network", "rate"), [(linear, 50.0), (exponential, 5.0), (root, 2.0)])
def test_both_targets_name_the_same_step(network: Any, rate: float, dtype: str, c_compiler: None) -> None:
    errors = []
    for target in ("numpy", "c"):
        model = sb.compile(network(), target=target, optimizer=sb.SGD(rate), dtype=dtype, seed=1)
        error = diverge(model)
        errors.append(error)
        assert model.target == target
        assert error.step == model.step + 1 >= 2
        assert all(np.isfinite(p).all() for p in model.parameters.values())
        assert f"step {error.step} " in str(error) and f"tensor {error.tensor}" in str(error)
        assert f"eta = {rate:g}" in str(error)
        assert np.isfinite(model.predict(X[:3])).all() or network is root
    assert (errors[0].step, errors[0].tensor) == (errors[1].step, errors[1].tensor)


def test_what_is_kept_is_what_came_before_the_step(target: str) -> None:
    """The parameters are those of a second training that ends one step earlier."""
    model, again = (
        sb.compile(linear(), target=target, optimizer=sb.SGD(1.0), dtype="float64", seed=1) for _ in range(2)
    )
    error = diverge(model, shuffle=False)
    epochs, batches = divmod(error.step - 1, -(-len(X) // 8))
    assert epochs and batches
    again.fit(X, Y, epochs=epochs, batch_size=8, shuffle=False, verbose=False)
    again.fit(X[: 8 * batches], Y[: 8 * batches], epochs=1, batch_size=8, shuffle=False, verbose=False)
    assert again.step == model.step
    for name, value in again.parameters.items():
        np.testing.assert_array_equal(model.parameters[name], value)


def test_it_goes_on_with_a_smaller_rate(target: str) -> None:
    model = sb.compile(linear(), target=target, optimizer=sb.SGD(50.0), dtype="float32", seed=1)
    start = dict(model.parameters.items())
    diverge(model)
    model.parameters = start
    model.hypers["eta"] = 0.02
    history = model.fit(X, Y, epochs=20, batch_size=8, verbose=False)
    assert history.loss[-1] < history.loss[0]


def test_the_state_of_the_optimizer_counts_too(target: str) -> None:
    """A gradient of 1e25 is finite in float32, its square is not."""
    model = sb.compile(linear(), target=target, optimizer=sb.RMSProp(0.01), dtype="float32", seed=1)
    scaled = {name: value * (1e13 if name == "W2" else 1) for name, value in model.parameters.items()}
    model.parameters = scaled
    with pytest.raises(NonFiniteError) as caught:
        model.fit(1e3 * X, Y, epochs=1, batch_size=60, verbose=False)
    assert caught.value.step == 1
    for name, value in scaled.items():
        np.testing.assert_array_equal(model.parameters[name], value.astype(np.float32))
