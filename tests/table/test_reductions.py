"""Every loss with every reduction and with sample weights, against JAX; the unreduced losses by name."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("jax", reason="the reference is JAX's; it is an extra, `dev`")

from symbackprop.declare.losses import REDUCTIONS
from symbackprop.load.compiler import find_compiler
from tests.calculus.programs import fresh_model
from tests.table.rows_losses import CASES, WIDTH, Case, data, objective, row
from tests.table.systems import network

FIRST = {case.block: case for case in reversed(CASES)}


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("case", FIRST.values(), ids=lambda case: case.block)
def test_a_reduction_with_sample_weights(case: Case, reduction: str) -> None:
    found = row(case, reduction, weighted=True).measure("numpy")
    assert max(found.errors.values()) <= 1e-10, found.errors


@pytest.mark.slow
@pytest.mark.skipif(
    find_compiler() is None, reason="no C compiler on this machine; `symbackprop doctor` says how to get one"
)
@pytest.mark.parametrize("reduction", ["mean", "none"])
@pytest.mark.parametrize("case", FIRST.values(), ids=lambda case: case.block)
def test_a_reduction_in_c(case: Case, reduction: str) -> None:
    found = row(case, reduction, weighted=True).measure("c")
    assert max(found.errors.values()) <= 1e-10, found.errors


@pytest.mark.parametrize("block", ["mse", "softmax_cross_entropy", "triplet"])
def test_the_losses_before_the_reduction(block: str) -> None:
    """`losses` has a number an entry, or a row where the loss is one of rows; their sum is the objective."""
    case = FIRST[block]
    model = fresh_model(network(case.loss, "none", WIDTH))
    rng = np.random.default_rng(0)
    model.parameters = {name: rng.normal(size=v.shape) for name, v in model.parameters.items()}
    drawn = data(case, rng)
    arrays = tuple(np.ascontiguousarray(drawn[k]) for k in ("x", "y") if k in drawn)
    got = model._module.trace(model._blocks.params, model._blocks.hypers, arrays)
    assert got["losses"].shape == ((5, WIDTH) if block == "mse" else (5,))
    assert got["losses"].sum() == pytest.approx(float(got["L"]), rel=1e-14)
    wanted = float(objective(case, dict(model.parameters), drawn, "none", False))
    assert got["L"] == pytest.approx(wanted, rel=1e-12)
