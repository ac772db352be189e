"""Random equation layers that no one has named: gradients against JAX and against differences."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import symbackprop as sb
from symbackprop.load.compiler import find_compiler
from tests.calculus import equations, networks, trees
from tests.calculus import reference_jax as ref
from tests.calculus.compare import REFERENCE_TOLERANCE, assert_equal_gradients, assert_match_differences
from tests.calculus.programs import objective_of

Array = np.ndarray[Any, Any]
TAILS: tuple[tuple[ref.Layer, ...], ...] = (
    (),
    (ref.Layer(3, "root"),),
    (ref.Layer(2, "softplus"), ref.Layer(3, "identity")),
)
KINK_DISTANCE = 1e-3
"""Differences are taken only so far away from kinks that no step crosses one."""
WITHOUT_SHRINKING = (Phase.explicit, Phase.reuse, Phase.generate)


def numbers(
    system: trees.System, tail: tuple[ref.Layer, ...], rows: int, seed: int
) -> tuple[dict[str, Array], Array, Array]:
    """Parameters, input and target."""
    rng = np.random.default_rng(seed)
    sizes, shapes = dict(system.sizes), dict(system.tensors)
    made = {p: rng.uniform(-1, 1, [sizes[d] for d in shapes[p]]) for p in system.parameters}
    inner = [sizes[d] for d in shapes[system.equations[-1].lhs][1:]]
    net = ref.Network((inner[-1] or 1,), tail, "mse", "mean")
    made |= networks.parameters(net, rng)
    if tail:
        inner[-1] = tail[-1].width
    x = rng.uniform(-1, 1, (rows, *(sizes[d] for d in shapes["x"][1:])))
    return made, x, rng.normal(size=(rows, *inner))


def describe(system: trees.System) -> str:
    """The equations, for a failure's message."""
    lines = [f"{eq.lhs}[{', '.join(eq.indices)}] = {trees.text(eq.rhs)}" for eq in system.equations]
    return "\n".join([*lines, f"sizes {system.sizes}", f"tensors {system.tensors}"])


def check(system: trees.System, tail: tuple[ref.Layer, ...], loss: str, rows: int, seed: int) -> None:
    """Every target gives JAX's gradients of JAX's objective; differences of the objective agree."""
    parameters, x, y = numbers(system, tail, rows, seed)

    def reference(p: dict[str, Array]) -> tuple[Any, Any]:
        output, margin = trees.forward(system, {**p, "x": x})
        output, _ = ref.layers_forward(tail, p, output)
        return ref.reduce(ref.LOSSES[loss](output, y), "mean"), margin

    value, gradients, margin = ref.value_and_gradients(reference, parameters)
    shape = tuple(x.shape[1:])
    layers = [
        sb.Input(shape),
        lambda t: trees.layer(system, t),
        *(sb.Dense(t.width or 0, networks.FUNCTIONS.get(t.activation, t.activation)) for t in tail),
    ]
    net = sb.Network(layers, loss=networks.loss_formula(loss))
    for target in ("numpy", "c"):
        if target == "c" and find_compiler() is None:
            continue
        model = sb.compile(net, target=target, dtype="float64")
        model.parameters.update(parameters)
        what = f"{target}, {rows} rows, seed {seed}, loss {loss}, tail {tail}\n{describe(system)}"
        got = model.gradients(x, y)
        used = {name: g for name, g in gradients.items() if name in got}
        assert not any(np.abs(gradients[name]).max() for name in set(gradients) - set(used)), what
        assert_equal_gradients(got, used, what)
        assert abs(model.evaluate(x, y)["loss"] - value) <= REFERENCE_TOLERANCE * max(abs(value), 1), what
        if target == "numpy" and margin > KINK_DISTANCE:
            assert_match_differences(objective_of(model, x, y), {n: parameters[n] for n in got}, got, what)


def check_random(feature: str, seed: int) -> None:
    """One random system with the feature. Its draws follow from a seed: hypothesis starts with all draws smallest."""
    draw = random.Random(f"{feature} {seed}")
    system = equations.Maker(draw).system(feature)
    loss = draw.choice(("mse", "log_cosh", "quartic"))
    check(system, draw.choice(TAILS), loss, draw.randint(1, 6), draw.randrange(2**32))


def _system(*equations_: tuple[str, tuple[str, ...], trees.Tree], **shapes: tuple[str, ...]) -> trees.System:
    """Equations by hand on x (N, P), P = 2 and Q = 3."""
    axes = tuple(equations.LETTERS.items())
    made = tuple(trees.Equation(lhs, indices, rhs, axes) for lhs, indices, rhs in equations_)
    left = {lhs: tuple(equations.LETTERS[i] for i in indices) for lhs, indices, _ in equations_}
    parameters = {name: dims for name, dims in shapes.items() if name != "x"}
    tensors = {"x": ("N", "P"), **left, **parameters}
    return trees.System(made, (("N", None), ("P", 2), ("Q", 3)), tuple(tensors.items()), tuple(parameters))


def _mul(*factors: trees.Tree) -> trees.Tree:
    return trees.Mul(factors)


ENTRY, TOTAL, CALL = trees.Entry, trees.Total, trees.Call
C_D = _mul(trees.Number(-1), ENTRY("C", ("m",)), ENTRY("D", ("j",)))
REPORTED: dict[str, trees.System] = {
    "the square of a sum with a coefficient": _system(
        ("v", ("n", "m"), trees.Add((ENTRY("x", ("n", 0)), CALL("exp_of_minus_square", TOTAL(C_D, "j"))))),
        C=("Q",),
        D=("P",),
    ),
    "a diagonal behind a constant index": _system(
        (
            "u",
            ("n", "j", "m"),
            trees.Add((TOTAL(_mul(ENTRY("A", ("m",)), ENTRY("x", ("n", "k"))), "k"), ENTRY("B", ("j", "j")))),
        ),
        ("v", ("n", "m"), CALL("cos", _mul(ENTRY("A", ("m",)), ENTRY("u", ("n", 0, "m"))))),
        A=("Q",),
        B=("P", "P"),
    ),
}
"""Equations that once gave wrong code."""


@pytest.mark.parametrize("name", REPORTED)
def test_equations_that_once_went_wrong(name: str) -> None:
    check(REPORTED[name], TAILS[2], "mse", 3, 0)


SEEDS = st.integers(0, 2**32 - 1)


@pytest.mark.parametrize("feature", equations.FEATURES)
def test_random_equations(feature: str) -> None:
    check_random(feature, 0)


@pytest.mark.full
@pytest.mark.parametrize("feature", equations.FEATURES)
@settings(max_examples=6, phases=WITHOUT_SHRINKING)
@given(seed=SEEDS)
def test_many_random_equations(feature: str, seed: int) -> None:
    check_random(feature, seed)
