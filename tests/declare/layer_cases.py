"""The layers' cases as tensors, values and small systems, for their judges by definition."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from symbackprop.declare.equation import Block, equation
from symbackprop.declare.layers.base import Names
from symbackprop.language.functions import Sum, indices
from symbackprop.language.tensor import BATCH, Dim, Tensor, parameter
from symbackprop.records import Derivation, System
from tests.interpreter import read_by, run
from tests.table.rows_layers import Case

Array = np.ndarray[Any, Any]


def inputs_of(row: Case) -> tuple[Tensor, ...]:
    """The row's input tensors."""
    return tuple(
        Tensor(
            f"x{k}", (BATCH, *(Dim(f"n{k}_{a}", s) for a, s in enumerate(shape))), "input", levels=row.levels or None
        )
        for k, shape in enumerate(row.shapes)
    )


def drawn(row: Case, tensors: tuple[Tensor, ...], rng: np.random.Generator) -> dict[Tensor, Array]:
    """Values for inputs, parameters, states, random and run-time numbers."""
    values: dict[Tensor, Array] = {}
    for t in tensors:
        shape = tuple(row.rows if s is None else s for s in t.sizes)
        if t.kind == "hyper":
            values[t] = np.array(t.value)
        elif t.levels is not None:
            values[t] = rng.integers(0, t.levels, shape).astype(float)
        elif t.kind in ("state", "random") or t.name.startswith("sigma"):
            values[t] = rng.random(shape) + (0 if t.kind == "random" else 0.5)
        else:
            values[t] = rng.normal(size=shape)
    return values


def given_to(block: Block) -> tuple[Tensor, ...]:
    """Every tensor that the block's equations read and do not define."""
    return read_by((*block.equations, *block.inference))


def system_of(row: Case) -> tuple[System, tuple[Tensor, ...]]:
    """The layer on x*P for a parameter P of a sample's shape, so that its input has a gradient; L = sum (h - y)^2."""
    inputs, forward, fed = inputs_of(row), [], []
    for x in inputs:
        fed.append(x)
        if x.levels is None:
            i = indices(" ".join("njkmpqrs"[: len(x.dims)]))
            P = parameter(f"P{x.name}", x.dims[1:])
            fed[-1] = Tensor(f"fed{x.name}", x.dims)
            forward.append(equation(fed[-1][i], x[i] * P[i[1:]]))
    block = row.make().build(Names(), *fed)
    forward += block.equations
    h = block.output
    y, i = Tensor("y", h.dims, "target"), indices(" ".join("njkmpqrs"[: len(h.dims)]))
    objective = equation(Tensor("L")[()], Sum((h[i] - y[i]) ** 2, *i))
    read = read_by(forward)
    of_kind = {kind: tuple(t for t in read if t.kind == kind) for kind in ("parameter", "hyper", "state", "random")}
    system = System(
        tuple(forward), objective, inputs, (y,), (h,), of_kind["parameter"], of_kind["hyper"], None,
        states=of_kind["state"], randoms=of_kind["random"],
    )  # fmt: skip
    return system, (*inputs, y, *(t for kind in of_kind.values() for t in kind))


def reference(row: Case, values: dict[Tensor, Any], system: System) -> dict[str, Any]:
    """JAX's gradients by parameter name."""
    known = {t.name: v for t, v in values.items()}

    def objective(parameters: dict[str, Any]) -> Any:
        all_values = {**known, **parameters}
        fed = [all_values[x.name] * (1 if x.levels else all_values[f"P{x.name}"]) for x in system.inputs]
        stems = {name.rstrip("0123456789"): v for name, v in all_values.items()}
        return ((row.forward(stems, *fed, True) - all_values["y"]) ** 2).sum()

    return {
        name: np.asarray(g) for name, g in jax.grad(objective)({t.name: values[t] for t in system.parameters}).items()
    }


def gradients(derivation: Derivation, values: dict[Tensor, Any], row: Case, computed: bool) -> dict[str, Any]:
    """The derived gradients by parameter name."""
    d = derivation
    found = run((*d.forward, d.objective, *d.adjoints, *d.gradients), values, row.rows, computed)
    return {theta.name: found[eq.lhs] for theta, eq in zip(d.system.parameters, d.gradients, strict=True)}
