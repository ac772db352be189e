"""Networks as graphs: what they compute and their gradients against JAX, their systems, their names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

pytest.importorskip("jax", reason="the reference is JAX's; it is an extra, `dev`")
import jax
import jax.numpy as jnp

import symbackprop as sb
from tests.interpreter import run

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_platforms", "cpu")

Array = Any
ROWS = 5
n, j, k = sb.indices("n j k")


@dataclass(frozen=True)
class Case:
    """A network; its objective in jax.numpy from parameters (and states) by name, inputs and targets."""

    net: sb.Network
    loss: Callable[[dict[str, Array], tuple[Array, ...], tuple[Array, ...]], Array]
    inputs: tuple[tuple[int, ...], ...] = ((4,),)
    targets: tuple[int, ...] = (3,)
    labels: bool = False


def dense(P: dict[str, Array], number: int, x: Array) -> Array:
    return x @ P[f"W{number}"].T + P[f"b{number}"]


def mse(z: Array, y: Array) -> Array:
    return jnp.mean((z - y) ** 2)


def cross_entropy(z: Array, y: Array) -> Array:
    return -jnp.mean(jnp.sum(y * jax.nn.log_softmax(z), -1))


def residual() -> Case:
    x = sb.Input(4)
    h = x
    for _ in range(3):
        h = h + sb.Dense(4)(sb.Dense(6, "tanh")(h))
    net = sb.Network(inputs=x, outputs=sb.Dense(3)(h), loss="softmax_cross_entropy", weight_decay=0.1)

    def loss(P: dict[str, Array], X: tuple[Array, ...], Y: tuple[Array, ...]) -> Array:
        h = X[0]
        for b in (1, 4, 7):
            h = h + dense(P, b + 1, jnp.tanh(dense(P, b, h)))
        decay = sum(jnp.sum(v**2) for name, v in P.items() if name[0] == "W")
        return cross_entropy(dense(P, 10, h), Y[0]) + 0.05 * decay

    return Case(net, loss, labels=True)


def siamese() -> Case:
    a, b = sb.Input(4, "a"), sb.Input(4, "b")
    encode = sb.Dense(3, "tanh")
    d = encode(a) - encode(b)
    net = sb.Network(inputs=(a, b), outputs=sb.Dense(2)(d * d), loss="mse")

    def loss(P: dict[str, Array], X: tuple[Array, ...], Y: tuple[Array, ...]) -> Array:
        e = [jnp.tanh(dense(P, 1, x)) for x in X]
        return mse(dense(P, 5, (e[0] - e[1]) ** 2), Y[0])

    return Case(net, loss, ((4,), (4,)), (2,))


def triplet() -> Case:
    names = ("anchor", "near", "far")
    encode = sb.Dense(3, "tanh")
    given = tuple(sb.Input(4, name) for name in names)
    net = sb.Network(inputs=given, outputs=tuple(map(encode, given)), loss="triplet")

    def loss(P: dict[str, Array], X: tuple[Array, ...], Y: tuple[Array, ...]) -> Array:
        e = [jnp.tanh(dense(P, 1, x)) for x in X]
        near, far = (jnp.sqrt(jnp.sum((e[0] - o + 1e-6) ** 2, -1)) for o in e[1:])
        return jnp.mean(jnp.maximum(0, 1 + near - far))

    return Case(net, loss, ((4,),) * 3, ())


def concatenated() -> Case:
    a, b = sb.Input((2, 3), "a"), sb.Input((4, 3), "b")
    joined = sb.layers.Concatenate(axis=1)(a, b, sb.Dense(3, "tanh")(a))
    out = sb.Dense(2)(sb.layers.Concatenate()(joined, joined))
    net = sb.Network(inputs=(a, b), outputs=sb.apply(rows, out), loss="mse")

    def loss(P: dict[str, Array], X: tuple[Array, ...], Y: tuple[Array, ...]) -> Array:
        c = jnp.concatenate([X[0], X[1], jnp.tanh(dense(P, 1, X[0]))], 1)
        z = dense(P, 4, jnp.concatenate([c, c], -1))
        return mse(z.sum(1), Y[0])

    return Case(net, loss, ((2, 3), (4, 3)), (2,))


def rows(z: sb.Tensor) -> sb.Block:
    """The sum over axis 1."""
    s = sb.tensor("total", (z.dim(0), z.dim(2)))
    return sb.layer(s, sb.equation(s[n, j], sb.Sum(z[n, k, j], k)))


def tied() -> Case:
    x = sb.Input(4)
    encode = sb.Dense(3, "sigmoid", weight_regularizer=sb.L2(0.3))
    net = sb.Network(inputs=x, outputs=sb.layers.Tied(encode, "sigmoid")(encode(x)), loss="mse")

    def loss(P: dict[str, Array], X: tuple[Array, ...], Y: tuple[Array, ...]) -> Array:
        h = jax.nn.sigmoid(dense(P, 1, X[0]))
        return mse(jax.nn.sigmoid(h @ P["W1"] + P["b2"]), Y[0]) + 0.15 * jnp.sum(P["W1"] ** 2)

    return Case(net, loss, targets=(4,))


def two_tasks() -> Case:
    x = sb.Input(4)
    trunk = sb.Dense(5, "tanh")(x)
    net = sb.Network(
        inputs=x,
        outputs={"kind": sb.Dense(3)(trunk), "box": sb.Dense(2)(trunk)},
        loss={"kind": "softmax_cross_entropy", "box": "mse"},
        loss_weights={"kind": 1.0, "box": 0.3},
    )

    def loss(P: dict[str, Array], X: tuple[Array, ...], Y: tuple[Array, ...]) -> Array:
        t = jnp.tanh(dense(P, 1, X[0]))
        return cross_entropy(dense(P, 2, t), Y[0]) + 0.3 * mse(dense(P, 3, t), Y[1])

    return Case(net, loss, targets=(3, 2), labels=True)


def frozen() -> Case:
    x = sb.Input(4)
    first = sb.Dense(5, "tanh", trainable=False)
    net = sb.Network([x, first, sb.Dense(3, "tanh"), sb.Dense(3)], loss="mse", frozen=("b*", "W3"), weight_decay=0.1)

    def loss(P: dict[str, Array], X: tuple[Array, ...], Y: tuple[Array, ...]) -> Array:
        h = jnp.tanh(dense(P, 2, jnp.tanh(dense(P, 1, X[0]))))
        return mse(dense(P, 3, h), Y[0]) + 0.05 * jnp.sum(P["W2"] ** 2)

    return Case(net, loss)


def stopped() -> Case:
    x = sb.Input(4)
    h = sb.Dense(4, "tanh")(x)
    net = sb.Network(inputs=x, outputs=sb.Dense(3)(sb.layers.StopGradient()(h) * h), loss="mse")

    def loss(P: dict[str, Array], X: tuple[Array, ...], Y: tuple[Array, ...]) -> Array:
        h = jnp.tanh(dense(P, 1, X[0]))
        return mse(dense(P, 4, jax.lax.stop_gradient(h) * h), Y[0])

    return Case(net, loss)


def predicted_only() -> Case:
    """An output without a loss, made of one that has a loss."""
    x = sb.Input(4)
    z = sb.Dense(3)(x)
    p = sb.Activation("softmax")(z, name="chance")
    net = sb.Network(inputs=x, outputs=(z, p), loss=("softmax_cross_entropy", None))
    return Case(net, lambda P, X, Y: cross_entropy(dense(P, 1, X[0]), Y[0]), labels=True)


def plain_equations() -> Case:
    """Given in the wrong order."""
    x = sb.input_tensor("x", 4)
    W, scale = sb.parameter("W", (3, 4)), sb.parameter("scale", (3,), decay=False)
    z, a = sb.tensor("z", (x.dim(0), 3)), sb.tensor("a", (x.dim(0), 3))
    equations = [
        sb.equation(a[n, j], scale[j] * sb.tanh(z[n, j])),
        sb.equation(z[n, j], sb.Sum(W[j, k] * x[n, k], k)),
    ]
    net = sb.Network(inputs=x, outputs=a, equations=equations, loss="mse", weight_decay=0.1)

    def loss(P: dict[str, Array], X: tuple[Array, ...], Y: tuple[Array, ...]) -> Array:
        return mse(P["scale"] * jnp.tanh(X[0] @ P["W"].T), Y[0]) + 0.05 * jnp.sum(P["W"] ** 2)

    return Case(net, loss)


CASES: tuple[Callable[[], Case], ...] = (
    *(residual, siamese, triplet, concatenated, tied, two_tasks),
    *(frozen, stopped, predicted_only, plain_equations),
)


@pytest.mark.parametrize("make", CASES, ids=lambda make: make.__name__)
def test_losses_and_gradients_are_those_of_jax(make: Callable[[], Case], target: str) -> None:
    case, rng = make(), np.random.default_rng(1)
    X = tuple(rng.normal(size=(ROWS, *shape)) for shape in case.inputs)
    Y = tuple(rng.normal(size=(ROWS, size)) for size in case.targets)
    if case.labels:
        Y = (np.eye(case.targets[0])[rng.integers(0, case.targets[0], ROWS)], *Y[1:])
    model = sb.compile(case.net, target, dtype="float64")
    parameters = {name: np.array(value) for name, value in model.parameters.items()}
    states = {t.name: np.array(model.states[t.name]) for t in case.net.system.states}
    loss, expected = jax.value_and_grad(lambda P: case.loss(P | states, X, Y))(parameters)
    given = (X[0] if len(X) == 1 else X, None if not Y else Y[0] if len(Y) == 1 else Y)
    np.testing.assert_allclose(model.evaluate(*given)["loss"], loss, rtol=1e-12)
    got = model.gradients(*given)
    assert set(got) == set(expected)
    for name, value in expected.items():
        np.testing.assert_allclose(got[name], value, rtol=1e-10, atol=1e-12 * float(jnp.abs(value).max()), err_msg=name)
    before = {name: np.array(value) for name, value in states.items()}
    model.fit(*given, epochs=2, batch_size=ROWS, verbose=False)
    for name, value in before.items():
        np.testing.assert_array_equal(model.states[name], value)
    assert any(not np.array_equal(model.parameters[name], value) for name, value in parameters.items())


def test_a_list_is_sugar_for_the_graph() -> None:
    x = sb.Input(4)
    one = sb.Network([x, sb.Dense(5, "relu"), sb.Dense(3)], loss="mse")
    two = sb.Network(inputs=x, outputs=sb.Dense(3)(sb.Dense(5, "relu")(x)), loss="mse")
    assert one.key == two.key
    assert one.emit("c").text == two.emit("c").text


def test_names_of_outputs_targets_and_weights() -> None:
    net = two_tasks().net
    system = net.system
    assert [t.name for t in system.outputs] == ["kind", "box"]
    assert [t.name for t in system.targets] == ["y_kind", "y_box"]
    assert net.strengths == {"loss_weight_kind": 1.0, "loss_weight_box": 0.3}
    assert [h.name for h in system.hypers] == list(net.strengths)
    model = sb.compile(net, "numpy", dtype="float64")
    X = np.zeros((2, 4))
    made = model.predict(X)
    assert {name: value.shape for name, value in made.items()} == {"kind": (2, 3), "box": (2, 2)}
    data = {"y_kind": np.array([0, 2]), "y_box": np.ones((2, 2))}
    whole = model.evaluate(X, data)["loss"]
    model.hypers["loss_weight_box"] = 0.0
    assert model.evaluate(X, data)["loss"] < whole
    unnamed = sb.Network(inputs=(x := sb.Input(2)), outputs=(sb.Dense(1)(x), sb.Dense(2)(x)), loss=("mse", "mae"))
    assert [t.name for t in unnamed.system.targets] == ["y_z1", "y_z2"]


def test_the_metric_is_of_the_first_output_and_target() -> None:
    x = sb.Input(4)
    a, b = sb.Dense(3)(x), sb.Dense(2)(x)
    ce, bce = "softmax_cross_entropy", "sigmoid_cross_entropy"
    metrics = {
        losses: sb.Network(inputs=x, outputs=(a, b), loss=losses).system.metric
        for losses in [(ce, "mse"), ("mse", ce), (ce, bce)]
    }
    assert metrics == {(ce, "mse"): "argmax", ("mse", ce): None, (ce, bce): None}
    only = sb.Network(inputs=x, outputs=(a, sb.Activation("relu")(a)), loss=(ce, None))
    assert only.system.metric == "argmax"


def test_a_named_node_names_its_tensor() -> None:
    x = sb.Input(4)
    h = sb.Dense(5, "relu")(x, name="hidden")
    system = sb.Network(inputs=x, outputs=sb.Dense(3)(h), loss="mse").system
    assert [eq.lhs.name for eq in system.forward] == ["z1", "hidden", "z2"]
    assert "hidden" in str(system.forward[2].rhs)


def test_the_modes() -> None:
    layers = [sb.Dense(5, "relu"), sb.layers.BatchNorm1d(), sb.layers.Dropout(0.2), sb.Dense(3)]
    net = sb.Network([sb.Input(4), *layers], loss="softmax_cross_entropy")
    system = net.system
    assert [t.name for t in system.randoms] == ["u3"]
    assert [t.name for t in system.states] == ["running_mean2", "running_var2"]
    assert [eq.lhs.name for eq in system.updates] == ["running_mean2", "running_var2"]
    assert system.least_rows == 2
    assert net.strengths == {"drop3": 0.2} == {h.name: h.value for h in system.hypers}
    assert system.inference is not None
    forward, inference = ({eq.lhs.name: eq for eq in mode} for mode in (system.forward, system.inference))
    assert set(inference) == set(forward)
    different = {name for name in forward if forward[name] is not inference[name]}
    assert different == {"mu2", "var2", "h3"}
    assert sb.Network([sb.Input(4), sb.Dense(3)], loss="mse").system.inference is None


def masked(x: sb.Tensor) -> sb.Block:
    """Dropout whose mask is an equation of its own, which inference does not need."""
    u, m, h = sb.random("u", x.dims), sb.tensor("m", x.dims), sb.tensor("h", x.dims)
    p = sb.hyper_tensor("p_drop", 0.25)
    return sb.layer(
        h,
        sb.equation(m[n, j], sb.where(u[n, j] >= p, 1, 0)),
        sb.equation(h[n, j], m[n, j] * x[n, j]),
        inference=[sb.equation(h[n, j], (1 - p) * x[n, j])],
    )


def test_inference_drops_what_it_does_not_need() -> None:
    net = sb.Network([sb.Input(4), masked, sb.Dense(2)], loss="mse")
    assert net.system.inference is not None
    assert [eq.lhs.name for eq in net.system.inference] == ["h", "z1"]
    assert net.strengths == {"p_drop": 0.25}


def test_a_batch_norm_used_twice_updates_its_statistics_twice() -> None:
    a, b, norm = sb.Input(3, "a"), sb.Input(3, "b"), sb.layers.BatchNorm1d(momentum=0.25)
    system = sb.Network(inputs=(a, b), outputs=norm(a) + norm(b), loss="mse").system
    assert [eq.lhs.name for eq in system.updates] == ["running_mean1", "running_var1"]
    rng = np.random.default_rng(0)
    X = {t: rng.normal(size=(ROWS, 3)) for t in system.inputs}
    states = {t: rng.random(3) for t in system.states}
    others = {t: np.ones(3) for t in system.parameters}
    known = run(system.forward[:-1], X | states | others, ROWS)
    known = run(system.updates, known, ROWS)
    for t, statistic in zip(system.states, (np.mean, lambda v, axis: np.var(v, axis=axis, ddof=1)), strict=True):
        value = states[t]
        for x in X.values():
            value = 0.75 * value + 0.25 * statistic(x, axis=0)
        np.testing.assert_allclose(known[t], value, rtol=1e-12)


def test_sample_weights_are_the_last_target() -> None:
    net = sb.Network([sb.Input(4), sb.Dense(3)], loss="mse", sample_weights=True)
    assert [t.name for t in net.system.targets] == ["y", "w"]
    assert "sample_weight" in net.system.targets[1].traits


def test_a_hundred_blocks_are_no_recursion() -> None:
    x = sb.Input(2)
    h: Any = x
    for _ in range(3000):
        h = sb.Activation("tanh")(h)
    net = sb.Network(inputs=x, outputs=sb.Dense(1)(h), loss="mse")
    assert len(net.layers) == 3002 and len(net.key) > 3000 and len(repr(h)) < 200


def test_repr() -> None:
    x = sb.Input(4)
    h = sb.Dense(4, "relu")(x)
    assert repr(sb.Network([x, sb.Dense(3)], loss="mse")) == "Network([Input(shape=4), Dense(width=3)], loss='mse')"
    text = repr(sb.Network(inputs=x, outputs={"sum": h + x}, loss="mse", weight_decay=0.1, frozen="b*"))
    assert "h1 = Dense(width=4, activation='relu')(x)" in text
    assert "sum = Add()(h1, x)" in text and "outputs: sum" in text and "loss='mse'" in text and "frozen=('b*',)" in text
    assert repr(h) == "Dense(width=4, activation='relu')(x)"
