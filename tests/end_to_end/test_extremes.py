"""Values and gradients in float32 where exponentials overflow, underflow and drown in a 1: |z| up to 10^4.

Everything is compared with mpmath: |value - true| <= 1e-5*|true| + 1e-37, and finite.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

import symbackprop as sb
from tests.end_to_end import reference_mpmath as ref

MAGNITUDES = (0.5, 5.0, 17.0, 20.0, 90.0, 1e3, 1e4)
POINTS = [sign * m for m in MAGNITUDES for sign in (1, -1)]
HARD = [sign * m for m in (20.0, 90.0, 1e4) for sign in (1, -1)]
ROWS = [row for z in HARD for row in ((z, 0.0, -z), (z, z, 0.0), (0.0, z, 1.0))]
ONES = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
Row = tuple[float, ...]
SEVERAL = {"gaussian_nll", "cosine_embedding", "triplet", "info_nce"}
"""Losses of several outputs, see test_extremes_of_embeddings.py."""
PROBABILITIES = [float(np.float32(p)) for p in (1e-30, 2e-9, 1e-5, 0.5, 0.999, 1 - 2.0**-24)]


def mish(z: Any) -> Any:
    return z * sb.tanh(sb.log(1 + sb.exp(z)))


def log_cosh(prediction: Any, target: Any) -> Any:
    return sb.log(sb.cosh(target - prediction))


def mish_expression() -> Any:
    import sympy

    z = sympy.Symbol("z")
    return z * sympy.tanh(sympy.log(1 + sympy.exp(z)))


def log_cosh_expression() -> Any:
    import sympy

    prediction, target = sympy.symbols("prediction target")
    return sympy.log(sympy.cosh(target - prediction))


USERS = {
    "mish, a function": mish,
    "mish, an expression": mish_expression,
    "log_cosh, a function": log_cosh,
    "log_cosh, an expression": log_cosh_expression,
}


def declared(name: str) -> tuple[Any, str]:
    """How a formula is given to the library, and its name in the reference."""
    if name not in USERS:
        return name, name
    made = USERS[name]
    return made() if name.endswith("expression") else made, name.partition(",")[0]


def check(found: list[tuple[str, float, Any]], floor: float = ref.ABSOLUTE) -> None:
    """Every (what, number, true value) is right; true values below `floor` need not be."""
    wrong = [f"{what}: {got}, true {want}" for what, got, want in found if ref.excess(got, want, floor) > 1]
    assert not wrong, "\n".join(wrong)


def elementwise(activation: Any, target: str) -> tuple[list[float], list[float]]:
    """Values and derivatives of an activation at all points: z = b, and L = the sum of the activations."""
    width = len(POINTS)
    net = sb.Network([sb.Input(1), sb.Dense(width, activation)], loss=lambda p, t: p * t, reduction="sum")
    model = sb.compile(net, target=target, dtype="float32")
    model.parameters = {"W1": np.zeros((width, 1)), "b1": np.array(POINTS)}
    values = model.predict(np.zeros((1, 1)))[0]
    slopes = model.gradients(np.zeros((1, 1)), np.ones((1, width)))["b1"]
    return values.tolist(), slopes.tolist()


@pytest.mark.parametrize("name", [*sorted(ref.ACTIVATIONS), *list(USERS)[:2]])
def test_activations(name: str, target: str) -> None:
    activation, reference = declared(name)
    values, slopes = elementwise(activation, target)
    found: list[tuple[str, float, Any]] = []
    for z, value, slope in zip(POINTS, values, slopes, strict=True):
        true_value, true_slope = ref.activation(reference, z)
        found += [(f"f({z})", value, true_value), (f"f'({z})", slope, true_slope)]
    check(found)


def objectives(
    net: sb.Network, reference: str, cases: Sequence[tuple[Row, Row]], target: str, floor: float = ref.ABSOLUTE
) -> None:
    """Objective and gradient of a network whose one layer passes x on are right, row by row: z = x, db = dL/dz.

    Gradients below `floor` need not be.
    """
    width = len(cases[0][0])
    model = sb.compile(net, target=target, dtype="float32")
    model.parameters = {"W1": np.eye(width), "b1": np.zeros(width)}
    found: list[tuple[str, float, Any]] = []
    gradients: list[tuple[str, float, Any]] = []
    for x, y in cases:
        rows = np.array([x]), np.array([y])
        value, slopes = ref.loss(reference, x, y)
        found.append((f"L at {x}, {y}", model.evaluate(*rows)["loss"], value))
        gradient = model.gradients(*rows)["b1"].tolist()
        gradients += [
            (f"dL/dz{j} at {x}, {y}", got, want) for j, (got, want) in enumerate(zip(gradient, slopes, strict=True))
        ]
    check(found)
    check(gradients, floor)


def passing(width: int, loss: Any, activation: Any = None) -> sb.Network:
    return sb.Network([sb.Input(width), sb.Dense(width, activation)], loss=loss, reduction="sum")


@pytest.mark.parametrize("name", ["mse", "half_mse", "mae", "huber", "smooth_l1", "log_cosh", *list(USERS)[2:]])
def test_losses_of_numbers(name: str, target: str) -> None:
    loss, reference = declared(name)
    objectives(passing(1, loss), reference, [((z,), (y,)) for z in POINTS for y in (0.0, 1.0, -3.0)], target)


@pytest.mark.parametrize("name", ["hinge", "squared_hinge"])
def test_losses_of_signs(name: str, target: str) -> None:
    objectives(passing(1, name), name, [((z,), (y,)) for z in POINTS for y in (-1.0, 1.0)], target)


@pytest.mark.parametrize("name", ["multilabel", "binary_focal"])
def test_losses_of_labels(name: str, target: str) -> None:
    objectives(passing(1, name), name, [((z,), (y,)) for z in POINTS for y in (0.0, 1.0)], target)


def test_poisson(target: str) -> None:
    """Where the rate e^z is a number of float32."""
    cases = [((z,), (y,)) for z in POINTS if z < 88 for y in (0.0, 1.0, 7.0)]
    objectives(passing(1, "poisson_nll"), "poisson_nll", cases, target)


def test_multi_hinge(target: str) -> None:
    """Beside its kinks, where scores differ by 1."""
    rows = [tuple(1.5 if z == 1 else z for z in row) for row in ROWS]
    objectives(passing(3, "multi_hinge"), "multi_hinge", [(row, label) for row in rows for label in ONES], target)


def test_focal(target: str) -> None:
    """(1 - p)^2 has no digits where 1 - p is below float32's 6e-8: what is lost is below 1e-14."""
    objectives(passing(3, "focal"), "focal", [(row, label) for row in ROWS for label in ONES], target, 1e-14)


@pytest.mark.parametrize(("activation", "reference"), [(None, "kl"), ("log_softmax", "kl_of_scores")])
def test_kl(activation: str | None, reference: str, target: str) -> None:
    shares = (*ONES, (0.25, 0.25, 0.5), (0.5, 0.0, 0.5))
    # by itself it takes logarithms of probabilities
    rows = ROWS if activation else [row for row in ROWS if max(row) <= 0] + [(-1e4, -0.5, -90.0)]
    objectives(passing(3, "kl", activation), reference, [(row, y) for row in rows for y in shares], target, 1e-8)


def test_log_softmax(target: str) -> None:
    cases = [(row, one) for row in ROWS for one in ONES]
    # the slope t - p sum(t) of any t: 1 - p has no digits where p is 1 in float32
    objectives(passing(3, lambda p, t: p * t, "log_softmax"), "chosen_log_softmax", cases, target, 1e-8)


def test_cosine(target: str) -> None:
    """Not of parallel rows, where 1 - cos has no digits in float32."""
    cases = [((z, 1.0, -z), y) for z in HARD for y in ((1.0, 0.0, 0.0), (1e4, 90.0, -20.0), (0.0, -1.0, 0.5))]
    objectives(passing(3, "cosine"), "cosine", cases, target)


def test_losses_of_probabilities(target: str) -> None:
    cases = [((p,), (y,)) for p in PROBABILITIES for y in (0.0, 1.0)]
    objectives(passing(1, "binary_cross_entropy"), "binary_cross_entropy", cases, target)
    pairs = [((p, float(np.float32(1 - p))), y) for p in PROBABILITIES for y in ((1.0, 0.0), (0.0, 1.0))]
    objectives(passing(2, "cross_entropy"), "cross_entropy", pairs, target)


@pytest.mark.parametrize(("loss", "activation"), [("sigmoid_cross_entropy", None), ("binary_cross_entropy", "sigmoid")])
def test_cross_entropy_of_two_classes(loss: str, activation: str | None, target: str) -> None:
    """The same numbers whether the loss takes logits, or an activation of its own makes probabilities of them."""
    cases = [((z,), (y,)) for z in POINTS for y in (0.0, 1.0)]
    objectives(passing(1, loss, activation), "sigmoid_cross_entropy", cases, target)


@pytest.mark.parametrize(("loss", "activation"), [("softmax_cross_entropy", None), ("cross_entropy", "softmax")])
def test_cross_entropy_of_three_classes(loss: str, activation: str | None, target: str) -> None:
    cases = [(row, label) for row in ROWS for label in ONES]
    objectives(passing(3, loss, activation), "softmax_cross_entropy", cases, target)


def test_softmax(target: str) -> None:
    """Every entry of the Jacobian too: with L = p_i the gradient is dp_i/dz."""
    cases = [(row, one) for row in ROWS for one in ONES]
    objectives(passing(3, lambda p, t: p * t, "softmax"), "chosen_softmax", cases, target)


@pytest.mark.parametrize(("activation", "loss"), [(mish, log_cosh), (mish_expression, log_cosh_expression)])
def test_a_users_activation_and_loss_train_in_c(activation: Any, loss: Any, c_compiler: None) -> None:
    """Formulas are all that is written; the data reach z = 10^4 and targets of 10^4."""
    if activation is mish_expression:
        activation, loss = activation(), loss()
    net = sb.Network([sb.Input(1), sb.Dense(8, activation), sb.Dense(1)], loss=loss)
    model = sb.compile(net, target="c", optimizer=sb.Adam(0.01), dtype="float32", seed=3)
    X = np.array([[-1e4], [-90.0], [-20.0], [-1.0], [0.0], [1.0], [20.0], [90.0], [1e4]])
    y = np.maximum(X, 0)
    before = model.evaluate(X, y)["loss"]
    history = model.fit(X, y, epochs=400, batch_size=9, verbose=False)
    assert np.isfinite(history.loss).all()
    after = model.evaluate(X, y)["loss"]
    assert after < before / 10, f"{before} to {after}"
    assert model.target == "c"


def test_no_activation_and_no_loss_is_left_out() -> None:
    """A new one needs its formula in the reference, and points above."""
    assert set(sb.activations.ACTIVATIONS) == set(ref.ACTIVATIONS)
    assert set(sb.activations.ROW_ACTIVATIONS) == {"softmax", "log_softmax"}
    others = {"kl_of_scores", "chosen_softmax", "chosen_log_softmax"}
    assert set(sb.losses.LOSSES) == set(ref.LOSSES) - others | SEVERAL


@pytest.mark.parametrize("scale", [1 + 3e-5, 1 - 3e-5])
def test_a_value_that_is_off_by_three_units_is_caught(scale: float) -> None:
    value, slope = ref.activation("sigmoid", -20.0)
    assert ref.excess(float(value), value) < 1 < ref.excess(float(value) * scale, value)
    assert ref.excess(float(slope), slope) < 1 < ref.excess(float(slope) * scale, slope)
    assert ref.excess(float("nan"), value) == ref.excess(float("inf"), value) == float("inf")
