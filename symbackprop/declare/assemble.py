"""From what a network declares to its system of equations, in both modes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from ..errors import DeclarationError, did_you_mean
from ..language.tensor import Tensor
from ..records import Equation, System
from .build import Parts, build, exchange_parts
from .check import check_system
from .equation import equation
from .graph import Graph
from .objective import Objective, Share, build_objective
from .regularizers import penalty_parts
from .tensors import exchange, exchanged, of_kind, tensors_of
from .written import Written

if TYPE_CHECKING:
    from sympy import Expr


def assemble(
    body: Graph | Written, shares: Sequence[Share], regularizers: Sequence[Any], frozen: Sequence[str], weighted: bool
) -> System:
    """The checked system of a network. Raises `DeclarationError`, `ShapeError`."""
    parts = build(body)
    data = _own_names(build_objective(shares, parts.outputs, weighted), parts)
    learned = of_kind("parameter", (*_right_sides(parts.equations, data.equations), data.data))
    others = {t: replace(t, kind="state") for t in _matching(learned, frozen)}
    if others:
        parts, data = exchange_parts(parts, others), _exchange(data, others)
        learned = tuple(t for t in learned if t not in others)
    penalties = penalty_parts(regularizers, parts.penalties, learned)
    forward = (*parts.equations, *data.equations, *penalties.equations)
    objective = equation(Tensor("L")[()], data.data + penalties.objective)
    inference = _inference(forward, parts.inference, (*parts.outputs, *tensors_of(objective.rhs)))
    everything = (*forward, objective, *(inference or ()), *parts.updates)
    hypers = (*penalties.hypers, *data.hypers)
    states = dict.fromkeys((*of_kind("state", _right_sides(everything)), *(eq.lhs for eq in parts.updates)))
    system = System(
        forward=forward,
        objective=objective,
        inputs=parts.inputs,
        targets=data.targets,
        outputs=parts.outputs,
        parameters=learned,
        hypers=tuple(dict.fromkeys((*hypers, *of_kind("hyper", _right_sides(everything))))),
        metric=data.metric,
        inference=inference,
        states=tuple(states),
        updates=parts.updates,
        randoms=of_kind("random", _right_sides(forward)),
        least_rows=max(parts.least_rows, data.least_rows),
        unreduced=data.unreduced,
    )
    check_system(system)
    return system


def _exchange(data: Objective, others: dict[Tensor, Tensor]) -> Objective:
    unreduced = tuple(others.get(t, t) for t in data.unreduced)
    equations = exchanged(data.equations, others)
    return replace(data, equations=equations, data=exchange(data.data, others), unreduced=unreduced)


def _own_names(data: Objective, parts: Parts) -> Objective:
    """The objective, its tensors called otherwise where the network has a tensor of that name."""
    given = (*parts.inputs, *(t for eq in parts.equations for t in (eq.lhs, *tensors_of(eq.rhs))))
    taken = {t.name for t in given}
    twice = [eq.lhs for eq in data.equations if eq.lhs.name in taken]
    return _exchange(data, {t: replace(t, name=f"{t.name}_loss") for t in twice}) if twice else data


def _right_sides(*groups: Sequence[Equation]) -> list[Expr]:
    return [eq.rhs for group in groups for eq in group]


def _matching(parameters: tuple[Tensor, ...], patterns: Sequence[str]) -> list[Tensor]:
    """The parameters whose names match a pattern; a pattern that matches none is an error."""
    for pattern in patterns:
        if not any(fnmatchcase(t.name, pattern) for t in parameters):
            raise DeclarationError(
                f"frozen: no parameter matches {pattern!r}.{did_you_mean(pattern, [t.name for t in parameters])}"
            )
    return [t for t in parameters if any(fnmatchcase(t.name, p) for p in patterns)]


def _inference(
    forward: tuple[Equation, ...], changed: tuple[Equation, ...], ends: Sequence[Tensor]
) -> tuple[Equation, ...] | None:
    """All equations of the inference mode that it needs, in order; None where nothing is different."""
    if not changed:
        return None
    by_left = {eq.lhs: eq for eq in changed}
    needed, kept = set(ends), []
    for eq in reversed([by_left.get(eq.lhs, eq) for eq in forward]):
        if eq.lhs in needed:
            needed.update(tensors_of(eq.rhs))
            kept.append(eq)
    return tuple(reversed(kept))
