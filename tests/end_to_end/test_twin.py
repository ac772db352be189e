"""NumPy and C from one seed are one training: the same orders of rows, the same losses, the same parameters."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import symbackprop as sb
from symbackprop.runtime import Run
from symbackprop.train import Model

Array = np.ndarray[Any, Any]

ROWS, BATCH, EPOCHS = 53, 8, 15
STEPS = EPOCHS * -(-ROWS // BATCH)
"""105 steps; the last batch of an epoch has 5 rows."""


def rbf(x: Any) -> Any:
    """A layer that has no name, from its equation."""
    n, j, k = sb.indices("n j k")
    c = sb.parameter("c", (6, x.dim(1)), init=sb.init.normal(0, 1))
    a = sb.tensor("a", (x.dim(0), 6))
    return sb.layer(a, sb.equation(a[n, j], sb.exp(-sb.Sum((x[n, k] - c[j, k]) ** 2, k))))


def swish(z: Any) -> Any:
    return z / (1 + sb.exp(-z))


def classifier() -> sb.Network:
    layers = [sb.Input(13), sb.Dense(45, "relu"), sb.Dense(17, "leaky_relu"), sb.Dense(5)]
    return sb.Network(layers, loss="softmax_cross_entropy", weight_decay=1e-3)


def wide() -> sb.Network:
    """Products large enough for the blocked kernel, with widths that fill no vector."""
    return sb.Network([sb.Input(37), sb.Dense(70, "tanh"), sb.Dense(3, "softmax")], loss="cross_entropy")


def regression() -> sb.Network:
    penalties = [sb.L1(1e-3), sb.L2(1e-2, biases=True, over_n=True)]
    return sb.Network([sb.Input(7), sb.Dense(9, "elu"), sb.Dense(2)], loss="mse", regularizers=penalties)


def binary() -> sb.Network:
    return sb.Network([sb.Input(4), sb.Dense(8, swish), sb.Dense(1)], loss="sigmoid_cross_entropy")


def equations() -> sb.Network:
    return sb.Network([sb.Input(3), rbf, sb.Dense(2, "softplus")], loss=lambda p, t: sb.log(sb.cosh(p - t)))


def vectors() -> sb.Network:
    """Samples are rows of vectors, so is the target."""
    return sb.Network([sb.Input((4, 5)), sb.Dense(3, "sigmoid"), sb.Dense(2)], loss="mae", reduction="batch_mean")


CASES: list[tuple[Callable[[], sb.Network], sb.Optimizer]] = [
    (classifier, sb.Adam(0.01)),
    (wide, sb.Momentum(0.05, 0.9)),
    (regression, sb.RMSProp(0.01)),
    (binary, sb.Nesterov(0.05, 0.9, form="velocity")),
    (equations, sb.Adagrad(0.1)),
    (vectors, sb.SGD(0.1)),
]
cases = pytest.mark.parametrize(("network", "optimizer"), CASES, ids=[n.__name__ for n, _ in CASES])
pytestmark = pytest.mark.usefixtures("c_compiler")


def data(net: sb.Network) -> tuple[Array, Array]:
    """Inputs, and targets that depend on them."""
    draw = np.random.default_rng(11)
    shape = (net.layers[0].shape,) if isinstance(net.layers[0].shape, int) else net.layers[0].shape
    X = draw.normal(size=(ROWS, *shape))
    out = net.layers[-1].width
    scores = X @ draw.normal(size=(shape[-1], out)) + 0.1 * draw.normal(size=(*X.shape[:-1], out))
    if "cross_entropy" in repr(net):
        return X, scores.argmax(-1) if out > 1 else (scores[:, 0] > 0).astype(float)
    return X, scores


def losses_by_step(model: Model, X: Array, y: Array, monkeypatch: pytest.MonkeyPatch, **options: Any) -> Array:
    """The loss of every step of a `fit`, as the program wrote it."""
    kind = type(model._module)
    train, seen = kind.train, []

    def recorded(self: Any, run: Run, steps: int) -> int:
        done: int = train(self, run, steps)
        seen.append(run.losses[:done].copy())
        return done

    with monkeypatch.context() as patch:
        patch.setattr(kind, "train", recorded)
        model.fit(X, y, batch_size=BATCH, verbose=False, metrics=False, **options)
    return np.concatenate(seen)


def difference(a: Array, b: Array) -> float:
    return float(np.max(np.abs(a - b) / np.maximum(np.abs(a), np.finfo(float).tiny)))


def pair(network: Callable[[], sb.Network], optimizer: sb.Optimizer, dtype: str, seed: int = 7) -> list[Model]:
    models = [sb.compile(network(), target=t, optimizer=optimizer, dtype=dtype, seed=seed) for t in ("numpy", "c")]
    assert [m.target for m in models] == ["numpy", "c"]
    return models


@cases
def test_float64(network: Any, optimizer: sb.Optimizer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Step by step, and again after the C model was saved, loaded into both, and trained on with other batches."""
    X, y = data(network())
    models = pair(network, optimizer, "float64")
    for name in models[0].parameters:
        np.testing.assert_array_equal(models[0].parameters[name], models[1].parameters[name])
    curves = [losses_by_step(m, X, y, monkeypatch, epochs=EPOCHS) for m in models]
    assert [len(c) for c in curves] == [STEPS, STEPS]
    assert curves[0].std() > 0
    assert difference(*curves) <= 1e-10
    for name, reference in models[0].parameters.items():
        np.testing.assert_allclose(models[1].parameters[name], reference, rtol=1e-9, atol=1e-12)
    told = [m.evaluate(X, y) for m in models]
    assert abs(told[0]["loss"] / told[1]["loss"] - 1) <= 1e-10
    assert told[0].get("accuracy") == told[1].get("accuracy")

    models[1].save(tmp_path / "model.safetensors")
    fresh = pair(network, optimizer, "float64", seed=99)
    for model in fresh:
        model.load(tmp_path / "model.safetensors")
    goes_on = [losses_by_step(m, X[:41], y[:41], monkeypatch, epochs=3) for m in (*fresh, models[1])]
    assert difference(goes_on[0], goes_on[1]) <= 1e-10
    np.testing.assert_array_equal(goes_on[1], goes_on[2])


@cases
def test_float32(network: Any, optimizer: sb.Optimizer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rounding grows over 105 steps, but the two curves stay together, and near the one in float64."""
    X, y = data(network())
    models = [*pair(network, optimizer, "float32"), pair(network, optimizer, "float64")[1]]
    curves = [losses_by_step(m, X, y, monkeypatch, epochs=EPOCHS) for m in models]
    assert np.isfinite(curves).all()
    scale = np.abs(curves[2]).max()
    assert np.abs(curves[0] - curves[1]).max() <= 1e-3 * scale
    assert np.abs(curves[1] - curves[2]).max() <= 1e-3 * scale


def test_no_shuffle_and_no_partial_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    X, y = data(classifier())
    for options in ({"shuffle": False}, {"drop_last": True}, {"shuffle": False, "drop_last": True}):
        models = pair(classifier, sb.Adam(0.01), "float64")
        curves = [losses_by_step(m, X, y, monkeypatch, epochs=2, **options) for m in models]
        assert len(curves[0]) == 2 * (ROWS // BATCH if "drop_last" in options else -(-ROWS // BATCH))
        assert difference(*curves) <= 1e-10


def test_the_seed_decides(target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One seed, one curve to the last bit; another seed, another one, be it only for the order of the rows."""
    X, y = data(classifier())
    start = {
        name: np.asarray(v)
        for name, v in sb.compile(classifier(), target=target, optimizer="adam", dtype="float64").parameters.items()
    }

    def curve(seed: int, same_start: bool) -> Array:
        model = sb.compile(classifier(), target=target, optimizer="adam", dtype="float64", seed=seed)
        if same_start:
            model.parameters = start
        return losses_by_step(model, X, y, monkeypatch, epochs=2)

    np.testing.assert_array_equal(curve(1, False), curve(1, False))
    assert difference(curve(1, False)[:1], curve(2, False)[:1]) > 1e-3
    assert difference(curve(1, True), curve(2, True)) > 1e-3
