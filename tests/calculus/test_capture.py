"""Bound indices that have the name of a free one: nothing is captured, in substitution, derivation and code."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symbackprop as sb
from symbackprop.language.indices import canonical, free_indices, substitute
from symbackprop.language.nodes import Sum
from tests.calculus import reference_jax as ref
from tests.calculus.compare import assert_equal_gradients, assert_match_differences
from tests.calculus.programs import objective_of

jnp = ref.jnp
n, j, k = sb.indices("n j k")


def test_a_sum_forgets_the_letter_it_was_written_with() -> None:
    A = sb.tensor("A", (3, 3))
    assert free_indices(sb.Sum(A[n, j], j)) == (n,)
    assert set(free_indices(A[n, j] * sb.Sum(A[n, j], j))) == {n, j}
    assert canonical(sb.Sum(A[n, j], j)) == canonical(sb.Sum(A[n, k], k))
    assert canonical(sb.Sum(sb.Sum(A[j, k], j), k)) == canonical(sb.Sum(sb.Sum(A[k, j], k), j))
    assert canonical(sb.Sum(A[n, j], j)) != canonical(sb.Sum(A[j, n], j))


def test_a_free_index_is_not_captured_by_substitution() -> None:
    """n -> j in Sum(A[n, j], j) is Sum(A[j, i], i), not the trace; also where the sum holds j itself."""
    A = sb.tensor("A", (3, 3))
    assert canonical(substitute(sb.Sum(A[n, j], j), {n: j})) == canonical(sb.Sum(A[j, k], k))
    held = Sum.raw(A[n, j], (j,))
    assert canonical(substitute(held, {n: j})) == canonical(sb.Sum(A[j, k], k))
    assert free_indices(substitute(held, {n: j})) == (j,)
    assert substitute(held, {j: n}) == held, "a bound index was substituted"
    swapped = substitute(A[n, j] * held, {n: j, j: n})
    assert canonical(swapped) == canonical(A[j, n] * sb.Sum(A[j, k], k))


Formula = Callable[..., Any]
CASES: dict[str, tuple[Formula, Formula]] = {
    # the right side in symbackprop's words (x, A), and in jax.numpy
    "its own sum of squares": (
        lambda x, A: x[n, j] * A[j, j] * sb.Sum((x[n, j] * A[j, j]) ** 2, j),
        lambda x, A: x * jnp.diag(A) * ((x * jnp.diag(A)) ** 2).sum(1, keepdims=True),
    ),
    "a sum over the other free index": (
        lambda x, A: x[n, j] * sb.Sum(A[j, k] * sb.Sum(A[k, j] ** 2 * x[n, k], j), k),
        lambda x, A: x * jnp.einsum("jk,km,nk->nj", A, A**2, x),
    ),
    "a sum in a sum of one letter": (
        lambda x, A: sb.Sum(A[j, k] * x[n, k] * sb.Sum(sb.sin(A[j, k]), k), k),
        lambda x, A: jnp.einsum("jk,nk,j->nj", A, x, jnp.sin(A).sum(1)),
    ),
    "a sum over samples in a sample": (
        lambda x, A: sb.Sum(A[j, k] * x[n, k], k) - sb.Sum(x[n, j] * A[j, j], n) ** 2,
        lambda x, A: x @ A.T - (x.sum(0) * jnp.diag(A)) ** 2,
    ),
    "two sums of one letter": (
        lambda x, A: sb.Sum(A[j, k], k) * sb.Sum(A[k, j] * x[n, k], k) / (1 + sb.Sum(x[n, k] ** 2, k)),
        lambda x, A: A.sum(1) * (x @ A) / (1 + (x**2).sum(1, keepdims=True)),
    ),
    "softmax written with one letter": (
        lambda x, A: sb.exp(x[n, j] * A[j, 0]) / sb.Sum(sb.exp(x[n, j] * A[j, 0]), j),
        lambda x, A: ref.ACTIVATIONS["softmax"](x * A[:, 0]),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_gradients(name: str) -> None:
    formula, reference = CASES[name]

    def layer(x: sb.Tensor) -> sb.Block:
        A, z, v = sb.parameter("A", (3, 3)), sb.tensor("z", x.dims), sb.tensor("v", x.dims)
        # the second equation uses the first one's letters the other way round
        chained = sb.equation(v[k, j], z[k, j] + sb.Sum(z[k, n] * A[n, j], n))
        return sb.layer(v, sb.equation(z[n, j], formula(x, A)), chained)

    rng = np.random.default_rng(0)
    X, y, A = rng.normal(size=(4, 3)), rng.normal(size=(4, 3)), rng.normal(size=(3, 3))

    def objective(p: dict[str, Any]) -> tuple[Any, Any]:
        z = reference(X, p["A"])
        return ((z + z @ p["A"] - y) ** 2).mean(), jnp.inf

    expected = ref.value_and_gradients(objective, {"A": A})[1]
    model = sb.compile(sb.Network([sb.Input(3), layer], loss="mse"), target="numpy", dtype="float64")
    model.parameters["A"] = A
    got = model.gradients(X, y)
    assert_equal_gradients(got, expected, name)
    assert_match_differences(objective_of(model, X, y), {"A": A}, got, name)
