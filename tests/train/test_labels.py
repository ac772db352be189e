"""Labels with one that counts as none."""

from __future__ import annotations

import numpy as np
import pytest

import symbackprop as sb
from symbackprop.errors import DataError
from symbackprop.runtime import Port
from symbackprop.train.labels import one_hot, sign
from symbackprop.train.metrics import hits

PLAIN, IGNORING = Port("y", (3,), "one_hot"), Port("y", (3,), "one_hot", ignore=-100)


def test_an_ignored_label_is_a_row_of_zeros() -> None:
    rows = one_hot(np.array([2, -100, 0]), IGNORING, "y")
    assert rows.tolist() == [[0, 0, 1], [0, 0, 0], [1, 0, 0]]
    sequence = one_hot(np.array([[1, -100], [-100, 0]]), Port("y", (2, 3), "one_hot", ignore=-100), "y")
    assert sequence.tolist() == [[[0, 1, 0], [0, 0, 0]], [[0, 0, 0], [1, 0, 0]]]


def test_a_class_can_be_the_one_that_is_ignored() -> None:
    """As a padding token is."""
    assert one_hot(np.array([0, 1, 2]), Port("y", (3,), "one_hot", ignore=0), "y").tolist()[0] == [0, 0, 0]


def test_rows_of_zeros_are_taken_where_labels_may_be_ignored() -> None:
    rows = np.array([[0.0, 0, 0], [0.25, 0.25, 0.5]])
    assert one_hot(rows, IGNORING, "y") is rows
    with pytest.raises(DataError, match="sums to 0"):
        one_hot(rows, PLAIN, "y")
    with pytest.raises(DataError, match=r"sums to 0\.5"):
        one_hot(rows / 2, IGNORING, "y")


def test_other_labels_are_out_of_range() -> None:
    with pytest.raises(DataError, match=r"y\[1\] is 3, out of range.*; -100 is the label that counts as none"):
        one_hot(np.array([-100, 3]), IGNORING, "y")
    with pytest.raises(DataError, match=r"y\[0\] is -100, out of range: the 3 classes are 0..2$"):
        one_hot(np.array([-100, 2]), PLAIN, "y")
    with pytest.raises(DataError, match=r"labels count from 0: pass y - 1"):
        one_hot(np.array([1, -100, 3]), IGNORING, "y")


def test_a_row_of_zeros_asks_for_no_decision() -> None:
    prediction = np.array([[3.0, 1, 2], [0, 5, 1], [9, 0, 0]])
    target = np.array([[1.0, 0, 0], [0, 0, 1], [0, 0, 0]])
    assert hits("argmax", prediction, target) == (1, 2)


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        ([1, 0, 1], r"y\[1\] is 0; .* targets of -1 or 1; for 0 and 1 pass 2\*y - 1$"),
        ([True, False], r"y\[1\] is False; .* pass 2\*y\.astype\(int\) - 1$"),
        (np.array([0, 1], np.uint8), r"pass 2\*y\.astype\(int\) - 1$"),
        ([[1.0, -1.0], [1.0, 5.0]], r"y\[1, 1\] is 5\.0; "),
        ([-1.0, 0.5], r"y\[1\] is 0\.5; "),
    ],
)
def test_other_signs(labels: object, told: str) -> None:
    with pytest.raises(DataError, match=told):
        sign(np.asarray(labels), "y")


def test_signs() -> None:
    sign(np.array([[-1.0, 1.0]]), "y")
    sign(np.array([1, -1], np.int8), "y")
    sign(np.array([True]), "y")


@pytest.mark.parametrize("loss", ["hinge", "squared_hinge", "cosine_embedding"])
def test_losses_of_signs_refuse_other_labels(loss: str) -> None:
    x = sb.Input(3)
    heads = (sb.Dense(2)(x), sb.Dense(2)(x)) if loss == "cosine_embedding" else (sb.Dense(1)(x),)
    model = sb.compile(sb.Network(inputs=x, outputs=heads, loss=loss), target="numpy")
    signs = np.array([1, -1, 1, -1])
    model.fit(np.ones((4, 3)), signs, batch_size=4, verbose=False)
    for wrong in ((signs + 1) // 2, 5 * signs):
        for use in (model.fit, model.evaluate, model.gradients):
            with pytest.raises(DataError, match=r"y.* is .* of -1 or 1; for 0 and 1 pass 2\*y - 1"):
                use(np.ones((4, 3)), wrong)
