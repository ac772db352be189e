"""The optimizer's update as C reads it: one loop over the flat block, or one for each range of a parameter group."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sympy import Expr

from ..declare.updating import group_of
from ..language.nodes import Entry, NextEntry
from ..language.tensor import Tensor
from ..lower.share import share
from ..records import Equation, Update
from ..runtime import Slot
from .comments import PLAIN_TEXT
from .dialect import C_DOUBLE, Dialect
from .names import c_names
from .nests import Local
from .printer import Printer


@dataclass(frozen=True, slots=True)
class Range:
    """Entries of the flat block from `first` to before `past`, and where the scalars of their group stand."""

    first: int
    past: int
    places: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class UpdateView:
    """All that the update's template reads; `states` are the slots' names in the order of the state block.

    `ranges` is empty where all parameters share their hyper-parameters.
    """

    title: str
    comments: tuple[str, ...]
    states: tuple[str, ...]
    scalars: tuple[Local, ...]
    values: tuple[Local, ...]
    stores: tuple[Local, ...]
    norm: bool
    ranges: tuple[Range, ...]


def update_view(update: Update, first_hyper: int, dialect: Dialect, places: Sequence[Slot]) -> UpdateView:
    """The update, printed; its hyper-parameters stand from `first_hyper` on in the scalar block.

    `places` are the parameters' slots in the flat block.
    """
    ranges = group_ranges(update, first_hyper, places)
    inner = [eq.lhs for eq in update.equations if eq.lhs.kind == "intermediate"]
    names = c_names((*update.states, *inner)) | {update.theta: "theta", update.gradient: "g"}
    scalars, values = _locals(update, _scalars(update, first_hyper, bool(ranges)), names, dialect)
    return UpdateView(
        title=update.name,
        comments=tuple(f"{numbered(eq)}{eq.lhs.name} <- {_plain(eq.rhs)}" for eq in update.equations),
        states=tuple(names[s] for s in update.states),
        scalars=scalars,
        values=values,
        stores=tuple(
            Local(f"{names[eq.lhs]}[i]", f"{names[eq.lhs]}_new") for eq in update.equations if eq.lhs not in inner
        ),
        norm=update.norm is not None,
        ranges=ranges,
    )


def _scalars(update: Update, first_hyper: int, grouped: bool) -> dict[Tensor, str]:
    """How what is the same for all entries is spelled."""
    made = {
        h: f"hyper[places[{i}]]" if grouped else f"hyper[{first_hyper + i}]" for i, h in enumerate(update.hypers)
    } | {update.step: "t"}
    return made if update.norm is None else made | {update.norm: "norm"}


def _locals(
    update: Update, outer: Mapping[Tensor, str], names: Mapping[Tensor, str], dialect: Dialect
) -> tuple[tuple[Local, ...], tuple[Local, ...]]:
    """What is computed before the loop in double precision, and what in it for each entry."""
    double = Printer(C_DOUBLE, lambda e: outer.get(e.tensor) if isinstance(e, Entry) else None)

    def leaf(e: Expr) -> str | None:
        if isinstance(e, NextEntry):
            return f"{names[e.tensor]}_new"
        if not isinstance(e, Entry) or e.tensor not in names:
            return None
        return names[e.tensor] if e.tensor.kind == "intermediate" else f"{names[e.tensor]}[i]"

    printer = Printer(dialect, leaf)
    scalars: list[Local] = []
    values: list[Local] = []
    for eq in update.equations:
        shared = share([eq.rhs], lambda e: isinstance(e, Entry) and e.tensor in outer, len(scalars) + len(values))
        scalars += [Local(n.name, double.text(n.value)) for n in shared.scalars]
        values += [Local(n.name, printer.text(n.value)) for n in shared.values]
        mark = "" if eq.lhs.kind == "intermediate" else "_new"
        values.append(Local(names[eq.lhs] + mark, printer.text(shared.bodies[0])))
    return tuple(scalars), tuple(values)


def group_ranges(update: Update, first_hyper: int, places: Sequence[Slot]) -> tuple[Range, ...]:
    """The ranges of the flat block with the scalars of each; () without groups.

    Raises `DeclarationError` for a group that no parameter belongs to, and for groups that overlap.
    """
    groups = group_of(update, [slot.name for slot in places])
    if not update.groups:
        return ()
    place = {h: first_hyper + i for i, h in enumerate(update.all_hypers)}
    starts = [i for i, g in enumerate(groups) if i == 0 or g != groups[i - 1]]
    ends = [*starts[1:], len(groups)]
    made = []
    for first, past in zip(starts, ends, strict=True):
        group, last = groups[first], places[past - 1]
        hypers = update.hypers if group is None else update.groups[group].hypers
        made.append(Range(places[first].offset, last.offset + math.prod(last.shape), tuple(place[h] for h in hypers)))
    return tuple(made)


def numbered(eq: Equation) -> str:
    """An equation's number in front of a comment."""
    return f"({eq.number}) " if eq.number else ""


def _plain(expr: Expr) -> str:
    def leaf(e: Expr) -> str | None:
        if isinstance(e, NextEntry):
            return f"next({e.tensor.name})"
        return e.tensor.name if isinstance(e, Entry) else None

    return Printer(PLAIN_TEXT, leaf).text(expr)
