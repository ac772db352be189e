"""Training and inference are two modes: batch statistics against running ones, dropout against none.

The reference is a forward pass in JAX, written here, which JAX differentiates; masks come from `streams`.
"""

from __future__ import annotations

import copy
import pickle
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import symbackprop as sb
from symbackprop import streams
from symbackprop.derive.adjoint import differentiate
from symbackprop.errors import DataError, DeclarationError, LoweringError, ModelFileError, NonFiniteError
from symbackprop.language.nodes import Size
from symbackprop.lower import lower
from symbackprop.simplify import simplify
from symbackprop.simplify.reuse import reuse_outputs
from symbackprop.train import Model, checkpoint

Array = np.ndarray[Any, Any]

ROWS, BATCH, IN, HIDDEN, OUT = 21, 8, 4, 5, 2
EACH = 3
"""Steps of an epoch; the last batch has 5 rows."""
MOMENTUM, EPS, DROP, RATE = 0.2, 1e-3, 0.3, 0.05


@pytest.fixture(autouse=True)
def float64_in_jax() -> Iterator[None]:
    before = jax.config.read("jax_enable_x64")
    jax.config.update("jax_enable_x64", True)
    yield
    jax.config.update("jax_enable_x64", before)


def normalized(x: sb.Tensor) -> sb.Block:
    """Batch normalization in equations."""
    n, j = sb.indices("n j")
    width = x.dims[1:]
    mean = sb.state("mean", width, init=sb.init.constant(0))
    spread = sb.state("spread", width, init=sb.init.constant(1))
    mu, var = sb.tensor("mu", width), sb.tensor("var", width)
    c, h = sb.tensor("c", x.dims), sb.tensor("h", x.dims)
    rows = Size(x.dims[0])
    return sb.layer(
        h,
        sb.equation(mu[j], sb.Sum(x[n, j], n) / rows),
        sb.equation(c[n, j], x[n, j] - mu[j]),
        sb.equation(var[j], sb.Sum(c[n, j] ** 2, n) / rows),
        sb.equation(h[n, j], c[n, j] / sb.sqrt(var[j] + EPS)),
        inference=(sb.equation(mu[j], mean[j]), sb.equation(var[j], spread[j])),
        updates=(
            sb.equation(mean[j], (1 - MOMENTUM) * mean[j] + MOMENTUM * mu[j]),
            sb.equation(spread[j], (1 - MOMENTUM) * spread[j] + MOMENTUM * var[j] * rows / (rows - 1)),
        ),
        least_rows=2,
    )


def dropped(x: sb.Tensor) -> sb.Block:
    """Dropout in equations."""
    n, j = sb.indices("n j")
    u, d = sb.random("u", x.dims), sb.tensor("d", x.dims)
    training = sb.equation(d[n, j], x[n, j] * sb.where(u[n, j] >= DROP, 1, 0) / (1 - DROP))
    return sb.layer(d, training, inference=(sb.equation(d[n, j], x[n, j]),))


def network() -> sb.Network:
    layers = [sb.Input(IN), sb.Dense(HIDDEN), normalized, sb.Activation("tanh"), dropped, sb.Dense(OUT)]
    return sb.Network(layers, loss="mse", weight_decay=0.01)


def model(target: str, dtype: str = "float64", seed: int = 3, optimizer: Any = None) -> Model:
    return sb.compile(network(), target, optimizer or sb.SGD(RATE), dtype=dtype, seed=seed)


def data() -> tuple[Array, Array]:
    draw = np.random.default_rng(1)
    X = draw.normal(size=(ROWS, IN))
    return X, np.sin(X @ draw.normal(size=(IN, OUT)))


def mask(seed: int, step: int, rows: int) -> Array:
    return streams.tensor(seed, step, "u", (rows, HIDDEN)) >= DROP


def forward(theta: Any, x: Any, y: Any, kept: Any, statistics: Any = None) -> Any:
    """The objective, with the batch's (mean, variance), or in inference with the ones given; the output."""
    first, bias, last, end = theta
    z = x @ first.T + bias
    mu, var = (z.mean(0), z.var(0)) if statistics is None else statistics
    a = jnp.tanh((z - mu) / jnp.sqrt(var + EPS))
    p = (a if kept is None else a * kept / (1 - DROP)) @ last.T + end
    return ((p - y) ** 2).mean() + 0.005 * ((first**2).sum() + (last**2).sum()), (mu, var, p)


def weights(m: Model) -> list[Array]:
    return list(m.parameters.values())


def by_hand(m: Model, X: Array, y: Array, epochs: int) -> tuple[list[float], list[Any], Array, Array]:
    """SGD in JAX from a model's parameters: the losses, the parameters and the running statistics at the end."""
    theta = [jnp.asarray(w) for w in weights(m)]
    mean, spread, losses = np.zeros(HIDDEN), np.ones(HIDDEN), []
    step = jax.jit(jax.value_and_grad(forward, has_aux=True))
    for epoch in range(epochs):
        order = streams.permutation(m.seed, epoch, len(X))
        for first in range(0, len(X), BATCH):
            rows = order[first : first + BATCH]
            (loss, (mu, var, _)), g = step(theta, X[rows], y[rows], mask(m.seed, len(losses), len(rows)))
            theta = [t - RATE * d for t, d in zip(theta, g, strict=True)]
            mean = (1 - MOMENTUM) * mean + MOMENTUM * mu
            spread = (1 - MOMENTUM) * spread + MOMENTUM * var * len(rows) / (len(rows) - 1)
            losses.append(float(loss))
    return losses, theta, mean, spread


def test_losses_before_their_sum_are_those_of_prediction(target: str) -> None:
    net = sb.Network([sb.Input(3), sb.Dense(4), sb.layers.Dropout(0.5)], loss="mse", reduction="none")
    model = sb.compile(net, target=target, dtype="float64")
    X, y = np.random.default_rng(0).normal(size=(5, 3)), np.ones((5, 4))
    losses = model.losses(X, y)
    np.testing.assert_allclose(losses, (model.predict(X) - y) ** 2, rtol=1e-12)
    assert model.evaluate(X, y)["loss"] == pytest.approx(losses.sum())
    with pytest.raises(sb.SymbackpropError, match="reduction"):
        sb.compile(sb.Network([sb.Input(3), sb.Dense(4)], loss="mse"), target=target).losses(X, y)


def test_training_and_inference_by_hand(target: str) -> None:
    """51 steps, then what the network predicts and measures with the running statistics and without dropout."""
    X, y = data()
    m = model(target)
    names = list(m.parameters)
    assert names == ["W1", "b1", "W3", "b3"]
    assert {n: v.tolist() for n, v in m.states.items()} == {"mean": [0.0] * HIDDEN, "spread": [1.0] * HIDDEN}
    losses, theta, mean, spread = by_hand(m, X, y, 17)
    history = m.fit(X, y, epochs=17, batch_size=BATCH, verbose=False)
    epochs = np.reshape(losses, (17, EACH)) @ np.array([8, 8, 5]) / ROWS
    np.testing.assert_allclose(history.loss, epochs, rtol=1e-10)
    for name, wanted in zip(names, theta, strict=True):
        np.testing.assert_allclose(m.parameters[name], wanted, rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(m.states["mean"], mean, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(m.states["spread"], spread, rtol=1e-10)
    loss, (_, _, output) = forward(theta, X, y, None, (mean, spread))
    np.testing.assert_allclose(m.predict(X), output, rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(m.predict(X[:1]), output[:1], rtol=1e-9, atol=1e-11)
    assert m.evaluate(X, y)["loss"] == pytest.approx(float(loss), rel=1e-10)


def test_gradients_are_the_next_steps(target: str) -> None:
    X, y = data()
    m = model(target)
    m.fit(X, y, epochs=1, batch_size=BATCH, verbose=False)
    states = {name: v.copy() for name, v in m.states.items()}
    wanted = jax.grad(lambda *a: forward(*a)[0])(weights(m), X, y, mask(m.seed, m.step, ROWS))
    made = m.gradients(X, y)
    assert list(made) == list(m.parameters)
    for g, w in zip(made.values(), wanted, strict=True):
        np.testing.assert_allclose(g, w, rtol=1e-10, atol=1e-10 * float(max(np.abs(v).max() for v in wanted)))
    assert all((m.states[name] == v).all() for name, v in states.items())
    with pytest.raises(DataError, match="at least 2 samples"):
        m.gradients(X[:1], y[:1])


def test_targets_draw_the_same_numbers() -> None:
    """A gradient tells which entries were dropped; both targets drop the same ones, in both precisions."""
    net = sb.Network([sb.Input(HIDDEN), dropped, sb.Dense(1)], loss="mse", reduction="sum")
    X = np.ones((6, HIDDEN)) * 2.0 ** np.arange(6)[:, None]
    seen = set()
    for draw in ((0, 0), (0, 1), (7, 0), (2**63 - 1, 2**40)):
        made = []
        for target in ("numpy", "c"):
            for dtype in ("float32", "float64"):
                m = sb.compile(net, target, dtype=dtype)
                m.parameters = {"W1": np.zeros((1, HIDDEN)), "b1": [0.5]}
                out = np.zeros(m.manifest.block, dtype)
                arrays = (X.astype(dtype), np.zeros((6, 1), dtype))
                m._module.gradients(m._blocks.params, m._blocks.hypers, arrays, out, draw=draw)
                made.append(np.round(out[:HIDDEN].astype(float) * (1 - DROP)).astype(int))
        wanted = (2 ** np.arange(6)[:, None] * mask(*draw, 6)).sum(0)
        for bits in made:
            np.testing.assert_array_equal(bits, wanted)
        seen.add(tuple(wanted))
    assert len(seen) == 4


def test_a_mask_keeps_its_share_and_is_drawn_anew() -> None:
    masks = np.array([mask(5, step, 400) for step in range(50)], dtype=float)
    share, count = masks.mean(), masks.size
    assert abs(share - (1 - DROP)) < 4 * np.sqrt(DROP * (1 - DROP) / count)
    centered = (masks - share).reshape(50, -1)
    correlations = (centered[1:] * centered[:-1]).mean() / masks.var()
    assert abs(correlations) < 4 / np.sqrt(count)
    other = streams.tensor(5, 0, "v", (400, HIDDEN)) >= DROP
    assert abs((centered[0] * (other.reshape(-1) - share)).mean() / masks.var()) < 4 / np.sqrt(400 * HIDDEN)


def test_a_saved_model_goes_on_to_the_last_bit(target: str, tmp_path: Path) -> None:
    """File, pickle and deep copy carry running statistics and the place in the random streams."""
    X, y = data()
    whole, half, other = (model(target, "float32", seed, "adam") for seed in (3, 3, 4))
    whole.fit(X, y, epochs=3, batch_size=BATCH, verbose=False)
    whole.fit(X, y, epochs=2, batch_size=BATCH, verbose=False)
    half.fit(X, y, epochs=3, batch_size=BATCH, verbose=False)
    half.save(tmp_path / "half")
    other.load(tmp_path / "half")
    for m in (other, copy.deepcopy(half), pickle.loads(pickle.dumps(half))):
        m.fit(X, y, epochs=2, batch_size=BATCH, verbose=False)
        assert m._blocks.params.tobytes() == whole._blocks.params.tobytes()
        np.testing.assert_array_equal(m.states["mean"], whole.states["mean"])


def test_a_file_of_other_states_is_refused(tmp_path: Path) -> None:
    m = model("numpy")
    m.save(tmp_path / "m")
    plain = sb.Network([sb.Input(IN), sb.Dense(HIDDEN, "tanh"), sb.Dense(OUT)], loss="mse", weight_decay=0.01)
    other = sb.compile(plain, "numpy", sb.SGD(RATE), dtype="float64")
    with pytest.raises(ModelFileError, match=r"state mean: file \(5,\), model none"):
        other.load(tmp_path / "m")
    saved = checkpoint.read(tmp_path / "m")
    assert {name: a.tolist() for name, a in saved.fixed.items()} == {n: a.tolist() for n, a in m.states.items()}


def test_a_step_that_is_not_finite_is_undone_with_its_states(target: str) -> None:
    X, y = data()
    m = model(target)
    m.fit(X, y, epochs=2, batch_size=BATCH, verbose=False)
    before, step = m._blocks.params.tobytes(), m.step
    with pytest.raises(NonFiniteError) as told:
        m.fit(X, np.where(np.arange(ROWS)[:, None] == 20, 1e300, y), epochs=1, batch_size=ROWS, verbose=False)
    assert told.value.step == step + 1
    assert m._blocks.params.tobytes() == before


def test_a_state_that_is_not_finite_is_named(target: str) -> None:
    """A running statistic overflows while the loss stays finite."""

    def counted(x: sb.Tensor) -> sb.Block:
        n, j = sb.indices("n j")
        total, h = sb.state("total", (), init=sb.init.constant(1e300)), sb.tensor("h", x.dims)
        return sb.layer(h, sb.equation(h[n, j], 2 * x[n, j]), updates=(sb.equation(total[()], total[()] * 1e10),))

    m = sb.compile(sb.Network([sb.Input(IN), counted, sb.Dense(OUT)], loss="mse"), target, dtype="float64")
    with pytest.raises(NonFiniteError, match="next_total"):
        m.fit(*data(), batch_size=ROWS, verbose=False)
    assert m.states["total"] == 1e300


def test_states_get_their_new_values_all_at_once(target: str) -> None:
    def swapped(x: sb.Tensor) -> sb.Block:
        n, j = sb.indices("n j")
        one, two = (sb.state(name, (IN,), init=sb.init.constant(v)) for name, v in (("one", 1), ("two", 2)))
        h = sb.tensor("h", x.dims)
        updates = (sb.equation(one[j], two[j]), sb.equation(two[j], one[j]))
        return sb.layer(h, sb.equation(h[n, j], x[n, j] * (two[j] - one[j])), updates=updates)

    m = sb.compile(sb.Network([sb.Input(IN), swapped, sb.Dense(OUT)], loss="mse"), target)
    m.fit(*data(), batch_size=7, verbose=False)
    assert m.step == 3
    assert {name: v.tolist() for name, v in m.states.items()} == {"one": [2] * IN, "two": [1] * IN}


def test_sample_weights(target: str) -> None:
    """Weights scale the samples' losses; without them all are 1; a weight of 0 takes a sample's influence."""
    X, y = data()
    layers = [sb.Input(IN), sb.Dense(OUT)]
    net = sb.Network(layers, loss="mse", sample_weights=True)
    m = sb.compile(net, target, sb.SGD(RATE), dtype="float64")
    w = np.linspace(0, 2, ROWS)
    rows = ((X @ m.parameters["W1"].T + m.parameters["b1"] - y) ** 2).sum(1) / (ROWS * OUT)
    assert m.evaluate(X, y)["loss"] == pytest.approx(rows.sum(), rel=1e-12)
    assert m.evaluate(X, y, sample_weight=w.tolist())["loss"] == pytest.approx(w @ rows, rel=1e-12)
    z = X @ m.parameters["W1"].T + m.parameters["b1"]
    slope = 2 * w[:, None] * (z - y) / (ROWS * OUT)
    np.testing.assert_allclose(m.gradients(X, y, sample_weight=w)["b1"], slope.sum(0), rtol=1e-11)
    strange = np.where(w[:, None] == 0, 1e3, y)
    np.testing.assert_array_equal(
        m.gradients(X, y, sample_weight=w)["W1"], m.gradients(X, strange, sample_weight=w)["W1"]
    )
    told = m.fit(X, y, batch_size=BATCH, sample_weight=w, validation_data=(X, y, w), verbose=False)
    assert list(told.val_loss) == [m.evaluate(X, y, sample_weight=w)["loss"]]
    assert m.fit(X, y, batch_size=BATCH, validation_data=(X, y), verbose=False).val_loss
    with pytest.raises(DataError, match=r"sample_weight\[3\] is -1.0; a weight is at least 0"):
        m.fit(X, y, sample_weight=np.where(np.arange(ROWS) == 3, -1, w), verbose=False)
    with pytest.raises(DataError, match="sample_weights=True"):
        model(target).fit(X, y, sample_weight=w, verbose=False)


def test_batches_of_too_few_rows_are_refused_before_the_first_step(target: str) -> None:
    X, y = data()
    m = model(target)
    for batch, told in (
        (1, "batch_size is 1.*pass batch_size=3"),
        (5, "has 1 of the 21 rows.*drop_last=True or batch_size=6"),
    ):
        with pytest.raises(DataError, match=told):
            m.fit(X, y, batch_size=batch, verbose=False)
        assert m.step == 0
    m.fit(X, y, batch_size=5, drop_last=True, verbose=False)
    assert m.step == 4


def test_a_frozen_parameter_stays(target: str) -> None:
    def fixed(x: sb.Tensor) -> sb.Block:
        n, j, k = sb.indices("n j k")
        F = sb.parameter("F", (HIDDEN, x.dims[1]), trainable=False)
        h = sb.tensor("h", (x.dims[0], HIDDEN))
        return sb.layer(h, sb.equation(h[n, j], sb.tanh(sb.Sum(F[j, k] * x[n, k], k))))

    X, y = data()
    net = sb.Network([sb.Input(IN), fixed, sb.Dense(OUT)], loss="mse", weight_decay=0.1)
    m = sb.compile(net, target, "adam", dtype="float64")
    first = m.states["F"].copy()
    assert np.abs(first).max() > 0.1
    m.fit(X, y, epochs=2, batch_size=BATCH, verbose=False)
    np.testing.assert_array_equal(m.states["F"], first)
    assert list(m.gradients(X, y)) == list(m.parameters) == ["W1", "b1"]
    assert "F " in m.summary() and "20 of states" in m.summary()
    np.testing.assert_allclose(
        m.predict(X), np.tanh(X @ first.T) @ m.parameters["W1"].T + m.parameters["b1"], rtol=1e-12
    )
    m.states["F"] = 2 * first
    np.testing.assert_array_equal(m.states["F"], 2 * first)
    for bad, told in (({"F": first.T}, "shape"), ({"F": first, "G": first}, "no state 'G'"), ({}, "lack 'F'")):
        with pytest.raises(DataError, match=told):
            m.states = bad


def test_the_loss_of_inference_is_computed_from_its_own_equations(target: str) -> None:
    """The safe form of log(softmax) is written out in the equation of the mode that runs."""

    def cooled(z: sb.Tensor) -> sb.Block:
        n, j, k = sb.indices("n j k")
        p = sb.Tensor("p", z.dims, traits=frozenset({"unit"}))
        heat = sb.equation(p[n, j], sb.exp(z[n, j]) / sb.Sum(sb.exp(z[n, k]), k))
        cold = sb.equation(p[n, j], sb.exp(z[n, j] / 4) / sb.Sum(sb.exp(z[n, k] / 4), k))
        return sb.layer(p, heat, inference=(cold,))

    m = sb.compile(sb.Network([sb.Input(IN), sb.Dense(3), cooled], loss="cross_entropy"), target, dtype="float64")
    X = data()[0]
    labels = np.arange(ROWS) % 3
    z = (X @ m.parameters["W1"].T + m.parameters["b1"]) / 4
    logs = z - np.log(np.exp(z).sum(1, keepdims=True))
    np.testing.assert_allclose(m.predict(X), np.exp(logs), rtol=1e-12)
    assert m.evaluate(X, labels)["loss"] == pytest.approx(-logs[np.arange(ROWS), labels].mean(), rel=1e-12)


def test_kernels_that_do_the_same_are_shared() -> None:
    """The first product is one kernel in both modes; every kernel has a name of its own."""
    program = lower(network().derive(), sb.SGD(0.1).equations())
    names = [k.name for k in program.kernels]
    assert len(set(names)) == len(names)
    shared = {k.name for k in program.predict} & {k.name for k in program.gradients}
    assert any(name.startswith("z1") for name in shared)
    assert {k.name for k in program.loss} - {k.name for k in program.gradients}


def test_inference_reads_no_random_tensor() -> None:
    system = replace(network().system, inference=None)
    derivation = simplify(differentiate(system, reuse_outputs))
    with pytest.raises(LoweringError, match="random tensor u"):
        lower(derivation, sb.SGD(0.1).equations())


def test_numbers_of_the_equations() -> None:
    """Inference counts on from the gradients; an equation of both modes has one number."""
    made = network().derive()
    before = (*made.forward, made.objective, *made.adjoints, *made.gradients)
    assert [eq.number for eq in before] == list(range(1, len(before) + 1))
    known = {eq.number: eq for eq in made.forward}
    assert made.inference is not None
    own = [eq for eq in made.inference if eq.number not in known]
    assert all(known[eq.number].rhs == eq.rhs for eq in made.inference if eq.number in known)
    assert [eq.lhs.name for eq in own] == ["mu", "var", "d"]
    assert [eq.number for eq in (*own, *made.updates)] == list(range(len(before) + 1, len(before) + 6))


def test_whole_numbers_that_a_float_cannot_hold() -> None:
    system = network().system
    inputs = (replace(system.inputs[0], levels=2**24 + 1),)
    program = lower(simplify(differentiate(system, reuse_outputs)), sb.SGD(0.1).equations())
    from symbackprop.emit.blocks import manifest

    derivation = replace(program.derivation, system=replace(system, inputs=inputs))
    program = replace(program, derivation=derivation)
    assert manifest(program, "float64").inputs[0].role == "index"
    with pytest.raises(DeclarationError, match=r"from 0 to 16777216, but float32 .* compile with dtype='float64'"):
        manifest(program, "float32")
