"""Emitted updates against the documented formulas, transcribed by hand: one step, and twenty of a whole network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symbackprop as sb
from symbackprop.runtime import Run
from symbackprop.train.blocks import aligned, views
from tests.calculus import networks
from tests.calculus import reference_jax as ref

Array = np.ndarray[Any, Any]
Step = Callable[[Array, Array, dict[str, Array], int], tuple[Array, dict[str, Array]]]
"""theta, gradient, state, number of the step (from 1) -> new theta and state."""


def sgd(theta: Array, g: Array, s: dict[str, Array], t: int) -> tuple[Array, dict[str, Array]]:
    return theta - 0.07 * g, {}


def momentum(theta: Array, g: Array, s: dict[str, Array], t: int) -> tuple[Array, dict[str, Array]]:
    v = 0.8 * s["v"] + g
    return theta - 0.07 * v, {"v": v}


def momentum_velocity(theta: Array, g: Array, s: dict[str, Array], t: int) -> tuple[Array, dict[str, Array]]:
    v = 0.8 * s["v"] - 0.07 * g
    return theta + v, {"v": v}


def nesterov(theta: Array, g: Array, s: dict[str, Array], t: int) -> tuple[Array, dict[str, Array]]:
    v = 0.8 * s["v"] + g
    return theta - 0.07 * (g + 0.8 * v), {"v": v}


def nesterov_velocity(theta: Array, g: Array, s: dict[str, Array], t: int) -> tuple[Array, dict[str, Array]]:
    """theta is phi = w + mu v, where the gradient is taken; w = phi - mu v makes the lecture's step."""
    w = theta - 0.8 * s["v"]
    v = 0.8 * s["v"] - 0.07 * g
    return (w + v) + 0.8 * v, {"v": v}


def adagrad(theta: Array, g: Array, s: dict[str, Array], t: int) -> tuple[Array, dict[str, Array]]:
    total = s["s"] + g * g
    return theta - 0.07 * g / (np.sqrt(total) + 1e-6), {"s": total}


def rmsprop(theta: Array, g: Array, s: dict[str, Array], t: int) -> tuple[Array, dict[str, Array]]:
    average = 0.9 * s["s"] + 0.1 * g * g
    return theta - 0.07 * g / (np.sqrt(average) + 1e-6), {"s": average}


def adam(theta: Array, g: Array, s: dict[str, Array], t: int) -> tuple[Array, dict[str, Array]]:
    m, v = 0.8 * s["m"] + 0.2 * g, 0.95 * s["v"] + 0.05 * g * g
    correction1, correction2 = 1 - 0.8**t, 1 - 0.95**t
    denominator = np.sqrt(v) / np.sqrt(correction2) + 1e-6
    return theta - 0.07 / correction1 * m / denominator, {"m": m, "v": v}


class TwoLines(sb.Optimizer):
    """A user's own: heavy-ball momentum whose step shrinks with the step's number."""

    eta, rho = sb.hyper("eta", 0.1), sb.hyper("rho", 0.5)

    def update(self, theta: Any, g: Any) -> Any:
        u = self.state("u", like=theta)
        return {u: self.rho * u + sb.tanh(g), theta: theta - self.eta * sb.next(u) / sb.sqrt(self.t) + 0.01 * u}


def two_lines(theta: Array, g: Array, s: dict[str, Array], t: int) -> tuple[Array, dict[str, Array]]:
    u = 0.4 * s["u"] + np.tanh(g)
    return theta - 0.07 * u / np.sqrt(t) + 0.01 * s["u"], {"u": u}


OPTIMIZERS: dict[str, tuple[sb.Optimizer, Step]] = {
    "sgd": (sb.SGD(0.07), sgd),
    "momentum": (sb.Momentum(0.07, mu=0.8), momentum),
    "momentum, velocity": (sb.Momentum(0.07, 0.8, form="velocity"), momentum_velocity),
    "nesterov": (sb.Nesterov(0.07, 0.8), nesterov),
    "nesterov, velocity": (sb.Nesterov(0.07, 0.8, form="velocity"), nesterov_velocity),
    "adagrad": (sb.Adagrad(0.07, eps=1e-6), adagrad),
    "rmsprop": (sb.RMSProp(0.07, rho=0.9, eps=1e-6), rmsprop),
    "adam": (sb.Adam(0.07, beta1=0.8, beta2=0.95, eps=1e-6), adam),
    "a user's": (TwoLines(0.07, rho=0.4), two_lines),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_one_step(name: str, target: str) -> None:
    """From random theta, gradient and state, as the 7th step. sum(theta*g) is an objective with the gradient g."""
    optimizer, step = OPTIMIZERS[name]
    size = 9
    net = sb.Network([sb.Input(size), sb.Dense(1, bias=False)], loss=lambda p, t: p * t, reduction="sum")
    model = sb.compile(net, target=target, optimizer=optimizer, dtype="float64")
    manifest, rng = model.manifest, np.random.default_rng(5)
    g, theta = rng.normal(size=size), rng.normal(size=size)
    state = {name: rng.random(size) for name in manifest.states}
    run = _run(model, g[None], np.ones((1, 1)))
    run.step = 6
    views(manifest, run.params)["W1"][...] = theta
    for place, slot in enumerate(manifest.states):
        views(manifest, run.state[place])["W1"][...] = state[slot]
    assert model._module.train(run, 1) == 1
    expected, new_state = step(theta, g, state, 7)
    np.testing.assert_allclose(views(manifest, run.params)["W1"][0], expected, rtol=1e-12, atol=1e-14)
    assert set(manifest.states) == set(new_state)
    for place, slot in enumerate(manifest.states):
        np.testing.assert_allclose(views(manifest, run.state[place])["W1"][0], new_state[slot], rtol=1e-12, atol=1e-14)


def _run(model: Any, X: Array, y: Array) -> Run:
    """All rows in one batch."""
    manifest = model.manifest
    return Run(
        params=aligned((manifest.block,), "float64"),
        state=aligned((len(manifest.states), manifest.block), "float64"),
        hypers=np.array([model.hypers[name] for name, _ in manifest.hypers]),
        data=(X, y),
        rows=len(X),
        batch=len(X),
        seed=0,
        shuffle=False,
        drop_last=False,
        order=np.arange(len(X)),
        order_epoch=-1,
        losses=np.zeros(8),
    )


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_twenty_steps_of_a_network(name: str, target: str) -> None:
    """Emitted training against JAX's gradients and the hand-written step, from the same start."""
    optimizer, step = OPTIMIZERS[name]
    parameters, X, y = NETWORK_DATA
    model = sb.compile(networks.declare(NETWORK), target=target, optimizer=optimizer, dtype="float64")
    model.parameters = parameters
    history = model.fit(X, y, epochs=20, batch_size=len(X), shuffle=False, verbose=False)
    theta, losses = dict(parameters), []
    state = {p: {s: np.zeros_like(v) for s in model.manifest.states} for p, v in theta.items()}
    for t in range(1, 21):
        value, gradients = _value_and_gradients(theta)
        losses.append(value)
        for p, gradient in gradients.items():
            theta[p], state[p] = step(theta[p], gradient, state[p], t)
    np.testing.assert_allclose(history.loss, losses, rtol=1e-10)
    assert losses[-1] < losses[0]
    for p, expected in theta.items():
        np.testing.assert_allclose(model.parameters[p], expected, rtol=1e-9, atol=1e-10, err_msg=p)


NETWORK = ref.Network(
    (3,), (ref.Layer(5, "tanh"), ref.Layer(2, "identity")), "mse", "mean", (ref.Penalty("l2", 0.01, half=True),)
)


def _data() -> tuple[dict[str, Array], Array, Array]:
    rng = np.random.default_rng(6)
    return networks.parameters(NETWORK, rng), *networks.data(NETWORK, 8, rng)


NETWORK_DATA = _data()
_compiled = ref.jax.jit(ref.jax.value_and_grad(lambda p: ref.objective(NETWORK, p, *NETWORK_DATA[1:])[0]))


def _value_and_gradients(theta: dict[str, Array]) -> tuple[float, dict[str, Array]]:
    value, gradients = _compiled(theta)
    return float(value), {name: np.asarray(g) for name, g in gradients.items()}


def test_nesterov_is_the_lectures_look_ahead() -> None:
    """v = mu v - eta dL/dw(w + mu v), w + v, with w and v kept apart: what is stored is w + mu v."""
    parameters, X, y = NETWORK_DATA
    optimizer = sb.Nesterov(0.07, 0.8, form="velocity")
    model = sb.compile(networks.declare(NETWORK), target="numpy", optimizer=optimizer, dtype="float64")
    model.parameters = parameters
    model.fit(X, y, epochs=10, batch_size=len(X), shuffle=False, verbose=False)
    w, v = dict(parameters), {p: np.zeros_like(a) for p, a in parameters.items()}
    for _ in range(10):
        ahead = _value_and_gradients({p: w[p] + 0.8 * v[p] for p in w})[1]
        v = {p: 0.8 * v[p] - 0.07 * ahead[p] for p in w}
        w = {p: w[p] + v[p] for p in w}
    for p in w:
        np.testing.assert_allclose(model.parameters[p], w[p] + 0.8 * v[p], rtol=1e-10, atol=1e-12)


def test_a_hyper_parameter_changes_without_compiling(target: str) -> None:
    net = sb.Network([sb.Input(2), sb.Dense(1, bias=False)], loss=lambda p, t: p * t, reduction="sum")
    model = sb.compile(net, target=target, optimizer=sb.SGD(0.1), dtype="float64")
    model.parameters["W1"] = np.zeros((1, 2))
    model.hypers["eta"] = 0.5
    model.fit(np.array([[1.0, 2.0]]), np.ones((1, 1)), epochs=1, batch_size=1, verbose=False)
    assert model.parameters["W1"].tolist() == [[-0.5, -1.0]]


@pytest.mark.parametrize("kind", [sb.SGD, sb.Momentum, sb.Nesterov, sb.Adagrad, sb.RMSProp, sb.Adam])
def test_defaults_are_written_once(kind: type[sb.Optimizer]) -> None:
    """PyTorch's defaults, but for the learning rate where it has none of its own."""
    expected = {
        sb.SGD: {"eta": 0.01},
        sb.Momentum: {"eta": 0.01, "mu": 0.9},
        sb.Nesterov: {"eta": 0.01, "mu": 0.9},
        sb.Adagrad: {"eta": 0.01, "eps": 1e-10},
        sb.RMSProp: {"eta": 0.01, "rho": 0.99, "eps": 1e-8},
        sb.Adam: {"eta": 1e-3, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8},
    }
    assert kind().hypers == expected[kind]
