from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from module_double import blobs, changed, make

from symbackprop.errors import DataError, DeclarationError
from symbackprop.runtime import Port
from symbackprop.train.metrics import hits


def test_gradients_are_of_the_whole_objective() -> None:
    """Against central differences of evaluate's loss, regularizer included."""
    model = make(hypers={"lam": 0.5})
    X, y = blobs(11)
    got = model.gradients(X, y)
    assert list(got) == ["W", "b"]
    for name, gradient in got.items():
        value = model.parameters[name]
        assert gradient.shape == value.shape
        for place in np.ndindex(value.shape):
            sides = []
            for h in (1e-5, -1e-5):
                moved = value.copy()
                moved[place] += h
                model.parameters[name] = moved
                sides.append(model.evaluate(X, y)["loss"])
            model.parameters[name] = value
            assert abs((sides[0] - sides[1]) / 2e-5 - gradient[place]) < 1e-8


def test_parameters_read_as_frozen_copies() -> None:
    model = make()
    before = model.parameters["W"]
    with pytest.raises(ValueError, match="read-only"):
        before[0, 0] = 1.0
    kept = dict(model.parameters)
    model.fit(*blobs(), batch_size=8, verbose=False)
    assert not np.array_equal(before, model.parameters["W"])
    np.testing.assert_array_equal(before, kept["W"])
    model.parameters = kept
    np.testing.assert_array_equal(before, model.parameters["W"])


def test_parameters_are_checked_and_set_all_or_none() -> None:
    model = make(dtype="float32")
    old = dict(model.parameters)
    cases: list[tuple[dict[str, Any], str]] = [
        ({"W": np.ones((3, 4)), "v": 1}, "no parameter 'v'"),
        ({"b": np.ones(3), "W": np.ones((4, 3))}, r"'W' has shape \(3, 4\); got \(4, 3\); a weight is stored"),
        ({"b": np.ones(3), "W": np.full((3, 4), np.nan)}, r"parameters\['W'\]\[0, 0\] is nan"),
        ({"b": np.ones(3), "W": np.full((3, 4), 1e40)}, "does not fit float32"),
    ]
    for values, told in cases:
        with pytest.raises(DataError, match=told):
            model.parameters.update(values)
    with pytest.raises(DataError, match="lack 'b'"):
        model.parameters = {"W": np.ones((3, 4))}
    with pytest.raises(KeyError, match=r"Did you mean|Known: W, b"):
        model.parameters["w1"]
    for name, value in old.items():
        np.testing.assert_array_equal(model.parameters[name], value)
    model.parameters["W"] = [[1, 2, 3, 4]] * 3
    assert model.parameters["W"].dtype == np.float32
    np.testing.assert_array_equal(model.parameters["W"], [[1, 2, 3, 4]] * 3)
    assert (len(model.parameters), list(model.parameters)) == (2, ["W", "b"])


def test_hypers() -> None:
    model = make(hypers={"eta": 0.5})
    assert dict(model.hypers) == {"eta": 0.5, "mu": 0.9, "lam": 0.01}
    model.hypers.update({"mu": float(np.float32(0.5))})
    model.hypers.update({"lam": 0})
    assert dict(model.hypers) == {"eta": 0.5, "mu": 0.5, "lam": 0.0}
    for value in (np.nan, np.inf, "1", None, True):
        with pytest.raises(DataError, match="finite number"):
            model.hypers["eta"] = value  # type: ignore[assignment]
    with pytest.raises(DataError, match="Did you mean 'eta'"):
        model.hypers["etta"] = 1.0
    with pytest.raises(KeyError, match="Known: eta, lam, mu"):
        model.hypers["momentum"]
    with pytest.raises(DataError, match="no hyper-parameter 'rate'"):
        make(hypers={"rate": 1.0})


@pytest.mark.parametrize("seed", [-1, 2**63, 1.5, "0", None])
def test_bad_seed(seed: object) -> None:
    with pytest.raises(DataError, match="seed"):
        make(seed=seed)  # type: ignore[arg-type]


def test_largest_seed() -> None:
    model = make(seed=2**63 - 1)
    model.fit(*blobs(), batch_size=8, verbose=False)
    assert model.seed == 2**63 - 1


def test_predict_has_the_models_dtype_and_names_several_outputs() -> None:
    X, _ = blobs(5)
    made = make(dtype="float32").predict(X)
    assert made.shape == (5, 3) and made.dtype == np.float32

    class Twice:
        def __init__(self, module: object) -> None:
            self.module = module

        def __call__(self, *args: object) -> object:
            (output,) = self.module(*args)  # type: ignore[operator]
            return output, 2 * output

    model = changed(make(), outputs=(Port("p", (3,)), Port("q", (3,))))
    model._module.predict = Twice(model._module.predict)  # type: ignore[method-assign,assignment]
    both = model.predict(X)
    np.testing.assert_array_equal(2 * both["p"], both["q"])


def test_several_inputs() -> None:
    X, y = blobs()
    one, two = make(), make(inputs=2)
    two.parameters = dict(one.parameters)
    halves = (X[:, :2], X[:, 2:])
    expected = one.fit(X, y, batch_size=8, validation_data=(X, y), verbose=False)
    got = two.fit(halves, y, batch_size=8, validation_data=(halves, y), verbose=False)
    assert got.loss == expected.loss and got.val_loss == expected.val_loss
    np.testing.assert_array_equal(two.predict({"x1": halves[1], "x0": halves[0]}), one.predict(X))


def test_text() -> None:
    model = make(dtype="float32")
    assert repr(model) == "Model(target='double', dtype='float32', parameters=15, optimizer='momentum', step=0)"
    assert model.source == "source text"
    assert model.summary().splitlines() == [
        "x (N, 4) -> p (N, 3), target y (N, 3)",
        "  parameter  shape   entries  first values",
        "  W          (3, 4)       12  normal(0, 0.1)",
        "  b          (3,)          3  constant(0)",
        "15 entries, 0.1 KiB in float32, compiled to double",
        "optimizer momentum, eta = 0.1, mu = 0.9, lam = 0.01",
    ]


def test_argmax_takes_the_first_of_equal_entries() -> None:
    prediction = np.array([[1.0, 1.0, 0.0], [0.0, 2.0, 1.0], [0.0, 0.0, 0.0]])
    assert hits("argmax", prediction, np.eye(3)[[0, 1, 2]]) == (2, 3)


def test_threshold() -> None:
    prediction = np.array([[-1.0, 0.5], [0.0, 2.0]])
    target = np.array([[0.0, 1.0], [1.0, 0.4]])
    assert hits("threshold:0", prediction, target) == (2, 4)
    assert hits("threshold:0.5", prediction, target) == (1, 4)
    assert hits("threshold:-2", prediction, target) == (2, 4)


@pytest.mark.parametrize("metric", ["argmin", "threshold", "threshold:", "threshold:x", "threshold:nan", ""])
def test_unknown_metric(metric: str) -> None:
    with pytest.raises(DeclarationError, match="metric"):
        changed(make(), metric=metric)
