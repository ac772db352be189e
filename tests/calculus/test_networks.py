"""Gradients and objectives of random multilayer networks, NumPy and C, against JAX."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, given, settings

import symbackprop as sb
from symbackprop.load.compiler import find_compiler
from tests.calculus import networks
from tests.calculus import reference_jax as ref
from tests.calculus.compare import REFERENCE_TOLERANCE, assert_equal_gradients

LOSSES = networks.NAMED_LOSSES + networks.USER_LOSSES
TARGETS = ("numpy", "c")
WITHOUT_SHRINKING = (Phase.explicit, Phase.reuse, Phase.generate)
"""A failure prints its whole case; shrinking would compile hundreds of networks."""
Array = np.ndarray[Any, Any]
Case = tuple[ref.Network, int, int]


def reference(case: Case) -> tuple[dict[str, Array], tuple[Array, Array], float, dict[str, Array]]:
    """Parameters and data away from all kinks, JAX's objective and gradients."""
    net, rows, seed = case
    for attempt in range(20):
        rng = np.random.default_rng([seed, attempt])
        parameters = networks.parameters(net, rng)
        data = networks.data(net, rows, rng)
        value, gradients, margin = ref.network_gradients(net, parameters, *data)
        if margin > networks.KINK_DISTANCE:
            return parameters, data, value, gradients
    raise AssertionError(f"every draw meets a kink: {case}")


def check(case: Case, targets: tuple[str, ...] = TARGETS) -> None:
    """Every target's gradients and objective are JAX's."""
    net, rows, seed = case
    parameters, (X, y), value, gradients = reference(case)
    declared = networks.declare(net)
    for target in targets:
        if target == "c" and find_compiler() is None:
            continue
        model = sb.compile(declared, target=target, dtype="float64")
        model.parameters = parameters
        assert_equal_gradients(model.gradients(X, y), gradients, f"{target}, {rows} rows, seed {seed}\n{net}")
        loss = model.evaluate(X, y)["loss"]
        assert abs(loss - value) <= REFERENCE_TOLERANCE * max(abs(value), 1), f"{target}: {loss}, JAX: {value}\n{net}"


@pytest.mark.slow
@settings(max_examples=25, derandomize=True, database=None, phases=WITHOUT_SHRINKING)
@given(networks.cases())
def test_random_networks(case: Case) -> None:
    check(case)


@pytest.mark.full
@settings(max_examples=200, phases=WITHOUT_SHRINKING)
@given(networks.cases())
def test_two_hundred_random_networks(case: Case) -> None:
    check(case)


@pytest.mark.parametrize("activation", ref.ACTIVATIONS)
def test_every_activation(activation: str) -> None:
    """By itself, in every form in which it can be declared, so that no draw of networks can miss one."""
    for form in networks.forms(activation):
        net = ref.Network((3,), (ref.Layer(4, activation, form=form), ref.Layer(2, "identity")), "mse", "mean")
        check((net, 5, 1), ("numpy",))


@pytest.mark.parametrize("reduction", ["mean", "batch_mean", "sum"])
@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_and_reduction(loss: str, reduction: str) -> None:
    last = networks.PROBABILITIES.get(loss, ("identity",))[0]
    net = ref.Network((2, 3), (ref.Layer(4, last),), loss, reduction)
    check((net, 5, 2), ("numpy",))


@pytest.mark.parametrize("over_n", [False, True])
@pytest.mark.parametrize("biases", [False, True])
@pytest.mark.parametrize(("kind", "half"), [("l1", False), ("l2", False), ("l2", True)])
def test_every_regularizer(kind: str, half: bool, biases: bool, over_n: bool) -> None:
    penalty = ref.Penalty(kind, 0.3, half, over_n, biases)
    net = ref.Network((3,), (ref.Layer(4, "tanh"), ref.Layer(2, "identity")), "mse", "mean", (penalty,))
    check((net, 5, 3), ("numpy",))


def test_weight_decay_is_half_l2_of_the_weights() -> None:
    layers = [sb.Input(3), sb.Dense(2)]
    declared = sb.Network(layers, loss="mse", weight_decay=0.3)
    assert declared.regularizers == (sb.L2(0.3, half=True, over_n=False, biases=False),)


def test_integer_labels_are_rows_with_a_one(target: str) -> None:
    net = sb.Network([sb.Input(4), sb.Dense(3)], loss="softmax_cross_entropy")
    model = sb.compile(net, target=target, dtype="float64")
    X, labels = np.random.default_rng(7).normal(size=(5, 4)), np.array([0, 2, 1, 1, 0])
    by_label, by_row = model.gradients(X, labels), model.gradients(X, np.eye(3)[labels])
    assert all((by_label[name] == by_row[name]).all() for name in by_row)


def test_the_reference_knows_nothing_of_the_library() -> None:
    parsed = ast.parse(Path(ref.__file__).read_text(encoding="utf-8"))
    named = [n.module for n in ast.walk(parsed) if isinstance(n, ast.ImportFrom)]
    named += [alias.name for n in ast.walk(parsed) if isinstance(n, ast.Import) for alias in n.names]
    assert {str(name).split(".")[0] for name in named} <= {
        "__future__",
        "collections",
        "dataclasses",
        "typing",
        "jax",
        "numpy",
    }
