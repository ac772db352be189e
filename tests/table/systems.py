"""Networks put together from a loss's own equations: some outputs z1, z2, ... = f(x W^T + b), then the loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import symbackprop as sb
from symbackprop.declare.activations import activate
from symbackprop.declare.losses import Loss, as_loss, sample_weights
from symbackprop.declare.regularizers import Penalized, penalty_parts, strengths
from symbackprop.language.nodes import TensorRef
from symbackprop.language.tensor import BATCH, Tensor
from symbackprop.records import System

INPUTS = 3


@dataclass(frozen=True)
class Net:
    """What a derivation takes of a network."""

    system: System
    strengths: dict[str, float]


def outputs(width: int, activation: Any, count: int) -> tuple[Tensor, list[Any], list[Tensor]]:
    """The input, all equations, and `count` outputs (N, width), each with a weight and a bias of its own."""
    n, j, k = sb.indices("n j k")
    x = Tensor("x", (BATCH, sb.Dim("n0", INPUTS)), "input")
    equations, made = [], []
    for number in range(1, count + 1):
        W, b = sb.parameter(f"W{number}", (width, INPUTS)), sb.parameter(f"b{number}", (width,), decay=False)
        z = Tensor(f"z{number}", (BATCH, W.dims[0]), adjoint=f"delta{number}")
        equations.append(sb.equation(z[n, j], sb.Sum(W[j, k] * x[n, k], k) + b[j]))
        if activation is not None:
            equations.append(activate(activation, z, f"a{number}"))
        made.append(equations[-1].lhs)
    return x, equations, made


def network(
    loss: Any,
    reduction: str | None = None,
    width: int = 4,
    activation: Any = None,
    weighted: bool = False,
    penalties: Any = (),
) -> Net:
    """Outputs, a loss of all of them, and penalties: (regularizer, "W1" | "b1" | "output")."""
    made: Loss = as_loss(loss, reduction)
    x, equations, predictions = outputs(width, activation, made.predictions)
    target = made.target("y", tuple(predictions))
    weight = sample_weights() if weighted else None
    parts = made.build(tuple(predictions), target, weight)
    known = tensors(*(eq.rhs for eq in equations))
    chosen = {t.name: t for t in known} | {"output": predictions[0]}
    items = [Penalized(r, chosen[on], on == "output") for r, on in penalties]
    more = penalty_parts((), items, ())
    objective = sb.equation(Tensor("L")[()], parts.objective + more.objective)
    forward = (*equations, *parts.equations, *more.equations)
    used = tensors(*(eq.rhs for eq in (*forward, objective)))
    targets = tuple(t for t in (target, weight) if t is not None)
    system = System(
        forward,
        objective,
        (x,),
        targets,
        tuple(predictions),
        tuple(t for t in used if t.kind == "parameter"),
        more.hypers,
        made.metric,
        states=tuple(t for t in used if t.kind == "state"),
    )
    return Net(system, strengths(p.regularizer for p in items))


def tensors(*forms: Any) -> tuple[Tensor, ...]:
    """The tensors in some expressions, by name."""
    found = {ref.tensor for form in forms for ref in form.atoms(TensorRef)}
    return tuple(sorted(found, key=lambda t: t.name))
