"""Philox against the known answers of its authors, and what is drawn with it."""

from __future__ import annotations

import numpy as np
import pytest

from symbackprop.streams import normal, permutation, philox, stream_id, uniform

ONES = 2**64 - 1
KNOWN = [
    ((0, 0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((ONES, ONES, ONES), (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x299F31D0A4093822, 0x0370734413198A2E, 0x85A308D3243F6A88),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]
"""(seed, stream, index) -> words: the known-answer vectors of Random123 for philox4x32-10."""


@pytest.mark.parametrize(("at", "words"), KNOWN)
def test_known_answers(at: tuple[int, int, int], words: tuple[int, ...]) -> None:
    seed, stream, index = at
    assert philox(seed, stream, index, 1).tolist() == [list(words)]


def test_a_block_does_not_depend_on_what_is_drawn_with_it() -> None:
    many = philox(5, 6, 2**32 - 20_000, 40_000)
    assert many.dtype == np.uint32
    assert many.shape == (40_000, 4)
    for i in (0, 1, 16_383, 16_384, 19_999, 20_000, 39_999):
        np.testing.assert_array_equal(many[i], philox(5, 6, 2**32 - 20_000 + i, 1)[0])


def test_indices_and_streams_wrap_around() -> None:
    np.testing.assert_array_equal(philox(1, 2, ONES, 2)[1], philox(1, 2, 0, 1)[0])
    np.testing.assert_array_equal(philox(1, 2**64 + 2, 0, 3), philox(1, 2, 0, 3))
    np.testing.assert_array_equal(philox(-1, 2, 0, 3), philox(ONES, 2, 0, 3))


def test_seeds_and_streams_differ() -> None:
    drawn = [philox(s, t, 0, 100).tobytes() for s in (0, 1, 2**32) for t in (0, 1, 2**32)]
    assert len(set(drawn)) == len(drawn)


def test_a_stream_belongs_to_its_name() -> None:
    assert stream_id("symbackprop/shuffle") == 0xB81803B4E2BD40CA
    assert stream_id("W1") != stream_id("W2")
    assert 0 <= stream_id("σ") < 2**64


@pytest.mark.parametrize("rows", [0, 1, 2, 1000])
def test_a_permutation_is_one(rows: int) -> None:
    order = permutation(3, 4, rows)
    assert order.dtype == np.int64
    np.testing.assert_array_equal(np.sort(order), np.arange(rows))


def test_every_epoch_and_seed_has_its_own_order() -> None:
    orders = {permutation(s, e, 50).tobytes() for s in range(5) for e in range(5)}
    assert len(orders) == 25


def test_orders_are_fair() -> None:
    """Each of the 24 orders of 4 rows comes up about equally often: chi squared, 23 degrees, p = 0.001."""
    counts: dict[bytes, int] = {}
    for epoch in range(4800):
        order = permutation(9, epoch, 4).tobytes()
        counts[order] = counts.get(order, 0) + 1
    assert len(counts) == 24
    assert sum((c - 200) ** 2 / 200 for c in counts.values()) < 49.7


def test_uniform_numbers() -> None:
    wide, narrow = uniform(1, 2, 100_001), uniform(1, 2, 100_001, np.float32)
    assert (wide.dtype.name, narrow.dtype.name) == ("float64", "float32")
    assert wide.min() >= 0.0
    assert wide.max() < 1.0
    assert narrow.max() < 1.0
    assert abs(wide.mean() - 0.5) < 4 * np.sqrt(1 / 12 / 100_001)
    assert abs(wide.var() - 1 / 12) < 0.002
    np.testing.assert_array_equal(narrow, np.floor(wide * 2**24) / 2**24)
    np.testing.assert_array_equal(uniform(1, 2, 7), wide[:7])


def test_uniform_numbers_have_two_types() -> None:
    with pytest.raises(ValueError, match="float32 or float64; got float16"):
        uniform(0, 0, 1, np.float16)


def test_normal_numbers() -> None:
    z = normal(1, 2, 100_001)
    assert z.shape == (100_001,)
    assert abs(z.mean()) < 4 / np.sqrt(100_001)
    assert abs(z.var() - 1.0) < 4 * np.sqrt(2 / 100_001)
    assert abs((z**4).mean() - 3.0) < 0.15
    assert abs(np.corrcoef(z[:-1:2], z[1::2])[0, 1]) < 0.02
    share = [(np.abs(z) < s).mean() for s in (1.0, 2.0, 3.0)]
    np.testing.assert_allclose(share, [0.6827, 0.9545, 0.9973], atol=0.006)
    np.testing.assert_array_equal(normal(1, 2, 4), z[:4])
    assert normal(1, 2, 0).shape == (0,)
