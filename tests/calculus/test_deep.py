"""A deep network of equal blocks is worked out once a structure, not once a block."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import fields
from importlib import import_module
from typing import Any

import numpy as np
import pytest

import symbackprop as sb
from symbackprop import pipeline, simplify
from symbackprop.declare.optimizers import as_optimizer
from symbackprop.derive import adjoint
from symbackprop.derive.adjoint import differentiate
from symbackprop.emit import c, functions
from symbackprop.language import rebuild
from symbackprop.language.memo import Memo
from symbackprop.language.structure import instance_of
from symbackprop.lower import flatten, lower
from symbackprop.records import Chain
from symbackprop.simplify.reuse import reuse_outputs

fuse = import_module("symbackprop.lower.fuse")  # not the function of this name

WORK = [
    (adjoint, "partials"),
    (adjoint, "contract"),
    (simplify, "tidy"),
    (simplify, "with_computed"),
    (flatten, "refresh"),
    (flatten, "canonical"),
    (fuse, "substitute"),
    (fuse, "as_product"),
    (fuse, "form_of"),
    (functions, "kernel_view"),
]


def residual(blocks: int, first: int = 11) -> sb.Network:
    """Blocks after `first` layers, so that all numbers have two digits and sort alike."""
    x = sb.Input(6)
    h: Any = x
    for _ in range(first):
        h = sb.Dense(6)(h)
    for _ in range(blocks):
        h = sb.Dense(6)(sb.Dense(6, "relu")(h)) + h
    return sb.Network(inputs=x, outputs=sb.Dense(3)(h), loss="softmax_cross_entropy", weight_decay=0.1)


def work(net: sb.Network, monkeypatch: pytest.MonkeyPatch) -> tuple[Counter[str], str]:
    """How often each step was worked out, and the C text."""
    count: Counter[str] = Counter()
    with monkeypatch.context() as patch:
        for module, name in WORK:
            original = getattr(module, name)

            def counted(*args: Any, _original: Any = original, _name: str = name) -> Any:
                count[_name] += 1
                return _original(*args)

            patch.setattr(module, name, counted)
        patch.setenv("SYMBACKPROP_CACHE_DIR", "")
        return count, pipeline._generate(net, as_optimizer("sgd"), "float64")[0].text


def test_blocks_of_one_structure_are_worked_out_once(monkeypatch: pytest.MonkeyPatch) -> None:
    few, short = work(residual(8), monkeypatch)
    many, long = work(residual(24), monkeypatch)
    assert few == many
    assert all(few[name] for _, name in WORK)
    defined = [set(re.findall(r"^static void (k_\w+)\(", text, flags=re.M)) for text in (short, long)]
    assert len(defined[0]) == len(defined[1])


def plain(blocks: int) -> sb.Network:
    """A chain, after layers that bring the numbers to two digits."""
    dense = [sb.Dense(6, "tanh") for _ in range(10 + blocks)]
    return sb.Network([sb.Input(6), *dense, sb.Dense(3)], loss="mse")


def convolutional(blocks: int) -> sb.Network:
    """Convolutions of one size."""
    layers = [sb.layers.Conv2d(2, 3, padding=1, activation="relu") for _ in range(10 + blocks)]
    return sb.Network([sb.Input((2, 5, 5)), *layers, sb.layers.GlobalAvgPool(), sb.Dense(3)], loss="mse")


@pytest.mark.parametrize("net", [residual, plain, convolutional])
def test_no_block_s_expressions_are_put_together(net: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what is worked out, or printed, is an expression; the other blocks are structures with other names."""
    made = []
    for blocks in (4, 12):
        count = 0
        original = rebuild.Program.__call__

        def counted(self: rebuild.Program, *names: Any, _original: Any = original) -> Any:
            nonlocal count
            count += 1
            return _original(self, *names)

        with monkeypatch.context() as patch:
            patch.setattr(rebuild.Program, "__call__", counted)
            c.emit_c(lower(pipeline.derive(net(blocks)), as_optimizer("sgd").equations()), "float64")
        made.append(count)
    assert made[0] == made[1]


@pytest.mark.parametrize("net", [residual(3, first=1), convolutional(1)], ids=["residual", "convolutional"])
def test_chains_are_what_the_work_would_have_given(net: sb.Network, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every field of every use of the chain rule, with the names of its own block, worked out or looked up."""

    def chains() -> list[list[str]]:
        found = differentiate(net.system, reuse_outputs).chains
        return [[str(getattr(chain, part.name)) for part in fields(Chain)] for chain in found]

    known = chains()
    monkeypatch.setattr(adjoint, "Memo", lambda: adjoint._afresh)
    assert chains() == known


def test_an_expression_is_put_together_as_it_was() -> None:
    """The same tree from the same names, and with other names what evaluation gives."""
    for eq in pipeline.derive(residual(1, first=1)).adjoints:
        instance = instance_of(eq.evaluated)
        assert instance.expression() == eq.evaluated
        assert instance_of(instance.expression()) == instance


def test_a_memo_does_not_take_one_structure_for_another() -> None:
    """Which names are equal, how they sort, and what stands as a number are part of the structure."""
    n, m = sb.indices("n m")
    A, B = sb.parameter("A", (2, 2)), sb.parameter("B", (2, 2))
    memo = Memo()
    pairs = [
        (A[n, m], B[n, m]),
        (B[n, m], A[n, m]),
        (A[n, m], A[n, m]),
        (A[n, m], A[m, n]),
        (A[n, n], B[n, m]),
        (A[n, 0], B[n, m]),
        (A[n, 1], B[n, m]),
    ]
    made = [memo("product", pair, lambda pair=pair: (pair[0] * pair[1] + 1,)) for pair in pairs]  # type: ignore[misc]
    assert made == [(a * b + 1,) for a, b in pairs]
    assert len(memo.known) == len(pairs)
    i, j = sb.indices("n m")
    C, D = sb.parameter("C", (2, 2)), sb.parameter("D", (2, 2))
    (again,) = memo("product", (C[i, j], D[i, j]), lambda: pytest.fail("it is known"))  # type: ignore[arg-type]
    assert again.expression() == C[i, j] * D[i, j] + 1
    (again,) = memo("product", (D[i, j], C[i, j]), lambda: pytest.fail("it is known"))  # type: ignore[arg-type]
    assert again.expression() == C[i, j] * D[i, j] + 1


def test_shared_functions_are_called_with_each_block_s_arrays(target: str) -> None:
    """The same parameters in every block but one: its gradient is another."""

    net = residual(3, first=1)
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(5, 6)), rng.integers(0, 3, 5)
    models = [sb.compile(net, target=name, dtype="float64") for name in (target, "numpy")]
    values = {name: rng.normal(size=value.shape) for name, value in models[0].parameters.items()}
    made = []
    for model in models:
        model.parameters = values
        made.append(model.gradients(X, y))
    for name in values:
        np.testing.assert_allclose(made[0][name], made[1][name], rtol=1e-12)
    assert len({round(float(np.abs(g).sum()), 9) for g in made[0].values()}) == len(values)


def test_a_number_is_no_index() -> None:
    """Sums that differ only in reading entry 0 or entry j of an axis are two functions, and two derivatives."""
    n, m = sb.indices("n m")

    def layer(x: sb.Tensor) -> sb.Block:
        A, B, v = sb.parameter("A", (2, 2)), sb.parameter("B", (2, 2)), sb.tensor("v", (x.dim(0), 2))
        u = A[m, m] * x[n, 1, 0] + B[m, 1] * x[n, 1, m]
        return sb.layer(v, sb.equation(v[n, m], sb.where(u > 0.25, u**2, -u) + sb.Sum(A[1, m] * x[n, 2, m], m)))

    net = sb.Network([sb.Input((3, 2)), layer], loss="mse")
    rng = np.random.default_rng(3)
    values = {"A": rng.normal(size=(2, 2)), "B": rng.normal(size=(2, 2))}
    X, y = rng.normal(size=(4, 3, 2)), rng.normal(size=(4, 2))
    made = []
    for target in ("numpy", "c"):
        model = sb.compile(net, target=target, dtype="float64")
        model.parameters = values
        made.append(model.gradients(X, y))
    for name in values:
        np.testing.assert_allclose(made[0][name], made[1][name], rtol=1e-12, atol=1e-15)
