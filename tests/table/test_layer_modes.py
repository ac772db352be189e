"""Layers that differ between the modes: what they predict, and their running statistics, in every target."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("jax", reason="the reference is JAX's; it is an extra, `dev`")

import symbackprop as sb
from symbackprop import streams
from symbackprop.declare.layers.base import Names
from symbackprop.train import Model
from tests.declare.layer_cases import inputs_of
from tests.table.rows_layers import CASES, Case, batch_of, batch_statistics, jnp, network, output

Array = np.ndarray[Any, Any]
SEED = 3


def modal(case: Case) -> bool:
    """Whether the layer has equations for inference."""
    return bool(case.make().build(Names(), *inputs_of(case)).inference)


MODAL = [case for case in CASES if modal(case)]


def prepared(case: Case, target: str) -> tuple[Model, dict[str, Array], Array, Array]:
    """A model whose parameters and states are drawn, all its arrays by name, x and y."""
    draw = np.random.default_rng(5)
    model = sb.compile(network(case), target=target, dtype="float64", seed=SEED)
    model.parameters = {name: draw.normal(size=v.shape) for name, v in model.parameters.items()}
    model.states.update({name: draw.random(v.shape) + 0.5 for name, v in model.states.items()})
    arrays = {name: np.array(v) for name, v in (*model.parameters.items(), *model.states.items())}
    x = batch_of(case, draw)["x"]
    return model, arrays, x, draw.normal(size=output_of(case, arrays, x, False).shape)


def output_of(case: Case, arrays: dict[str, Array], x: Array, training: bool) -> Array:
    """The hand-written formula."""
    return np.asarray(output(case, arrays, [x], training))


def test_there_are_such_layers() -> None:
    assert {case.name for case in MODAL} == {"Dropout", "BatchNorm1d", "BatchNorm2d"}


@pytest.mark.parametrize("case", MODAL, ids=lambda case: case.title)
def test_the_inference_mode(case: Case, target: str) -> None:
    model, arrays, x, y = prepared(case, target)
    expected = output_of(case, arrays, x, False)
    np.testing.assert_allclose(model.predict(x), expected, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(model.predict(x[:1]), expected[:1], rtol=1e-12, atol=1e-12)
    assert abs(model.evaluate(x, y)["loss"] - ((expected - y) ** 2).mean()) < 1e-12
    assert {n: v.tolist() for n, v in model.states.items()} == {
        n: v.tolist() for n, v in arrays.items() if n in model.states
    }


@pytest.mark.parametrize("case", [c for c in MODAL if c.name != "Dropout"], ids=lambda case: case.title)
def test_running_statistics_after_steps(case: Case, target: str) -> None:
    """Those of the batch as it was before each update of the parameters."""
    model, arrays, x, y = prepared(case, target)
    for _ in range(2):
        fed = np.tanh(x @ np.array(model.parameters["W1"]).T + np.array(model.parameters["b1"]))
        before = {name.removesuffix("2"): np.array(v) for name, v in model.states.items()}
        wanted = batch_statistics(before, jnp.asarray(fed))
        model.fit(x, y, epochs=1, batch_size=len(x), shuffle=False)
        assert set(model.states) == {f"{name}2" for name in wanted}
        for name, value in wanted.items():
            np.testing.assert_allclose(model.states[f"{name}2"], value, rtol=1e-12)
    assert not np.allclose(model.states["running_mean2"], arrays["running_mean2"])


@pytest.mark.parametrize("case", [c for c in MODAL if c.name == "Dropout"], ids=lambda case: case.title)
def test_dropout_in_training(case: Case, target: str) -> None:
    """The losses of two epochs are those of the masks that the stream gives, another mask at every step."""
    model, arrays, x, y = prepared(case, target)
    model.hypers["eta"] = 0.0
    history = model.fit(x, y, epochs=2, batch_size=len(x), shuffle=False)
    u = [streams.tensor(SEED, step, "u2", output_of(case, arrays, x, False).shape, np.float64) for step in range(2)]
    assert not np.allclose(*u)
    wanted = [((output_of(case, {**arrays, "u2": mask}, x, True) - y) ** 2).mean() for mask in u]
    np.testing.assert_allclose(history["loss"], wanted, rtol=1e-12)


def test_dropouts_p_is_a_number_of_the_run(target: str) -> None:
    case = next(c for c in MODAL if c.name == "Dropout")
    model, arrays, x, y = prepared(case, target)
    model.hypers["drop2"], model.hypers["eta"] = 0.0, 0.0
    history = model.fit(x, y, epochs=1, batch_size=len(x), shuffle=False)
    np.testing.assert_allclose(history["loss"], ((output_of(case, arrays, x, False) - y) ** 2).mean(), rtol=1e-12)
