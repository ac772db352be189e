"""Replace the forward formula of a block, any block: the emitted gradient must follow it.

A backward formula written by hand, wherever it stood, would stay as it was and miss the slope of the new objective.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import symbackprop as sb
from symbackprop.declare import activations, losses, optimizers
from symbackprop.declare.layers import dense
from symbackprop.derive import differentiate
from tests.calculus import networks
from tests.calculus import reference_jax as ref
from tests.calculus.compare import (
    DIFFERENCE_TOLERANCE,
    REFERENCE_TOLERANCE,
    assert_match_differences,
    difference_errors,
    relative_errors,
)
from tests.calculus.programs import fresh_model, objective_of
from tests.meta.repo import imports, modules, tree

Array = np.ndarray[Any, Any]
Arrays = dict[str, Array]
ROWS = 5


def layers_for(activation: str) -> list[Any]:
    return [sb.Input(3), sb.Dense(4, activation), sb.Dense(2)]


def gradients(net: sb.Network, X: Array, y: Array, target: str = "numpy") -> tuple[float, Arrays]:
    """The emitted objective and gradients, which must be the slope of that objective."""
    model = fresh_model(net, target)
    rng = np.random.default_rng(0)
    start = {name: rng.normal(size=value.shape) for name, value in model.parameters.items()}
    model.parameters.update(start)
    got = model.gradients(X, y)
    value = float(model.evaluate(X, y)["loss"])
    assert_match_differences(objective_of(model, X, y), start, got, f"{target}: {net}")
    return value, got


def assert_follows(declare: Callable[[], sb.Network], mutate: Callable[[], None], y: Array) -> None:
    """Before and after the mutation the gradient is the objective's slope, and they are not the same one."""
    X = np.random.default_rng(1).normal(size=(ROWS, 3))
    value, before = gradients(declare(), X, y)
    mutate()
    mutated, after = gradients(declare(), X, y)
    assert abs(mutated - value) > 1e-3 * abs(value), "the mutation did not reach the objective"
    assert max(relative_errors(after, before).values()) > 1e-2, "the gradient stayed as it was"


def targets_of(loss: str, width: int) -> Array:
    net = ref.Network((3,), (ref.Layer(width, "identity"),), loss, "mean")
    return networks.data(net, ROWS, np.random.default_rng(2))[1]


@pytest.mark.parametrize("name", activations.ACTIVATIONS)
def test_the_gradient_follows_an_activation(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    original = activations.ACTIVATIONS[name]
    if name == "identity":  # Dense does not write it out, so it is mutated where it stands by itself
        net = lambda: sb.Network([sb.Input(3), sb.Dense(2), sb.Activation("identity")], loss="mse")  # noqa: E731
    else:
        net = lambda: sb.Network(layers_for(name), loss="mse")  # noqa: E731
    mutate = lambda: monkeypatch.setitem(  # noqa: E731
        activations.ACTIVATIONS, name, lambda z: 1.7 * original(z) + z**2 / 3
    )
    monkeypatch.setattr(activations, "TRAITS", {})
    assert_follows(net, mutate, targets_of("mse", 2))


@pytest.mark.parametrize("traits", [True, False])
def test_the_gradient_follows_softmax(traits: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    original = activations.ROW_ACTIVATIONS["softmax"]

    def normalized(z: Any, j: Any) -> Any:
        return original(lambda i: 1.7 * z(i) + z(i) ** 2 / 3, j)

    def not_normalized(z: Any, j: Any) -> Any:
        return 1.7 * original(z, j) ** 2 + z(j) / 3

    if not traits:
        monkeypatch.setattr(activations, "TRAITS", {})
    mutated = normalized if traits else not_normalized
    mutate = lambda: monkeypatch.setitem(activations.ROW_ACTIVATIONS, "softmax", mutated)  # noqa: E731
    assert_follows(lambda: sb.Network(layers_for("softmax"), loss="mse"), mutate, targets_of("mse", 2))


def test_the_gradient_follows_the_softmax_inside_a_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the derivation ends in (p - y)/N, and only as long as the formulas lead there."""
    original = activations.ROW_ACTIVATIONS["softmax"]
    net = lambda: sb.Network([sb.Input(3), sb.Dense(2)], loss="softmax_cross_entropy")  # noqa: E731
    mutated = lambda z, j: original(lambda i: 1.7 * z(i) + z(i) ** 2 / 3, j)  # noqa: E731
    mutate = lambda: monkeypatch.setitem(activations.ROW_ACTIVATIONS, "softmax", mutated)  # noqa: E731
    assert_follows(net, mutate, targets_of("softmax_cross_entropy", 2))


def test_the_gradient_follows_the_sigmoid_inside_a_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    original = activations.ACTIVATIONS["sigmoid"]
    net = lambda: sb.Network([sb.Input(3), sb.Dense(2)], loss="sigmoid_cross_entropy")  # noqa: E731
    mutated = lambda z: original(1.7 * z + z**2 / 3)  # noqa: E731
    mutate = lambda: monkeypatch.setitem(activations.ACTIVATIONS, "sigmoid", mutated)  # noqa: E731
    assert_follows(net, mutate, targets_of("sigmoid_cross_entropy", 2))


@pytest.mark.parametrize("name", networks.NAMED_LOSSES)  # all of them: tests/table/test_follow.py
def test_the_gradient_follows_a_loss(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    original = losses.LOSSES[name]
    last = networks.PROBABILITIES.get(name, (None,))[0]
    net = lambda: sb.Network([sb.Input(3), sb.Dense(4, "tanh"), sb.Dense(2, last)], loss=name)  # noqa: E731
    mutated = replace(original, entry=lambda p, t: 1.7 * original.entry(p, t) + p**2 * (t + 1) / 3)
    assert_follows(net, lambda: monkeypatch.setitem(losses.LOSSES, name, mutated), targets_of(name, 2))


@pytest.mark.parametrize("regularizer", [sb.L1(0.3), sb.L1(0.3, over_n=True), sb.L2(0.3), sb.L2(0.3, half=False)])
def test_the_gradient_follows_a_regularizer(regularizer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    kind = type(regularizer)
    original = kind.entry
    net = lambda: sb.Network(layers_for("tanh"), loss="mse", regularizers=[regularizer])  # noqa: E731
    mutate = lambda: monkeypatch.setattr(  # noqa: E731
        kind, "entry", lambda self, w: 1.7 * original(self, w) + w**4 / 3
    )
    assert_follows(net, mutate, targets_of("mse", 2))


def test_the_gradient_follows_dense(monkeypatch: pytest.MonkeyPatch) -> None:
    original = dense.Dense.build

    def build(self: Any, x: Any, names: Any) -> Any:
        block = original(self, x, names)
        linear = block.equations[0]
        mutated = replace(linear, rhs=1.7 * linear.rhs + linear.rhs**2 / 3)
        return replace(block, equations=(mutated, *block.equations[1:]))

    net = lambda: sb.Network(layers_for("tanh"), loss="mse")  # noqa: E731
    assert_follows(net, lambda: monkeypatch.setattr(dense.Dense, "build", build), targets_of("mse", 2))


def test_c_follows_all_mutations_at_once(monkeypatch: pytest.MonkeyPatch, target: str) -> None:
    for name, original in list(activations.ACTIVATIONS.items()):
        mutated = lambda z, original=original: 1.3 * original(z) + z / (1 + z**2)  # noqa: E731
        monkeypatch.setitem(activations.ACTIVATIONS, name, mutated)
    monkeypatch.setattr(activations, "TRAITS", {})
    monkeypatch.setattr(sb.L1, "entry", lambda self, w: w**4)
    monkeypatch.setitem(
        losses.LOSSES, "mse", replace(losses.LOSSES["mse"], entry=lambda p, t: sb.log(1 + (p - t) ** 4))
    )
    layers = [sb.Input(3), *(sb.Dense(3, name) for name in activations.ACTIVATIONS), sb.Activation("identity")]
    net = sb.Network(layers, loss="mse", regularizers=[sb.L1(0.1)])
    rng = np.random.default_rng(3)
    gradients(net, rng.normal(size=(ROWS, 3)), rng.normal(size=(ROWS, 3)), target)


def one_step(optimizer: sb.Optimizer, theta: Array, g: Array) -> Array:
    """theta after one emitted step along a given gradient: sum(theta*g) has the gradient g."""
    net = sb.Network([sb.Input(len(g)), sb.Dense(1, bias=False)], loss=lambda p, t: p * t, reduction="sum")
    model = fresh_model(net, optimizer=optimizer)
    model.parameters["W1"] = theta[None]
    model.fit(g[None], np.ones((1, 1)), epochs=1, batch_size=1, verbose=False)
    return np.asarray(model.parameters["W1"])[0]


@pytest.mark.parametrize("name", optimizers.OPTIMIZERS)
def test_the_step_follows_an_optimizer(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    kind = optimizers.OPTIMIZERS[name]
    original = kind.update

    def update(self: Any, theta: Any, g: Any) -> Any:
        rules = original(self, theta, g)
        return {**rules, theta: theta + 1.7 * (rules[theta] - theta) - g**3 / 3}

    theta, g = np.array([0.3, -1.2, 2.0]), np.array([0.5, -0.7, 1.1])
    before = one_step(kind(), theta, g)
    monkeypatch.setattr(kind, "update", update)
    np.testing.assert_allclose(one_step(kind(), theta, g), theta + 1.7 * (before - theta) - g**3 / 3, rtol=1e-12)


WRONG = 1.0005


def test_a_slightly_wrong_gradient_is_rejected() -> None:
    """By both checks, for every parameter, whichever of them is wrong."""
    net = ref.Network((3,), (ref.Layer(4, "tanh"), ref.Layer(2, "softplus")), "mse", "mean")
    rng = np.random.default_rng(4)
    parameters = networks.parameters(net, rng)
    X, y = networks.data(net, ROWS, rng)
    model = fresh_model(networks.declare(net))
    model.parameters.update(parameters)
    right = model.gradients(X, y)
    reference = ref.network_gradients(net, parameters, X, y)[1]
    objective = objective_of(model, X, y)
    for name in right:
        wrong = {**right, name: right[name] * WRONG}
        assert relative_errors(wrong, reference)[name] > REFERENCE_TOLERANCE
        assert difference_errors(objective, parameters, wrong)[name] > DIFFERENCE_TOLERANCE
    assert max(relative_errors(right, reference).values()) <= REFERENCE_TOLERANCE
    assert max(difference_errors(objective, parameters, right).values()) <= DIFFERENCE_TOLERANCE


def test_one_wrong_entry_is_rejected() -> None:
    """Not only a wrong factor of a whole tensor."""
    reference = {"W": np.array([[1.0, 2.0], [3.0, 4.0]]), "b": np.array([1e-9, 5.0])}
    wrong = {**reference, "W": reference["W"] + np.array([[0, 0], [0, 1e-8]])}
    assert max(relative_errors(wrong, reference).values()) > REFERENCE_TOLERANCE
    transposed = {**reference, "W": reference["W"].T}
    assert max(relative_errors(transposed, reference).values()) > REFERENCE_TOLERANCE


def test_a_wrong_derivative_rule_is_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    """An error of 0.05 % in the one place where derivatives are taken fails the mutation tests' own check."""
    right = differentiate.scalar_diff
    monkeypatch.setattr(differentiate, "scalar_diff", lambda *args: WRONG * right(*args))
    with pytest.raises(AssertionError, match="misses the slope"):
        gradients(sb.Network(layers_for("tanh"), loss="mse"), np.ones((ROWS, 3)), targets_of("mse", 2))


BLOCKS = [
    m
    for m in modules()
    if m.startswith(("declare/layers/", "declare/act", "declare/los", "declare/reg", "declare/opt"))
]
LANGUAGE = ("symbackprop.declare", "symbackprop.language", "symbackprop.errors", "symbackprop.records")
SYMPY = {"Expr", "Integer", "Symbol", "srepr"}
"""What block modules may take from SymPy: to recognize a user's expression and to name it, not to calculate."""


@pytest.mark.parametrize("module", BLOCKS)
def test_blocks_use_only_the_declaration_language(module: str) -> None:
    for name, line in imports(module):
        package, _, last = name.rpartition(".")
        place = f"{module}:{line} imports {name}"
        if name.startswith("symbackprop"):
            assert name.startswith(LANGUAGE), place
        elif name.startswith("sympy"):
            assert package == "sympy" and last in SYMPY, place
        else:
            assert name.split(".")[0] in {
                "__future__",
                "collections",
                "copy",
                "dataclasses",
                "math",
                "numbers",
                "operator",
                "types",
                "typing",
            }, place


@pytest.mark.parametrize("module", BLOCKS)
def test_blocks_take_no_derivative(module: str) -> None:
    called = {
        getattr(n.func, "attr", getattr(n.func, "id", "")) for n in ast.walk(tree(module)) if isinstance(n, ast.Call)
    }
    assert not called & {"diff", "fdiff", "_eval_derivative", "Derivative", "differentiate", "partials", "gradients"}
    names = {n.name for n in ast.walk(tree(module)) if isinstance(n, ast.FunctionDef | ast.ClassDef)}
    assert not [n for n in names if "backward" in n.lower() or "deriv" in n.lower()]


def test_all_block_modules_are_seen() -> None:
    seen = {m.split("/")[1] for m in BLOCKS}
    assert seen >= {"layers", "activations.py", "losses", "optimizers.py", "regularizers.py"}
