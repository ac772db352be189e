"""Penalties: which regularizer stands on which tensor, the names of their strengths, and their sum."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..language.tensor import Tensor
from ..records import Equation
from .bounds import NOT_NEGATIVE
from .schedule import first_value

if TYPE_CHECKING:
    from .regularizers import Regularizer


@dataclass(frozen=True, slots=True)
class Penalized:
    """A regularizer on one tensor of a layer; `activity`: on its output, then divided by the samples of the batch."""

    regularizer: Regularizer
    tensor: Tensor
    activity: bool = False


@dataclass(frozen=True, slots=True)
class PenaltyParts:
    """Equations to compute first, the penalties' sum (0: none), and the run-time strengths."""

    equations: tuple[Equation, ...]
    objective: Any
    hypers: tuple[Tensor, ...]


def penalized(regularizer: Regularizer | None, tensor: Tensor, activity: bool = False) -> tuple[Penalized, ...]:
    """A layer's penalty on one of its tensors; () without a regularizer."""
    return () if regularizer is None else (Penalized(regularizer, tensor, activity),)


def strength_names(regularizers: Iterable[Regularizer]) -> list[tuple[Regularizer, tuple[str, ...]]]:
    """The run-time names of each regularizer's strengths: lam, lam_2, ...; the same object has them once."""
    found: list[tuple[Regularizer, tuple[str, ...]]] = []
    counts: dict[str, int] = {}
    for r in regularizers:
        if any(r is known for known, _ in found):
            continue
        names = []
        for stem, _ in r.strengths:
            counts[stem] = counts.get(stem, 0) + 1
            names.append(stem if counts[stem] == 1 else f"{stem}_{counts[stem]}")
        found.append((r, tuple(names)))
    return found


def strengths(regularizers: Iterable[Regularizer]) -> dict[str, Any]:
    """Run-time values of the strengths by name, numbers or schedules."""
    return {
        name: value
        for r, names in strength_names(regularizers)
        for name, (_, value) in zip(names, r.strengths, strict=True)
    }


def penalty_parts(
    network_wide: Iterable[Regularizer],
    on_layers: Iterable[Penalized],
    parameters: Iterable[Tensor],
) -> PenaltyParts:
    """All penalties of a network: its own on the weights among `parameters`, then its layers'."""
    whole = tuple(network_wide)
    # a layer that is used twice names its weights twice; they are penalized once
    single = {(id(p.regularizer), p.tensor, p.activity): p for p in on_layers}
    items = [Penalized(r, theta) for r in whole for theta in parameters if "weight" in theta.traits or r.biases]
    items += single.values()
    named = strength_names((*whole, *(p.regularizer for p in single.values())))
    return _summed(items, named)


def _summed(items: list[Penalized], named: list[tuple[Regularizer, tuple[str, ...]]]) -> PenaltyParts:
    from ..language.nodes import Entry, Size
    from ..language.tensor import BATCH, hyper_tensor

    equations: list[Equation] = []
    hypers: list[Tensor] = []
    terms: list[Any] = []
    for number, (r, names) in enumerate(named):
        made = [hyper_tensor(n, first_value(v), NOT_NEGATIVE) for n, (_, v) in zip(names, r.strengths, strict=True)]
        hypers += made
        for item in (i for i in items if i.regularizer is r):
            before, formulas = r.formulas(item.tensor, "" if number == 0 else f"_{number + 1}")
            equations += before
            share: Any = sum((Entry(lam) * f for lam, f in zip(made, formulas, strict=True)), start=0)
            terms.append(share / Size(BATCH) if r.over_n or item.activity else share)
    return PenaltyParts(tuple(equations), _added(terms), tuple(hypers))


def _added(terms: list[Any]) -> Any:
    """The sum by halves: one term after another would sort the whole sum for each of them."""
    if len(terms) < 2:
        return terms[0] if terms else 0
    middle = len(terms) // 2
    return _added(terms[:middle]) + _added(terms[middle:])
