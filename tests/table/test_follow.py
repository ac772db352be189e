"""Replace the formula inside any loss or regularizer: the emitted gradient must stay the slope of the objective.

A backward formula written by hand, wherever it stood, would stay as it was.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("jax", reason="the table's rows hold formulas in jax.numpy; it is an extra, `dev`")

from symbackprop.declare.losses import as_loss
from symbackprop.declare.regularizers import ElasticNet, Orthogonal, Penalty, Regularizer
from tests.calculus.compare import assert_match_differences
from tests.calculus.programs import fresh_model, objective_of
from tests.table.rows_losses import CASES, WIDTH, Case, data
from tests.table.systems import network


def gradients(net: Any, known: dict[str, Any]) -> tuple[float, dict[str, Any]]:
    """Objective and gradients at one point, which are the slopes there."""
    model = fresh_model(net)
    rng = np.random.default_rng(3)
    start = {name: rng.normal(size=value.shape) for name, value in model.parameters.items()}
    model.parameters = start
    X, y = known["x"], known.get("y")
    got = model.gradients(X, y)
    value = float(model.evaluate(X, y)["loss"])
    assert_match_differences(objective_of(model, X, y), start, got, str(net))
    return value, got


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.block}({case.variant})")
def test_the_gradient_follows_a_loss(case: Case) -> None:
    known = data(case, np.random.default_rng(2))
    known["y"] = known.get("y")
    loss = as_loss(case.loss, None)

    def mutated(*args: Any, **options: Any) -> Any:
        right = loss.entry(*args, **options)
        return 1.7 * right + right**2 / 3

    before = gradients(network(loss, None, WIDTH, case.activation), known)
    after = gradients(network(replace(loss, entry=mutated), None, WIDTH, case.activation), known)
    assert abs(after[0] - before[0]) > 1e-3 * abs(before[0]), "the mutation did not reach the objective"
    assert any(np.abs(after[1][n] - g).max() > 1e-3 * np.abs(g).max() for n, g in before[1].items() if g.any())


@pytest.mark.parametrize(
    "regularizer", [ElasticNet(0.3, 0.2), Orthogonal(0.3), Penalty(lambda w: w**4)], ids=lambda r: type(r).__name__
)
def test_the_gradient_follows_a_regularizer(regularizer: Regularizer, monkeypatch: pytest.MonkeyPatch) -> None:
    kind = type(regularizer)
    right = kind.formulas
    known = data(CASES[0], np.random.default_rng(2))
    net = lambda: network("mse", None, WIDTH, "tanh", penalties=[(regularizer, "W1")])  # noqa: E731
    before = gradients(net(), known)

    def mutated(self: Any, theta: Any, tag: str) -> Any:
        equations, formulas = right(self, theta, tag)
        return equations, tuple(1.7 * f + f**2 / 3 for f in formulas)

    monkeypatch.setattr(kind, "formulas", mutated)
    after = gradients(net(), known)
    assert after[0] > 1.01 * before[0], "the mutation did not reach the objective"
    assert np.abs(after[1]["W1"] - before[1]["W1"]).max() > 1e-3
