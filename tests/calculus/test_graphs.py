"""Random graphs of all kinds of layers, NumPy and C, against JAX's gradients of what they declare."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import symbackprop as sb
from symbackprop.load.compiler import find_compiler
from tests.calculus.compare import relative_errors
from tests.calculus.graphs import FAMILIES, draw, graph, jax_gradients

ROWS = 5
TOLERANCE = 1e-9
WITHOUT_SHRINKING = (Phase.explicit, Phase.reuse, Phase.generate)
"""A failure names its seed; shrinking would compile hundreds of networks."""
KINDS: Counter[str] = Counter()


def check(seed: int) -> None:
    """Both targets' gradients are JAX's."""
    net, kinds = graph(seed)
    system, values = net.system, draw(net, ROWS, seed)
    reference = jax_gradients(system, values, ROWS)
    data = [{t.name: values[t] for t in ports} for ports in (system.inputs, system.targets)]
    for target in ("numpy", "c"):
        if target == "c" and find_compiler() is None:
            continue
        model = sb.compile(net, target=target, dtype="float64", seed=0)
        model.parameters = {t.name: values[t] for t in system.parameters}
        errors = relative_errors(model.gradients(*data), reference)
        worst = max(errors, key=lambda name: np.nan_to_num(errors[name], nan=np.inf))
        assert errors[worst] <= TOLERANCE, f"{target}, seed {seed}: d{worst} is off by {errors[worst]:.3g}\n{net}"
    KINDS.update(kinds)


@pytest.mark.slow
@settings(max_examples=16, derandomize=True, database=None, phases=WITHOUT_SHRINKING)
@given(st.integers(0, 2**32))
def test_random_graphs(seed: int) -> None:
    check(seed)


@pytest.mark.full
@settings(max_examples=300, phases=WITHOUT_SHRINKING)
@given(st.integers(0, 2**32))
def test_three_hundred_random_graphs(seed: int) -> None:
    check(seed)


def test_graphs_mix_all_kinds_of_layers() -> None:
    """The generator reaches every family it lists, and shares weights of one structure."""
    met: Counter[str] = Counter()
    for seed in range(150):
        met.update(graph(seed)[1])
    assert set(FAMILIES) <= set(met)
    assert len(met) >= 12 and met["shared_dense"] > 1
