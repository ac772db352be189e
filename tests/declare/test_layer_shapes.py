"""Random shapes, strides, paddings, dilations, groups: equations and derived gradients, by definition, are JAX's."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

pytest.importorskip("jax", reason="the reference is JAX's; it is an extra, `dev`")

from hypothesis import given
from hypothesis import strategies as st

from symbackprop.declare import layers as of
from symbackprop.derive.adjoint import differentiate
from symbackprop.simplify.reuse import reuse_outputs
from tests.calculus.compare import assert_equal_gradients
from tests.declare.layer_cases import drawn, gradients, reference, system_of
from tests.interpreter import run
from tests.table.rows_layers import Case, avg_pool, conv, conv_transpose, max_pool

pytestmark = pytest.mark.slow


def check(case: Case, seed: int) -> None:
    """Forward and gradients of the case, as differentiation gives them."""
    system, tensors = system_of(case)
    values = drawn(case, tensors, np.random.default_rng(seed))
    derived = differentiate(system, reuse_outputs)
    assert_equal_gradients(gradients(derived, values, case, computed=False), reference(case, values, system), case)
    found = run(system.forward, values, case.rows)
    arrays = {t.name.rstrip("0123456789"): v for t, v in found.items()}
    fed = [found[t] for t in found if t.name.startswith("fed")]
    expected = np.asarray(case.forward(arrays, *fed, True))
    np.testing.assert_allclose(found[system.outputs[0]], expected, rtol=1e-11, atol=1e-11)


@st.composite
def convolutions(draw: Any) -> Case:
    """Of one or two axes; the window fits into the padded input."""
    axes = draw(st.integers(1, 2))
    groups = draw(st.sampled_from([1, 1, 2, 3]))
    channels, filters = groups * draw(st.integers(1, 2)), groups * draw(st.integers(1, 2))
    sizes = [tuple(draw(st.integers(low, high)) for _ in range(axes)) for low, high in ((1, 3), (1, 3), (0, 2), (1, 2))]
    kernel, stride, padding, dilation = sizes
    padding = tuple(min(p, k - 1) for p, k in zip(padding, kernel, strict=True))  # no window in the padding alone
    reach = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
    length = tuple(draw(st.integers(max(1, r - 2 * p), r + 4)) for r, p in zip(reach, padding, strict=True))
    kind: Any = of.Conv1d if axes == 1 else of.Conv2d
    layer = kind(filters, kernel, stride, padding, dilation, groups, bias=draw(st.booleans()))
    formula = conv(stride, [(p, p) for p in padding], dilation, groups)
    return Case(kind.__name__, "", ((channels, *length),), lambda: layer, formula, rows=2)


@st.composite
def transposed(draw: Any) -> Case:
    """Transposed convolutions whose output has at least one entry."""
    kernel, stride, dilation = draw(st.integers(1, 3)), draw(st.integers(1, 3)), draw(st.integers(1, 2))
    padding, extra = draw(st.integers(0, 1)), draw(st.integers(0, max(stride, dilation) - 1))
    low = max(1, math.ceil((2 * padding - dilation * (kernel - 1) - extra) / stride) + 1)
    length = tuple(draw(st.integers(low, low + 3)) for _ in range(2))
    layer = of.ConvTranspose2d(2, kernel, stride, padding, extra, dilation)
    formula = conv_transpose((stride, stride), padding, extra, dilation)
    return Case("ConvTranspose2d", "", ((2, *length),), lambda: layer, formula, rows=2)


@st.composite
def pools(draw: Any) -> Case:
    """Maxima and means, over windows that overlap, touch or leave gaps."""
    axes = draw(st.integers(1, 2))
    size = tuple(draw(st.integers(1, 3)) for _ in range(axes))
    stride = tuple(draw(st.integers(1, 4)) for _ in range(axes))
    padding = draw(st.integers(0, min(size) // 2))
    length = tuple(draw(st.integers(s, s + 5)) for s in size)
    kinds: list[Any] = [of.MaxPool1d, of.AvgPool1d] if axes == 1 else [of.MaxPool2d, of.AvgPool2d]
    place = draw(st.integers(0, 1))
    layer = kinds[place](size, stride, padding)
    formula = (max_pool, avg_pool)[place](size, stride, padding)
    return Case(type(layer).__name__, "", ((2, *length),), lambda: layer, formula, rows=2)


@st.composite
def reshapes(draw: Any) -> Case:
    """From any axes to any others of the same product."""
    primes = draw(st.lists(st.sampled_from([1, 2, 2, 3]), min_size=1, max_size=4))
    old, new = draw(_grouped(primes)), draw(_grouped(draw(st.permutations(primes))))
    return Case("Reshape", "", (old,), lambda: of.Reshape(new), lambda v, x, _: x.reshape(len(x), *new), rows=2)


@st.composite
def _grouped(draw: Any, factors: list[int]) -> tuple[int, ...]:
    """Neighbors multiplied, here and there."""
    sizes = [factors[0]]
    for f in factors[1:]:
        if draw(st.booleans()):
            sizes[-1] *= f
        else:
            sizes.append(f)
    return tuple(sizes)


@given(convolutions(), st.integers(0, 99))
def test_convolutions(case: Case, seed: int) -> None:
    check(case, seed)


@given(transposed(), st.integers(0, 99))
def test_transposed_convolutions(case: Case, seed: int) -> None:
    check(case, seed)


@given(pools(), st.integers(0, 99))
def test_pools(case: Case, seed: int) -> None:
    check(case, seed)


@given(reshapes(), st.integers(0, 99))
def test_reshapes(case: Case, seed: int) -> None:
    check(case, seed)
