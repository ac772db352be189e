"""Emitted updates against the documented formulas, transcribed by hand: single steps, twenty of a whole network, and
optax where its definitions are the same; clipping and parameter groups.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import optax
import pytest

import symbackprop as sb
from symbackprop.declare import optimizers as o
from symbackprop.errors import DeclarationError
from symbackprop.load.numpy import NumpyModule
from symbackprop.train import Model
from symbackprop.train.blocks import views
from tests.calculus import networks
from tests.calculus import reference_jax as ref
from tests.table.rows_optimizers import ROWS, States, StepRow

Array = np.ndarray[Any, Any]


class TwoLines(sb.Optimizer):
    """A user's own: heavy-ball momentum whose step shrinks with the step's number."""

    eta, rho = sb.hyper("eta", 0.1), sb.hyper("rho", 0.5)

    def update(self, theta: Any, g: Any) -> Any:
        u = self.state("u", like=theta)
        return {u: self.rho * u + sb.tanh(g), theta: theta - self.eta * sb.next(u) / sb.sqrt(self.t) + 0.01 * u}


def two_lines(theta: Array, g: Array, s: States, t: int) -> tuple[Array, States]:
    u = 0.4 * s["u"] + np.tanh(g)
    return theta - 0.07 * u / np.sqrt(t) + 0.01 * s["u"], {"u": u}


ALL = {f"{row.block} {row.variant}".strip(): row for row in ROWS} | {
    "a user's": StepRow("a user's", TwoLines(0.07, rho=0.4), two_lines)
}


@pytest.mark.parametrize("name", ALL)
def test_steps_from_given_gradients(name: str, target: str) -> None:
    row = ALL[name]
    measured = row.measure(target)
    assert set(measured.errors) == {"theta", *(s.name for s in row.optimizer.equations().states)}
    assert max(measured.errors.values()) <= row.tolerance, measured


@pytest.mark.parametrize("name", ALL)
def test_twenty_steps_of_a_network(name: str, target: str) -> None:
    """Emitted training against JAX's gradients and the hand-written step, from the same start."""
    row = ALL[name]
    parameters, X, y = NETWORK_DATA
    model = compiled(row.optimizer, target)
    history = model.fit(X, y, epochs=20, batch_size=len(X), shuffle=False, verbose=False)
    theta, losses = dict(parameters), []
    starts = {s: dict(row.starts).get(s, 0.0) for s in model.manifest.states}
    state = {p: {s: np.full_like(v, start) for s, start in starts.items()} for p, v in theta.items()}
    for t in range(1, 21):
        value, gradients = _value_and_gradients(theta)
        losses.append(value)
        for p, gradient in gradients.items():
            theta[p], state[p] = row.step(theta[p], gradient, state[p], t)
    np.testing.assert_allclose(history.loss, losses, rtol=1e-10)
    for p, expected in theta.items():
        np.testing.assert_allclose(model.parameters[p], expected, rtol=1e-9, atol=1e-10, err_msg=p)
    assert np.isfinite(model._blocks.params).all() and np.isfinite(model._blocks.state).all(), "the gaps too"


def compiled(optimizer: Any, target: str, dtype: str = "float64") -> Model:
    """The network below with its parameters of reference."""
    model = sb.compile(networks.declare(NETWORK), target=target, optimizer=optimizer, dtype=dtype)
    model.parameters = NETWORK_DATA[0]
    return model


OPTAX: dict[str, tuple[sb.Optimizer, optax.GradientTransformation]] = {
    "sgd": (sb.SGD(0.05), optax.sgd(0.05)),
    "momentum": (sb.Momentum(0.05, 0.8), optax.sgd(0.05, 0.8)),
    "nesterov": (sb.Nesterov(0.05, 0.8), optax.sgd(0.05, 0.8, nesterov=True)),
    "rmsprop": (sb.RMSProp(0.01, 0.9, 1e-6), optax.rmsprop(0.01, 0.9, 1e-6, eps_in_sqrt=False)),
    "centered rmsprop": (
        sb.RMSProp(0.01, 0.9, 1e-4, form="centered"),
        optax.rmsprop(0.01, 0.9, 1e-4, centered=True, eps_in_sqrt=False),
    ),
    "adadelta": (sb.optimizers.Adadelta(0.7, 0.9, 1e-5), optax.adadelta(0.7, 0.9, 1e-5)),
    "adam": (sb.Adam(0.03), optax.adam(0.03)),
    "adamw": (sb.optimizers.AdamW(0.03, decay=0.1), optax.adamw(0.03, weight_decay=0.1)),
    "lion": (sb.optimizers.Lion(0.01, 0.9, 0.98, decay=0.1), optax.lion(0.01, 0.9, 0.98, weight_decay=0.1)),
    "clipped by value": (sb.SGD(0.5, clip_value=0.03), optax.chain(optax.clip(0.03), optax.sgd(0.5))),
    "bias group": (
        sb.Adam(0.03, groups={"b*": {"eta": 0.3}}),
        optax.partition({"W": optax.adam(0.03), "b": optax.adam(0.3)}, {"W1": "W", "b1": "b", "W2": "W", "b2": "b"}),
    ),
}


@pytest.mark.parametrize("name", OPTAX)
def test_twenty_steps_with_optax(name: str, target: str) -> None:
    optimizer, reference = OPTAX[name]
    parameters, X, y = NETWORK_DATA
    model = compiled(optimizer, target)
    model.fit(X, y, epochs=20, batch_size=len(X), shuffle=False, verbose=False)
    theta: Any = {p: ref.jax.numpy.asarray(v) for p, v in parameters.items()}
    state = reference.init(theta)
    for _ in range(20):
        updates, state = reference.update(_compiled(theta)[1], state, theta)
        theta = optax.apply_updates(theta, updates)
    for p, expected in theta.items():
        np.testing.assert_allclose(model.parameters[p], expected, rtol=1e-9, atol=1e-10, err_msg=p)


class Normalized(sb.Optimizer):
    """A user's own: steps of one length, whatever the gradient's."""

    eta = sb.hyper("eta", 0.1)

    def update(self, theta: Any, g: Any) -> Any:
        return {theta: theta - self.eta * g / self.gradient_norm}


CLIPPED: dict[str, tuple[sb.Optimizer, Any]] = {
    "norm": (sb.SGD(0.1, clip_norm=0.2), lambda g, norm: 0.1 * g * min(1, 0.2 / (norm + 1e-6))),
    "a norm that is never met": (sb.SGD(0.1, clip_norm=1e6), lambda g, norm: 0.1 * g),
    "value": (sb.SGD(0.1, clip_value=0.03), lambda g, norm: 0.1 * np.clip(g, -0.03, 0.03)),
    "norm, then value": (
        sb.SGD(0.1, clip_value=0.03, clip_norm=0.2),
        lambda g, norm: 0.1 * np.clip(g * (0.2 / (norm + 1e-6)), -0.03, 0.03),
    ),
    "a group's own bound": (
        sb.SGD(0.1, clip_value=0.03, groups={"*": {"clip_value": 0.01}}),
        lambda g, norm: 0.1 * np.clip(g, -0.01, 0.01),
    ),
    "a user's": (Normalized(0.1), lambda g, norm: 0.1 * g / norm),
    "a user's, clipped": (
        Normalized(0.1, clip_norm=0.2),
        lambda g, norm: 0.1 * g * (0.2 / (norm + 1e-6)) / norm,
    ),
}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", CLIPPED)
def test_clipping(name: str, target: str, dtype: str) -> None:
    optimizer, change = CLIPPED[name]
    parameters, X, y = NETWORK_DATA
    model = compiled(optimizer, target, dtype)
    model.fit(X, y, batch_size=len(X), verbose=False)
    _, gradients = _value_and_gradients(parameters)
    norm = float(np.sqrt(sum((g**2).sum() for g in gradients.values())))
    assert norm > 0.3 and max(np.abs(g).max() for g in gradients.values()) > 0.05, "nothing to clip"
    for p, g in gradients.items():
        expected = parameters[p] - change(g, norm)
        np.testing.assert_allclose(model.parameters[p], expected, rtol=1e-12 if dtype == "float64" else 2e-6)


def test_a_huge_gradient_has_a_norm(target: str) -> None:
    """Squares of 1e30 overflow float32; they are summed in double precision."""
    net = sb.Network([sb.Input(2), sb.Dense(1, bias=False)], loss=lambda p, t: p * t, reduction="sum")
    model = sb.compile(net, target=target, optimizer=sb.SGD(1.0, clip_norm=1.0))
    model.parameters["W1"] = np.zeros((1, 2))
    model.fit(np.array([[3e30, 4e30]]), np.ones((1, 1)), batch_size=1, verbose=False)
    np.testing.assert_allclose(model.parameters["W1"], [[-0.6, -0.8]], rtol=1e-6)


def test_groups_share_what_they_do_not_set(target: str) -> None:
    optimizer = sb.optimizers.AdamW(0.05, decay=0.2, groups={"b*": {"decay": 0.0, "eta": 0.1}, "W2": {"beta1": 0.5}})
    parameters, X, y = NETWORK_DATA
    model = compiled(optimizer, target)
    assert list(model.hypers)[-3:] == ["b*.eta", "b*.decay", "W2.beta1"]
    model.hypers.update({"beta1": 0.8, "b*.eta": 0.2})
    model.fit(X, y, epochs=4, batch_size=len(X), shuffle=False, verbose=False)
    theta = dict(parameters)
    moments = {p: (np.zeros_like(v), np.zeros_like(v)) for p, v in theta.items()}
    for t in range(1, 5):
        for p, g in _value_and_gradients(theta)[1].items():
            eta, decay, beta1 = (0.2, 0.0, 0.8) if p[0] == "b" else (0.05, 0.2, 0.5 if p == "W2" else 0.8)
            m, v = beta1 * moments[p][0] + (1 - beta1) * g, 0.999 * moments[p][1] + 0.001 * g * g
            moments[p] = m, v
            step = m / (1 - beta1**t) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
            theta[p] = theta[p] * (1 - eta * decay) - eta * step
    for p, expected in theta.items():
        np.testing.assert_allclose(model.parameters[p], expected, rtol=1e-10, err_msg=p)


def test_a_state_may_start_at_its_groups_hyper_parameter(target: str) -> None:
    model = compiled(sb.optimizers.Rprop(0.02, groups={"b*": {"eta": 0.03}}), target)
    starts = {p: v.flat[0] for p, v in views(model.manifest, model._blocks.state[1]).items()}
    assert starts == {"W1": 0.02, "b1": 0.03, "W2": 0.02, "b2": 0.03}
    parameters, X, y = NETWORK_DATA
    model.fit(X, y, batch_size=len(X), verbose=False)
    np.testing.assert_allclose(np.abs(model.parameters["b1"] - parameters["b1"]), 0.03, rtol=1e-12)
    np.testing.assert_allclose(np.abs(model.parameters["W2"] - parameters["W2"]), 0.02, rtol=1e-12)


WRONG_OPTIONS: dict[str, tuple[Any, tuple[str, ...]]] = {
    "unmatched": (lambda: sb.SGD(groups={"c*": {"eta": 1.0}}), ("'c*'", "no parameter", "W1, b1")),
    "overlap": (lambda: sb.SGD(groups={"b*": {"eta": 1.0}, "?1": {"eta": 2.0}}), ("b1", "'b*' and '?1'")),
    "unknown hyper": (lambda: sb.SGD(groups={"b*": {"etta": 1.0}}), ("'b*'", "'etta'", "'eta'")),
    "no dict": (lambda: sb.SGD(groups={"b*": 0.1}), ("'b*': 0.1",)),
    "no dicts": (lambda: sb.SGD(groups=["b*"]), ("groups is a dict", "['b*']")),
    "not a number": (lambda: sb.SGD(groups={"b*": {"eta": np.nan}}), ("eta of group 'b*'", "finite", "nan")),
    "clip at 0": (lambda: sb.SGD(clip_norm=0.0), ("clip_norm", "> 0", "0.0")),
    "clip text": (lambda: sb.SGD(clip_value="1"), ("clip_value", "finite number", "'1'")),
    "eta infinite": (lambda: sb.SGD(np.inf), ("eta", "finite")),
    "near": (lambda: sb.SGD(clipnorm=1.0), ("'clipnorm'", "'clip_norm'")),
    "taken": (lambda: sb.hyper("clip_norm", 1.0), ("clip_norm", "taken")),
    "like a hyper": (lambda: _own(lambda self, theta, g: {theta: self.let("eta", g)}), ("eta", "hyper-parameter")),
    "let in a circle": (lambda: _own(_circle), ("need each other",)),
    "outside": (lambda: sb.SGD().gradient_norm, ("inside update",)),
}


def _own(update: Any) -> sb.Optimizer:
    kind: type[sb.Optimizer] = type("Mine", (sb.Optimizer,), {"eta": sb.hyper("eta", 0.1), "update": update})
    return kind()


def _circle(self: Any, theta: Any, g: Any) -> Any:
    v = self.state("v", like=theta)
    d = self.let("d", sb.next(v))
    return {v: d, theta: theta - d}


@pytest.mark.parametrize("case", WRONG_OPTIONS)
def test_wrong_options(case: str) -> None:
    make, words = WRONG_OPTIONS[case]
    with pytest.raises(DeclarationError) as caught:
        sb.compile(networks.declare(NETWORK), target="numpy", optimizer=make())
    assert all(word in str(caught.value) for word in words), caught.value


def test_a_negative_rate_is_refused_but_in_ones_own_optimizer() -> None:
    with pytest.raises(DeclarationError, match=r"SGD: eta must be a finite number >= 0; got -0\.1"):
        sb.SGD(-0.1)
    kind: type[sb.Optimizer] = type("Ascent", (sb.SGD,), {"eta": sb.hyper("eta", -0.1)})
    assert kind().hypers == {"eta": -0.1}


def test_equations_of_clipping_are_printed() -> None:
    derivation = sb.Network([sb.Input(2), sb.Dense(1)], "mse").derive(sb.Momentum(clip_norm=1.0, clip_value=0.5))
    text = derivation.text()
    assert "g_clip" in text and "min(" in text and "norm" in text
    assert "clip" in derivation.latex()


def test_keys_tell_what_changes_the_code() -> None:
    made = [
        sb.SGD(0.1), sb.SGD(0.1, clip_norm=1.0), sb.SGD(0.1, clip_value=1.0), sb.SGD(groups={"b*": {"eta": 1}}),
        sb.SGD(groups={"W*": {"eta": 1}}), sb.Adam(), sb.Adam(form="amsgrad"), sb.Adam(groups={"b*": {"eta": 1}}),
        sb.Adam(groups={"b*": {"beta1": 0.5}}),
    ]  # fmt: skip
    assert len({m.key for m in made}) == len(made)
    assert sb.SGD(0.1, clip_norm=1.0).key == sb.SGD(sb.schedules.inverse(0.3), clip_norm=2.0).key


def test_the_numpy_module_of_groups_is_complete() -> None:
    """Its text alone says which entries have which scalars."""
    source = networks.declare(NETWORK).emit("numpy", sb.SGD(0.1, groups={"b*": {"eta": 0.3}}), "float64")
    module = NumpyModule(source)
    ranges = module._code.GROUPS
    assert [places for _, _, places in ranges] == [(1,), (2,), (1,), (2,)]
    assert [first for first, _, _ in ranges] == [slot.offset for slot in source.manifest.parameters]
    assert [name for name, _ in source.manifest.hypers] == ["lam", "eta", "b*.eta"]


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


DEFAULTS: dict[type[sb.Optimizer], dict[str, float]] = {
    sb.SGD: {"eta": 0.01},
    sb.Momentum: {"eta": 0.01, "mu": 0.9},
    sb.Nesterov: {"eta": 0.01, "mu": 0.9},
    sb.Adagrad: {"eta": 0.01, "eps": 1e-10},
    sb.optimizers.Adadelta: {"eta": 1.0, "rho": 0.9, "eps": 1e-6},
    sb.RMSProp: {"eta": 0.01, "rho": 0.99, "eps": 1e-8},
    sb.Adam: {"eta": 1e-3, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8},
    sb.optimizers.AdamW: {"eta": 1e-3, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "decay": 0.01},
    sb.optimizers.NAdam: {"eta": 2e-3, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "psi": 4e-3},
    sb.optimizers.Lion: {"eta": 1e-4, "beta1": 0.9, "beta2": 0.99, "decay": 0.0},
    sb.optimizers.Rprop: {"eta": 0.01, "down": 0.5, "up": 1.2, "least": 1e-6, "most": 50.0},
}


@pytest.mark.parametrize("kind", DEFAULTS)
def test_defaults_are_written_once(kind: type[sb.Optimizer]) -> None:
    """PyTorch's defaults, but for the learning rate where it has none of its own; Lion's are its paper's."""
    assert kind().hypers == DEFAULTS[kind]


def test_every_optimizer_has_its_defaults_checked() -> None:
    assert set(DEFAULTS) == set(o.OPTIMIZERS.values())
