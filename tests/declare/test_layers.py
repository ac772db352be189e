"""Layers: their equations, evaluated by definition, are the forward formulas; wrong arguments, shapes are errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("jax", reason="the reference is JAX's; it is an extra, `dev`")

from symbackprop.declare import layers as of
from symbackprop.declare.layers import LAYERS
from symbackprop.declare.layers.base import Names
from symbackprop.errors import DeclarationError
from symbackprop.language.tensor import BATCH, Dim, Tensor
from tests.declare.layer_cases import drawn, given_to, inputs_of
from tests.interpreter import run
from tests.table.rows_layers import CASES, Case, batch_statistics

Array = np.ndarray[Any, Any]


def forward(row: Case, values: dict[Tensor, Array], inputs: tuple[Tensor, ...], training: bool) -> Array:
    """The hand-written formula."""
    stems = {t.name.rstrip("0123456789"): v for t, v in values.items() if t not in inputs}
    return np.asarray(row.forward(stems, *(values[x] for x in inputs), training))


@pytest.mark.parametrize("training", [True, False], ids=["training", "inference"])
@pytest.mark.parametrize("row", CASES, ids=lambda row: row.title)
def test_the_equations_are_the_formula(row: Case, training: bool) -> None:
    inputs = inputs_of(row)
    block = row.make().build(Names(), *inputs)
    values = drawn(row, (*inputs, *(t for t in given_to(block) if t not in inputs)), np.random.default_rng(3))
    other = {} if training else {eq.lhs: eq for eq in block.inference}
    got = run([other.get(eq.lhs, eq) for eq in block.equations], values, row.rows)
    expected = forward(row, values, inputs, training)
    assert got[block.output].shape == expected.shape
    np.testing.assert_allclose(got[block.output], expected, rtol=1e-12, atol=1e-12)
    if block.updates and training:
        after = run(block.updates, got, row.rows)
        stems = {t.name.rstrip("0123456789"): v for t, v in values.items()}
        for eq in block.updates:
            new = batch_statistics(stems, values[inputs[0]])[eq.lhs.name.rstrip("0123456789")]
            np.testing.assert_allclose(after[eq.lhs], new, rtol=1e-12)


def test_every_layer_has_rows() -> None:
    assert {row.name for row in CASES} == set(LAYERS)
    assert all(type(row.make()).__name__ == row.name for row in CASES)


def picture(*sizes: int) -> Tensor:
    """An input (N, *sizes)."""
    return Tensor("x", (BATCH, *(Dim(f"n0_{a}", s) for a, s in enumerate(sizes))), "input")


TOKENS = Tensor("tok", (BATCH, Dim("n0", 5)), "input", levels=9)

BAD_ARGUMENTS: dict[str, tuple[Any, str]] = {
    "no filters": (lambda: of.Conv2d(0, 3), "filters is an integer >= 1; got 0"),
    "negative kernel": (lambda: of.Conv2d(4, -3), "got -3"),
    "a kernel of three": (lambda: of.Conv2d(4, (3, 3, 3)), r"tuple of 2; got \(3, 3, 3\)"),
    "no stride": (lambda: of.Conv1d(4, 3, 0), "stride is an integer >= 1; got 0"),
    "negative padding": (lambda: of.Conv1d(4, 3, padding=-1), "padding is an integer >= 0; got -1"),
    "fractional kernel": (lambda: of.Conv1d(4, 2.5), "got 2.5"),
    "padding by a wrong name": (lambda: of.Conv1d(4, 3, padding="valid"), "got 'valid'"),
    "same with a stride": (lambda: of.Conv1d(4, 3, 2, "same"), "needs stride 1; got stride=2"),
    "an activation of rows": (lambda: of.Conv2d(4, 3, activation="softmax"), "softmax runs along the last axis"),
    "an unknown activation": (lambda: of.Conv2d(4, 3, activation="rleu"), "unknown activation 'rleu'.*'relu'"),
    "no initializer": (lambda: of.Conv2d(4, 3, init="he"), "made by sb.init"),
    "too much output padding": (lambda: of.ConvTranspose2d(4, 3, 2, output_padding=2), "less than stride or dilation"),
    "half a window of padding": (lambda: of.MaxPool2d(2, padding=2), "at most half its size; got 2 for 2"),
    "padding the same": (lambda: of.AvgPool1d(2, padding="same"), "padding is an integer >= 0; got 'same'"),
    "certain dropout": (lambda: of.Dropout(1.0), "0 <= p < 1; got 1.0"),
    "negative dropout": (lambda: of.Dropout(-0.1), "got -0.1"),
    "unknown scaling": (lambda: of.Dropout(0.5, "invert"), "unknown scaling 'invert'. Did you mean 'inverted'"),
    "no eps": (lambda: of.LayerNorm(eps=0), "eps is a finite number > 0; got 0"),
    "momentum above one": (lambda: of.BatchNorm1d(momentum=1.5), "0 < momentum <= 1; got 1.5"),
    "no groups": (lambda: of.GroupNorm(0), "groups is an integer >= 1; got 0"),
    "two sizes left": (lambda: of.Reshape((-1, -1)), "one may be -1"),
    "a size of zero": (lambda: of.Reshape((0, 3)), "a size is an integer >= 1; got 0"),
    "the batch moved": (lambda: of.Transpose((1, 0)), r"the batch first.*got \(1, 0\)"),
    "empty vocabulary": (lambda: of.Embedding(0, 3), "vocabulary is an integer >= 1; got 0"),
    "no radius": (lambda: of.RBF(3, radius=-1.0), "radius is a finite number > 0; got -1.0"),
}


@pytest.mark.parametrize("case", BAD_ARGUMENTS)
def test_wrong_arguments(case: str) -> None:
    make, message = BAD_ARGUMENTS[case]
    with pytest.raises(DeclarationError, match=message):
        make()


BAD_INPUTS: dict[str, tuple[Any, tuple[Tensor, ...], str]] = {
    "a filter too large": (
        of.Conv2d(4, 7, padding=1),
        (picture(3, 9, 4),),
        r"window \(7, 7\) reaches over 7 entries of axis 3 of x \(N, 3, 9, 4\), which has 4, 6 with its padding",
    ),
    "a dilated filter too large": (of.Conv1d(4, 3, dilation=4), (picture(3, 8),), "reaches over 9 entries of axis 2"),
    "a pool too large": (of.MaxPool1d(5), (picture(3, 4),), "reaches over 5 entries of axis 2"),
    "channels not in groups": (
        of.Conv2d(4, 3, groups=2),
        (picture(3, 5, 5),),
        r"3 channels of x \(N, 3, 5, 5\) and 4 filters are not both divisible by 2",
    ),
    "filters not in groups": (of.Conv2d(3, 3, groups=2), (picture(4, 5, 5),), "4 channels .* and 3 filters"),
    "too few axes": (of.Conv2d(4, 3), (picture(64),), r"takes \(N, channels, height, width\); x is \(N, 64\)"),
    "too many axes": (of.BatchNorm1d(), (picture(3, 4, 5),), r"or \(N, channels, length\); x is \(N, 3, 4, 5\)"),
    "two inputs": (of.Flatten(), (picture(3), picture(3)), "takes one tensor; got 2"),
    "nothing left": (of.ConvTranspose2d(2, 1, padding=2), (picture(2, 4, 4),), "4 entries, it makes one of 0"),
    "channels not in groups of a norm": (of.GroupNorm(2), (picture(3, 4),), "not divisible by 2"),
    "no such axis": (of.LayerNorm(2), (picture(4),), r"axes are different ones of 1 to 1 for x \(N, 4\)"),
    "the batch axis": (of.LayerNorm(0), (picture(4),), "an axis is an integer >= 1; got 0"),
    "other entries": (of.Reshape((3, 5)), (picture(4, 4),), r"x \(N, 4, 4\) has 16 entries"),
    "other entries, one size open": (of.Reshape((3, -1)), (picture(4, 4),), "16 entries, which do not fill"),
    "axes of another rank": (of.Transpose((0, 2, 1)), (picture(4),), r"takes 3 axes; x is \(N, 4\)"),
    "real tokens": (of.Embedding(9, 3), (picture(5),), r"Input\(\.\.\., levels=9\)"),
    "outside the vocabulary": (of.Embedding(8, 3), (TOKENS,), r"tok \(N, 5\) holds whole numbers 0 to 8.*rows 0 to 7"),
    "tokens where reals are needed": (of.RBF(3), (TOKENS,), "holds whole numbers 0 to 8; put sb.layers.Embedding"),
    "one input of a bilinear form": (of.Bilinear(3), (picture(3),), "takes two tensors.*got 1"),
    "unequal sequences": (of.Bilinear(3), (picture(2, 3), picture(4, 3)), r"\(N, 2, 3\) and x \(N, 4, 3\) differ"),
}


@pytest.mark.parametrize("case", BAD_INPUTS)
def test_wrong_inputs(case: str) -> None:
    layer, inputs, message = BAD_INPUTS[case]
    with pytest.raises(DeclarationError, match=message):
        layer.build(Names(), *inputs)


def test_a_batch_norm_needs_two_entries_a_channel() -> None:
    assert of.BatchNorm1d().build(Names(), picture(4)).least_rows == 2
    assert of.BatchNorm2d().build(Names(), picture(4, 1, 1)).least_rows == 2
    assert of.BatchNorm2d().build(Names(), picture(4, 1, 2)).least_rows == 1


def test_a_layer_used_twice_shares_its_parameters() -> None:
    names, layer = Names(), of.Conv1d(2, 3)
    one, two = layer.build(names, picture(3, 7)), layer.build(names, picture(3, 9))
    assert {t for t in given_to(one) if t.kind == "parameter"} == {t for t in given_to(two) if t.kind == "parameter"}
    with pytest.raises(DeclarationError, match="used twice"):
        layer.build(names, picture(4, 7))


def test_parameters_that_are_not_trained_are_states() -> None:
    for layer in (of.Conv2d(2, 3, trainable=False), of.GroupNorm(3, trainable=False), of.PReLU(trainable=False)):
        kinds = {t.kind for t in given_to(layer.build(Names(), picture(3, 5, 5))) if t.name != "x"}
        assert kinds == {"state"}, layer


def test_reading_inside_is_not_padded() -> None:
    from symbackprop.language.nodes import Lowest, Padded

    for layer, outside in (
        (of.Conv2d(2, 3), False),
        (of.Conv2d(2, 3, padding=1), True),
        (of.MaxPool2d(2), False),
        (of.AvgPool2d(2), False),
        (of.MaxPool2d(2, padding=1), True),
    ):
        block = layer.build(Names(), picture(3, 5, 5))
        assert any(eq.rhs.has(Padded, Lowest) for eq in block.equations) is outside, layer
