from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from module_double import blobs, double, make

import symbackprop as sb
from symbackprop import losses
from symbackprop.errors import DataError
from symbackprop.train import Model, objective
from symbackprop.train.evaluate import BATCH


def small(monkeypatch: pytest.MonkeyPatch, rows: int) -> None:
    """Let a call of the doubles hold about `rows` rows."""
    monkeypatch.setattr(objective, "SMALL", 8)
    monkeypatch.setattr(objective, "_row_bytes", lambda *_: 1)
    monkeypatch.setattr(objective, "MEMORY", rows)


def values(model: Model, monkeypatch: pytest.MonkeyPatch, rows: int = 333) -> tuple[float, float]:
    """The objective in one call, and in parts."""
    X, y = blobs(rows, double(model).kind)
    whole = model.evaluate(X, y)["loss"]
    double(model).calls.clear()
    with monkeypatch.context() as patch:
        small(patch, 40)
        parts = model.evaluate(X, y)["loss"]
    assert max(count for what, count in double(model).calls if what == "loss") <= 40
    return whole, parts


@pytest.mark.parametrize(("kind", "dtype"), [("softmax", "float64"), ("linear", "float32"), ("linear", "float64")])
@pytest.mark.parametrize("options", [{}, {"reduction": "sum"}, {"over_n": True}])
@pytest.mark.parametrize("lam", [0.0, 1e-3, 50.0])
def test_parts_give_the_whole(
    kind: str, dtype: str, options: dict[str, Any], lam: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The penalty is counted once, whatever the reduction."""
    model = make(kind, dtype, hypers={"lam": lam}, **options)
    whole, parts = values(model, monkeypatch)
    np.testing.assert_allclose(parts, whole, rtol=1e-11 if dtype == "float64" else 1e-5)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_equal_rows(reduction: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """All rows have one loss at the start of a training from zeros."""
    model = make(reduction=reduction)
    model.parameters = {"W": np.zeros((3, 4)), "b": np.zeros(3)}
    whole, parts = values(model, monkeypatch)
    np.testing.assert_allclose(parts, whole, rtol=1e-12)


def test_rows_that_act_on_each_other_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match=r"333 rows need more than .* neither a sum nor a mean"):
        values(make(reduction="coupled"), monkeypatch)


def test_not_finite_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    model = make("linear")
    X, y = blobs(100, "linear")
    X[90] = 1e200
    small(monkeypatch, 40)
    assert model.evaluate(X, y)["loss"] == np.inf


def test_rows_are_counted_by_their_tensors() -> None:
    model = make()
    X, y = blobs(9)
    data = (X, np.eye(3)[y])
    got = objective._row_bytes(double(model), model._blocks, data)
    assert got == 8 * (4 + 3 + 3 + 3 + 3)


def test_usual_sizes_take_one_call_and_predictions_are_bounded() -> None:
    model = make()
    X, y = blobs(5000)
    told = model.evaluate(X, y)
    losses = [count for what, count in double(model).calls if what == "loss"]
    predictions = [count for what, count in double(model).calls if what == "predict"]
    assert losses == [5000]
    assert max(predictions) <= BATCH and sum(predictions) == 5000
    assert told["accuracy"] == np.mean(model.predict(X).argmax(1) == y)
    np.testing.assert_allclose(model.predict(X, batch_size=7), model.predict(X, batch_size=5000), rtol=1e-12)


@pytest.mark.parametrize("reduction", ["batch_mean", "sum"])
@pytest.mark.parametrize(
    "options", [{"class_weights": (1, 2, 30)}, {"ignore_index": -1}, {"class_weights": (3, 0, 1), "ignore_index": -1}]
)
def test_weighted_and_ignored_labels(options: dict[str, Any], reduction: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their mean is divided by the labels' weights, which differ from part to part; one part has no label at all."""
    loss = losses.softmax_cross_entropy(**options, reduction=reduction)
    model = sb.compile(sb.Network([sb.Input(2), sb.Dense(3)], loss=loss, weight_decay=0.5), target="numpy")
    draw = np.random.default_rng(0)
    X, y = draw.normal(size=(3000, 2)), draw.integers(0, 3, 3000)
    if "ignore_index" in options:
        y[draw.uniform(size=3000) < 0.4] = -1
        y[500:1500] = -1
    whole = model.evaluate(X, y)["loss"]
    small(monkeypatch, 200)
    assert model.evaluate(X, y)["loss"] == pytest.approx(whole, rel=1e-5)


def test_pairs_of_rows_need_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Similarities of all rows with all others: what fits for few rows does not for many."""
    x = sb.Input(2)
    net = sb.Network(inputs=x, outputs=(sb.Dense(2)(x), sb.Dense(2)(x)), loss="info_nce")
    model, X = sb.compile(net, target="numpy"), np.random.default_rng(0).normal(size=(600, 2))
    monkeypatch.setattr(objective, "SMALL", 8)
    monkeypatch.setattr(objective, "MEMORY", 500_000)
    assert np.isfinite(model.evaluate(X[:100])["loss"])
    with pytest.raises(DataError, match="600 rows need more than"):
        model.evaluate(X)
