"""Which losses a network has: on which outputs, with which weights; and the data part of the objective."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import DeclarationError, did_you_mean
from ..language.tensor import Tensor, hyper_tensor
from ..records import Equation
from .losses import as_loss, sample_weights
from .losses.base import Loss

if TYPE_CHECKING:
    from sympy import Expr

Names = Sequence[str | None]


@dataclass(frozen=True, slots=True)
class Share:
    """One loss, on the outputs at these places; its weight (None: 1, and no number at run time) and that one's name."""

    loss: Loss
    given: Any
    outputs: tuple[int, ...]
    weight: Any = None
    weight_name: str = "loss_weight"


@dataclass(frozen=True, slots=True)
class Objective:
    """The data part of the objective, with the equations to compute first."""

    equations: tuple[Equation, ...]
    data: Expr
    targets: tuple[Tensor, ...]
    hypers: tuple[Tensor, ...]
    metric: str | None
    least_rows: int
    unreduced: tuple[Tensor, ...] = ()


def as_shares(loss: Any, reduction: str | None, weights: Any, names: Names) -> tuple[Share, ...]:
    """The losses from one (on all outputs), a tuple (in the outputs' order) or a dict by output name.

    A loss of several predictions takes as many outputs of the tuple's; None stands for an output without a loss.
    """
    if isinstance(loss, Mapping):
        placed = _by_name(loss, names)
    elif isinstance(loss, (tuple, list)):
        placed = _in_row(loss, names)
    else:
        placed = [(None, loss, tuple(range(len(names))))]
    made = [(key, item, as_loss(item, reduction), places) for key, item, places in placed if item is not None]
    if not made:
        raise DeclarationError('a network needs a loss, as in loss="mse"')
    for _, item, found, places in made:
        _check_count(item, found, places, names)
    single = len(made) == 1
    values = _weights(weights, [key for key, *_ in made], single, len(names))
    return tuple(
        Share(found, item, places, value, "loss_weight" if single else _weight_name(names, places))
        for (_, item, found, places), value in zip(made, values, strict=True)
    )


def _by_name(losses: Mapping[Any, Any], names: Names) -> list[tuple[Any, Any, tuple[int, ...]]]:
    known = [n for n in names if n is not None]
    found = []
    for key, item in losses.items():
        for name in key if isinstance(key, tuple) else (key,):
            if name not in known:
                told = did_you_mean(name, known) if known else ' The outputs have no names: outputs={"a": h, ...}.'
                raise DeclarationError(f"loss= has {name!r}, which is no output of this network.{told}")
        places = tuple(names.index(name) for name in (key if isinstance(key, tuple) else (key,)))
        found.append((key, item, places))
    return sorted(found, key=lambda f: f[2])


def _in_row(losses: Sequence[Any], names: Names) -> list[tuple[Any, Any, tuple[int, ...]]]:
    found: list[tuple[Any, Any, tuple[int, ...]]] = []
    place = 0
    for number, item in enumerate(losses):
        count = 1 if item is None else as_loss(item, None).predictions
        found.append((number, item, tuple(range(place, place + count))))
        place += count
    if place != len(names):
        raise DeclarationError(
            f"loss= has {len(losses)} entries for {place} outputs, and the network has {len(names)}; give one for each "
            "output, None where there is no loss"
        )
    return found


def _check_count(item: Any, loss: Loss, places: tuple[int, ...], names: Names) -> None:
    if loss.predictions == len(places):
        return
    told = item if isinstance(item, str) else type(loss).__name__
    cure = f"give the network {loss.predictions} outputs"
    if loss.predictions == 1:
        cure = 'give each its own, loss=("mse", None, ...)'
    elif loss.predictions < len(names):
        cure = "name them: loss={(..., ...): ...}"
    raise DeclarationError(
        f"the loss {told} takes {loss.predictions} output(s), but was given {len(places)} of the network's "
        f"{len(names)}; {cure}"
    )


def _weights(weights: Any, keys: list[Any], single: bool, outputs: int) -> list[Any]:
    """A weight for every loss, in order; None without any. `outputs` is how many a tuple of losses may stand for."""
    from .schedule import number_or_schedule

    if weights is None:
        return [None] * len(keys)
    if isinstance(weights, Mapping):
        if strange := [k for k in weights if k not in keys]:
            raise DeclarationError(f"loss_weights has {strange[0]!r}, which loss= has not; it has: {keys}")
        found = [weights.get(k, 1.0) for k in keys]
    elif isinstance(weights, (tuple, list)):
        in_row = all(isinstance(k, int) for k in keys)
        chosen = keys if in_row else range(len(keys))
        if not max(chosen) < len(weights) <= (outputs if in_row else len(keys)):
            raise DeclarationError(f"loss_weights has {len(weights)} numbers; loss= has {len(keys)} losses")
        found = [weights[k] for k in chosen]
    elif single:
        found = [weights]
    else:
        raise DeclarationError(
            f"loss_weights is a tuple in the losses' order or a dict by output name; got {weights!r}"
        )
    return [number_or_schedule(w, "a loss weight") for w in found]


def _weight_name(names: Names, places: tuple[int, ...]) -> str:
    name = names[places[0]]
    return f"loss_weight{places[0] + 1}" if name is None else f"loss_weight_{name}"


def build_objective(shares: Sequence[Share], outputs: tuple[Tensor, ...], weighted: bool) -> Objective:
    """The equations of all losses, and their sum with the weights. `weighted`: every sample has a weight of its own."""
    from ..language.nodes import Entry
    from .schedule import first_value

    sample = sample_weights() if weighted else None
    aims = _targets(shares, outputs)
    equations: list[Equation] = []
    hypers: list[Tensor] = []
    unreduced: list[Tensor] = []
    total: Any = 0
    for number, (share, target) in enumerate(zip(shares, aims, strict=True), 1):
        tag = "" if number == 1 else str(number)
        parts = share.loss.build(tuple(outputs[p] for p in share.outputs), target, sample, tag)
        equations += parts.equations
        unreduced += [] if parts.unreduced is None else [parts.unreduced]
        part = parts.objective
        if share.weight is not None:
            hypers.append(hyper_tensor(share.weight_name, first_value(share.weight)))
            part = Entry(hypers[-1]) * part
        total = total + part
    targets = tuple(t for t in (*aims, sample) if t is not None)
    metric = _metric(shares, aims)
    rows = max(s.loss.least_rows for s in shares)
    return Objective(tuple(equations), total, targets, tuple(hypers), metric, rows, tuple(unreduced))


def _targets(shares: Sequence[Share], outputs: tuple[Tensor, ...]) -> list[Tensor | None]:
    """Every loss's target, or None: y for one, y_<output's name> for several."""
    predictions = [tuple(outputs[p] for p in share.outputs) for share in shares]
    made = [share.loss.target("y", given) for share, given in zip(shares, predictions, strict=True)]
    if sum(t is not None for t in made) < 2:
        return made
    names = [f"y_{given[0].name}" for given in predictions]
    unique = [n if names.index(n) == i else f"{n}_{names[:i].count(n) + 1}" for i, n in enumerate(names)]
    return [s.loss.target(name, given) for s, name, given in zip(shares, unique, predictions, strict=True)]


def _metric(shares: Sequence[Share], targets: list[Tensor | None]) -> str | None:
    """The one metric, if it compares the first output with the first target."""
    having = [i for i, share in enumerate(shares) if share.loss.metric is not None]
    if len(having) != 1 or shares[having[0]].outputs[0] != 0:
        return None
    first = next((i for i, t in enumerate(targets) if t is not None), None)
    return shares[having[0]].loss.metric if first == having[0] else None
