"""Slopes exactly at kinks, in every target: the values that derive/rules.py gives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("jax", reason="the table's rows hold formulas in jax.numpy; it is an extra, `dev`")

import symbackprop as sb
from symbackprop.declare import losses
from symbackprop.declare.regularizers import L1, ElasticNet
from tests.calculus.programs import fresh_model
from tests.table.rows_activations import KINKS, SMOOTH
from tests.table.systems import INPUTS, network

PLACES = [(name, z, slope) for name, kinks in KINKS.items() for z, slope in kinks.items()]


def test_the_slope_of_every_activation_at_its_kinks(target: str) -> None:
    """One layer with all of them: its units are the kinks, L their sum, so the bias has the slopes for gradient."""

    def layer(t: sb.Tensor) -> sb.Block:
        n = sb.indices("n")
        total: Any = 0
        for place, (name, _, _) in enumerate(PLACES):
            theta = sb.parameter(f"w{place}")
            total = total + sb.activations.ACTIVATIONS[name](theta[()] * t[n, 0])
        out = sb.tensor("out", (t.dim(0),))
        return sb.layer(out, sb.equation(out[n], total))

    model = fresh_model(sb.Network([sb.Input(1), layer], loss=lambda p, t: p * t, reduction="sum"), target)
    model.parameters.update({f"w{place}": np.array(float(z)) for place, (_, z, _) in enumerate(PLACES)})
    got = model.gradients(np.ones((1, 1)), np.ones(1))
    for place, (name, z, slope) in enumerate(PLACES):
        assert got[f"w{place}"] == pytest.approx(slope, rel=1e-15, abs=0), f"{name} at {z}"


def test_every_activation_is_smooth_or_has_its_kinks_here() -> None:
    assert set(KINKS).isdisjoint(SMOOTH)
    assert set(KINKS) | SMOOTH == {*sb.activations.ACTIVATIONS, *sb.activations.ROW_ACTIVATIONS}


def slopes(loss: Any, at: list[float], y: list[float], target: str) -> list[float]:
    """dL/dz of one row, z being the bias of the only output."""
    model = fresh_model(network(loss, "sum", len(at)), target)
    model.parameters = {"W1": np.zeros((len(at), INPUTS)), "b1": np.array(at)}
    return [float(v) for v in model.gradients(np.zeros((1, INPUTS)), np.array([y]))["b1"]]


def test_losses_at_their_kinks(target: str) -> None:
    assert slopes("mae", [-1, 0, 1], [0, 0, 0], target) == [-1, 0, 1]
    assert slopes("hinge", [1, -1, 0.5, -0.5], [1, -1, 1, -1], target) == [0, 0, -1, 1]
    assert slopes("squared_hinge", [1, -1, 0.5, -0.5], [1, -1, 1, -1], target) == [0, 0, -1, 1]
    assert slopes(losses.huber(0.5), [-1, -0.5, 0, 0.5, 1], [0] * 5, target) == [-0.5, -0.5, 0, 0.5, 0.5]
    assert slopes(losses.smooth_l1(0.5), [-1, -0.5, 0, 0.5, 1], [0] * 5, target) == [-1, -1, 0, 1, 1]
    # the second score stands on the margin: it takes no part
    assert slopes("multi_hinge", [1, 0, 0.5, -3], [1, 0, 0, 0], target) == [-0.25, 0, 0.25, 0]


def test_embeddings_at_their_kinks(target: str) -> None:
    """Three equal rows with no margin stand on triplet's kink; a variance of eps on the likelihood's."""
    model = fresh_model(network(losses.triplet(margin=0), "sum", 2), target)
    model.parameters = {f"W{i}": np.ones((2, INPUTS)) for i in (1, 2, 3)} | {f"b{i}": np.zeros(2) for i in (1, 2, 3)}
    assert not any(g.any() for g in model.gradients(np.ones((1, INPUTS))).values())
    model = fresh_model(network(losses.gaussian_nll(0.5), "sum", 1), target)
    zero = np.zeros((1, INPUTS))
    model.parameters = {"W1": zero, "W2": zero, "b1": np.array([1.0]), "b2": np.array([0.5])}
    assert model.gradients(zero, np.zeros((1, 1)))["b2"] == 0


def test_a_row_of_zeros_has_an_angle_of_slope_zero(target: str) -> None:
    """A dead embedding: its length counts as eps, and nothing is divided by 0."""
    model = fresh_model(network("cosine", "sum", 2), target)
    model.parameters = {"W1": np.zeros((2, INPUTS)), "b1": np.zeros(2)}
    got = model.gradients(np.zeros((1, INPUTS)), np.array([[3.0, 4.0]]))["b1"]
    np.testing.assert_allclose(got, [-0.6e8, -0.8e8], rtol=1e-12)


def test_labels_of_zero_and_one(target: str) -> None:
    """0 log 0 is 0: in the divergence of a class's own row."""
    model = fresh_model(network("kl", "sum", 3), target)
    model.parameters = {"W1": np.zeros((3, INPUTS)), "b1": np.log([0.25, 0.25, 0.5])}
    data = np.zeros((1, INPUTS)), np.array([[0.0, 1.0, 0.0]])
    assert model.evaluate(*data)["loss"] == pytest.approx(np.log(4), rel=1e-15)
    assert model.gradients(*data)["b1"].tolist() == [0, -1, 0]


@pytest.mark.parametrize("regularizer", [L1(0.25), ElasticNet(0.25, 0.5)])
def test_absolute_values_at_zero(regularizer: Any, target: str) -> None:
    model = fresh_model(network(lambda p, t: p * t, "sum", 1, penalties=[(regularizer, "W1")]), target)
    model.parameters = {"W1": np.array([[-2.0, 0, 3]]), "b1": np.zeros(1)}
    got = model.gradients(np.zeros((1, INPUTS)), np.zeros((1, 1)))["W1"].tolist()
    assert got == ([[-0.25, 0, 0.25]] if isinstance(regularizer, L1) else [[-1.25, 0, 1.75]])
