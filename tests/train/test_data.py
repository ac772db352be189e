from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from module_double import Array, blobs, double, make, manifest

from symbackprop.errors import DataError
from symbackprop.runtime import Manifest, Port
from symbackprop.train.data import check_least_rows, prepare, prepare_inputs


def ports(*targets: Port, inputs: tuple[Port, ...] = (Port("x", (4,)),), dtype: str = "float32") -> Manifest:
    base = manifest()
    return Manifest(
        dtype=dtype, inputs=inputs, targets=targets, outputs=targets, parameters=(), block=0, states=(),
        hypers=(), metric=None, trace=(), optimizer=base.optimizer,
    )  # fmt: skip


REAL = ports(Port("y", (1,)))
CLASSES = ports(Port("y", (3,), "one_hot"))
UNIT = ports(Port("y", (2,), "unit"))
X = np.arange(20.0).reshape(5, 4)
Y = np.zeros((5, 1))


class Frame:
    """Like a pandas object: an array inside."""

    def __init__(self, array: Array) -> None:
        self.array = array

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return np.array(self.array, dtype)


READ_ONLY = X.copy()
READ_ONLY.flags.writeable = False
UNALIGNED = np.frombuffer(b"\0" + X.astype("f4").tobytes(), "u1")[1:].view("f4").reshape(5, 4)


@pytest.mark.parametrize(
    "given_x",
    [
        X, X.tolist(), X.astype(">f8"), X.astype(">i2"), X.astype(np.uint8), np.asfortranarray(X), X.repeat(2, 0)[::2],
        X[:, ::-1][:, ::-1], READ_ONLY, UNALIGNED, Frame(X), X.astype(np.float16), X.astype(np.longdouble),
        np.ma.MaskedArray(X), tuple(map(tuple, X)), {"x": X},
    ],
)  # fmt: skip
def test_what_is_converted(given_x: Any) -> None:
    (made,) = prepare_inputs(REAL, given_x)
    np.testing.assert_array_equal(made, X)
    assert type(made) is np.ndarray
    assert made.dtype == np.float32 and made.dtype.isnative
    assert made.flags.c_contiguous and made.flags.aligned and made.flags.writeable


def test_what_is_right_is_not_copied() -> None:
    right = X.astype(np.float32)
    assert prepare_inputs(REAL, right)[0] is right


BAD_X = [
    (None, "X is missing: got None"),
    (X[0], r"X has shape \(4,\), expected \(N, 4\).*for one sample pass X\[None\]"),
    (X.T, r"shape \(4, 5\), expected \(N, 4\).*pass X\.T"),
    (X[:, :3], r"shape \(5, 3\), expected \(N, 4\)"),
    (X.reshape(5, 2, 2), r"pass X\.reshape\(\(-1, 4\)\)"),
    (X[..., None], r"pass X\[\.\.\., 0\]"),
    (np.float64(3.0), r"shape \(\)"),
    ([], r"X is empty: shape \(0,\)"),
    (np.empty((0, 4)), r"X is empty: shape \(0, 4\), expected \(N, 4\) with N >= 1"),
    (X.astype(str), r"dtype <U32, expected numbers.*np\.unique\(X"),
    (X.astype("S8"), r"np\.unique"),
    (X.astype(object), r"dtype object.*np\.asarray\(X, dtype=float\)"),
    (X * 1j, r"dtype complex128.*X\.real"),
    (X.astype("M8[s]"), "times"),
    (X.astype("m8[s]"), "durations"),
    (np.zeros(5, "f4,f4,f4,f4"), "one column a field"),
    ([[1, 2, 3, 4], [1, 2, 3]], "cannot be made an array.*one length"),
    (np.where(X == 9, np.nan, X), r"X\[2, 1\] is nan \(1 of 20"),
    (np.where(X > 17, -np.inf, X), r"X\[4, 2\] is -inf \(2 of 20"),
    (np.where(X == 6, 1e39, X), r"X\[1, 2\] = 1e\+39 does not fit float32 .*float64"),
    (np.ma.masked_equal(X, 3), "masked"),
    ("text", "dtype <U4"),
    ({"z": X}, r"entry 'z', not of this network"),
    ({}, "X lacks 'x'"),
]


@pytest.mark.parametrize(("value", "told"), BAD_X)
def test_bad_inputs(value: Any, told: str) -> None:
    with pytest.raises(DataError, match=told):
        prepare_inputs(REAL, value)


def test_sparse_is_refused() -> None:
    class Sparse:
        def toarray(self) -> Array:
            return X

    with pytest.raises(DataError, match=r"X\.toarray\(\)"):
        prepare_inputs(REAL, Sparse())


def test_large_values_fit_float64() -> None:
    (made,) = prepare_inputs(ports(dtype="float64"), np.full((2, 4), 1e300))
    assert made[0, 0] == 1e300


def test_flat_targets_are_a_column() -> None:
    _, made = prepare(REAL, X, range(5))
    np.testing.assert_array_equal(made, np.arange(5.0)[:, None])
    with pytest.raises(DataError, match=r"y has shape \(5,\), expected \(N, 2\)"):
        prepare(UNIT, X, np.zeros(5))
    with pytest.raises(DataError, match=r"pass X\[\.\.\., None\]"):
        prepare_inputs(ports(inputs=(Port("x", (1,)),)), np.zeros(5))


def test_row_counts_agree() -> None:
    with pytest.raises(DataError, match="X has 5, y has 4"):
        prepare(REAL, X, Y[:4])


def test_missing_and_needless_targets() -> None:
    with pytest.raises(DataError, match="y is missing"):
        prepare(REAL, X, None)
    with pytest.raises(DataError, match="no targets"):
        prepare(ports(), X, Y)
    assert len(prepare(ports(), X, None)) == 1


def test_several_inputs_by_place_and_by_name() -> None:
    two = ports(Port("y", (1,)), inputs=(Port("left", (4,)), Port("right", (2,))))
    right = np.ones((5, 2))
    for value in ((X, right), [X, right], {"right": right, "left": X}):
        made = prepare(two, value, {"y": Y})
        assert [a.shape for a in made] == [(5, 4), (5, 2), (5, 1)]
    with pytest.raises(DataError, match=r"tuple of 2 arrays \(left, right\).*got ndarray"):
        prepare(two, X, Y)
    with pytest.raises(DataError, match="got 3 of them"):
        prepare(two, (X, X, X), Y)
    with pytest.raises(DataError, match=r"'rigth'.*Did you mean 'right'"):
        prepare(two, {"left": X, "rigth": right}, Y)
    with pytest.raises(DataError, match="lacks 'right'"):
        prepare(two, {"left": X}, Y)
    with pytest.raises(DataError, match=r"X\[1\] has shape \(5, 4\), expected \(N, 2\)"):
        prepare(two, (X, X), Y)
    with pytest.raises(DataError, match=r"X\['right'\]\[0, 0\] is nan"):
        prepare(two, {"left": X, "right": right * np.nan}, Y)
    with pytest.raises(DataError, match=r"X\[0\] has 5, X\[1\] has 4, y has 5"):
        prepare(two, (X, right[:4]), Y)


LABELS = [0, 2, 1, 1, 0]


@pytest.mark.parametrize(
    "labels",
    [LABELS, *(np.array(LABELS, t) for t in ("i1", "u1", ">i2", "i4", "u8")), np.eye(3)[LABELS],
     np.eye(3, dtype=bool)[LABELS], np.eye(3, dtype=int)[LABELS].tolist()],
)  # fmt: skip
def test_labels(labels: Any) -> None:
    _, made = prepare(CLASSES, X, labels)
    np.testing.assert_array_equal(made, np.eye(3)[LABELS])


def test_bool_labels_are_two_classes() -> None:
    _, made = prepare(ports(Port("y", (2,), "one_hot")), X, np.array(LABELS) > 0)
    np.testing.assert_array_equal(made, np.eye(2)[np.minimum(LABELS, 1)])


def test_labels_of_sequences() -> None:
    sequence = ports(Port("y", (2, 3), "one_hot"))
    labels = np.array([[0, 1], [2, 2], [1, 0], [0, 0], [1, 2]])
    for value in (labels, np.eye(3)[labels]):
        np.testing.assert_array_equal(prepare(sequence, X, value)[1], np.eye(3)[labels])
    with pytest.raises(DataError, match=r"y\[1, 0\] is 2, out of range.*0\.\.1"):
        prepare(ports(Port("y", (2, 2), "one_hot")), X, labels)


def test_soft_labels_are_kept() -> None:
    soft = np.array([[0.5, 0.25, 0.25]] * 5)
    np.testing.assert_array_equal(prepare(CLASSES, X, soft)[1], soft)


BAD_LABELS = [
    ([0, 1, 2, 3, 0], r"y\[3\] is 3, out of range: the 3 classes are 0\.\.2"),
    ([0, -1, 2, 0, 0], r"y\[1\] is -1"),
    ([1, 2, 3, 1, 1], r"pass y - 1"),
    (np.array(LABELS, "u8") + np.uint64(2**64 - 9), "out of range"),
    (np.array(LABELS, float), r"if these are labels, pass y\.astype\(int\)"),
    ([0.5, 1, 2, 0, 0], "not whole numbers"),
    (np.array(LABELS)[:, None], r"pass y\[\.\.\., 0\] as integers"),
    (["a", "b", "c", "a", "b"], r"np\.unique\(y"),
    (np.full((5, 3), 0.3), r"y\[0\] sums to 0\.9;"),
    (np.eye(3)[LABELS] * 2 - 0.5, r"y\[0, 0\] is 1\.5; .*\[0, 1\]"),
    (np.array([[1.5, -0.5, 0]] * 5), r"\[0, 1\]"),
    (np.zeros((5, 3), bool), "sums to 0"),
    (np.zeros((5, 4), int), r"shape \(5, 4\), expected \(N, 3\)"),
    (np.array([0, np.nan, 1, 0, 0]), r"y\[1\] is nan"),
]


@pytest.mark.parametrize(("value", "told"), BAD_LABELS)
def test_bad_labels(value: Any, told: str) -> None:
    with pytest.raises(DataError, match=told):
        prepare(CLASSES, X, value)


def test_unit_targets() -> None:
    values = np.array([[0.0, 1.0]] * 5)
    for value in (values, values.astype(bool), values.astype(int), values * 0.5):
        np.testing.assert_array_equal(prepare(UNIT, X, value)[1], np.asarray(value, float))
    for value, told in (
        (values * 2 - 1, r"y\[0, 0\] is -1\.0.*\(y \+ 1\) / 2"),
        (values * 255, r"pass y / 255"),
        (values + 1, r"y\[0, 1\] is 2\.0"),
    ):
        with pytest.raises(DataError, match=told):
            prepare(UNIT, X, value)


NUMBERS = st.one_of(hnp.boolean_dtypes(), hnp.integer_dtypes(), hnp.unsigned_integer_dtypes(), hnp.floating_dtypes())


@given(hnp.arrays(NUMBERS, hnp.array_shapes(max_dims=3, max_side=5)))
def test_any_array_is_converted_in_full_or_refused(value: Array) -> None:
    """Never a wrong shape, a NaN or an infinity behind the door, and never another exception."""
    with np.errstate(over="ignore"):
        right = value.shape[1:] == (4,) and np.isfinite(value.astype(np.float32)).all()
    if right:
        (made,) = prepare_inputs(REAL, value)
        np.testing.assert_array_equal(made, value.astype(np.float32))
    else:
        with pytest.raises(DataError):
            prepare_inputs(REAL, value)


@given(hnp.arrays(NUMBERS, st.sampled_from([(5, 4), (5, 3), (5,), (3,), (5, 1), (4, 5)])))
def test_whatever_passes_as_labels_is_one_hot_or_soft(value: Array) -> None:
    try:
        _, made = prepare(CLASSES, X, value)
    except DataError:
        if value.shape == (5,) and value.dtype.kind in "iub":
            assert value.min() < 0 or value.max() > 2
        return
    assert made.shape == (5, 3)
    assert ((made >= 0) & (made <= 1)).all()
    np.testing.assert_allclose(made.sum(1), 1.0, atol=2e-3)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
        max_leaves=8,
    )
)
def test_any_python_object_gives_the_error_or_an_array(value: Any) -> None:
    try:
        (made,) = prepare_inputs(REAL, value)
    except DataError as error:
        assert str(error).startswith("X")
    else:
        assert made.shape[1:] == (4,) and np.isfinite(made).all()


@pytest.mark.parametrize("call", ["fit", "evaluate", "gradients", "predict"])
def test_no_kernel_runs_on_bad_data(call: str) -> None:
    good, labels = blobs()
    good[3, 2] = np.inf
    model = make()
    with pytest.raises(DataError, match=r"X\[3, 2\] is inf"):
        getattr(model, call)(good, *(() if call == "predict" else (labels,)))
    assert not double(model).calls


TOKENS = ports(REAL.targets[0], inputs=(Port("tok", (3,), "index", 7),))
WEIGHTED = ports(Port("w", (), "weight"), Port("y", (1,)))


@pytest.mark.parametrize(
    "tokens",
    [[[0, 6, 3]], np.array([[0, 6, 3]], np.uint8), np.array([[0.0, 6.0, 3.0]]), np.array([[False, True, False]])],
)
def test_whole_numbers_keep_their_values(tokens: Any) -> None:
    (made,) = prepare_inputs(TOKENS, tokens)
    np.testing.assert_array_equal(made, np.asarray(tokens))
    assert made.dtype == np.float32


@pytest.mark.parametrize(
    ("tokens", "told"),
    [
        ([[0, 1, 2], [3, 7, 8]], r"X\[1, 1\] is 7; 'tok' takes whole numbers from 0 to 6 \(2 of 6"),
        ([[0, -1, 2]], r"X\[0, 1\] is -1; .* from 0 to 6 \(1 of 3"),
        ([[0, 0.5, 2]], r"X\[0, 1\] is 0.5; .* from 0 to 6"),
        ([[0, np.nan, 2]], r"X\[0, 1\] is nan"),
        ([["a", "b", "c"]], "np.unique"),
        (np.full((1, 3), 2**40), r"X\[0, 0\] is 1099511627776"),
        ([0, 1, 2], r"pass X\[None\]"),
    ],
)
def test_whole_numbers_out_of_range(tokens: Any, told: str) -> None:
    with pytest.raises(DataError, match=told):
        prepare_inputs(TOKENS, tokens)


def test_weights_take_their_port_wherever_it_stands() -> None:
    x, w, y = prepare(WEIGHTED, X, Y + 3, sample_weight=[1, 0, 2, 3, 4])
    assert x.shape == (5, 4)
    assert w.tolist() == [1, 0, 2, 3, 4] and w.dtype == np.float32
    assert y.tolist() == (Y + 3).tolist()
    assert prepare(WEIGHTED, X, Y)[1].tolist() == [1] * 5


@pytest.mark.parametrize(
    ("weights", "told"),
    [
        ([1, 1, -2, 1, 1], r"sample_weight\[2\] is -2.0; a weight is at least 0"),
        ([1, 1, np.inf, 1, 1], r"sample_weight\[2\] is inf"),
        ([1, 1], "sample_weight has 2"),
        (np.ones((5, 1)), r"pass sample_weight\[..., 0\]"),
        (["a"] * 5, "expected numbers"),
    ],
)
def test_bad_weights(weights: Any, told: str) -> None:
    with pytest.raises(DataError, match=told):
        prepare(WEIGHTED, X, Y, sample_weight=weights)


def test_weights_for_a_network_without() -> None:
    with pytest.raises(DataError, match="sample_weights=True"):
        prepare(REAL, X, Y, sample_weight=np.ones(5))


@pytest.mark.parametrize(
    ("least", "rows", "batch", "drop_last", "told"),
    [
        (2, 10, 1, False, "batch_size is 1.*pass batch_size=2"),
        (2, 10, 3, False, "last batch of an epoch has 1 of the 10 rows.*drop_last=True or batch_size=2"),
        (3, 2, 2, True, "X has 2 rows, but .* at least 3"),
        (2, 1, 1, False, "X has 1 rows"),
        (2, 7, 2, False, "has 1 of the 7 rows.*batch_size=4"),
    ],
)
def test_batches_of_too_few_rows(least: int, rows: int, batch: int, drop_last: bool, told: str) -> None:
    with pytest.raises(DataError, match=told):
        check_least_rows(least, rows, batch, drop_last)


@pytest.mark.parametrize(("least", "rows", "batch", "drop_last"), [(1, 9, 2, False), (2, 9, 2, True), (2, 8, 3, False)])
def test_batches_of_enough_rows(least: int, rows: int, batch: int, drop_last: bool) -> None:
    check_least_rows(least, rows, batch, drop_last)
