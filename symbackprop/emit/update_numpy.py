"""The optimizer's update as NumPy reads it: one assignment an equation, on arrays of any shape."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sympy import Expr

from ..language.nodes import Entry, NextEntry
from ..language.tensor import Tensor
from ..records import Update
from ..runtime import Slot
from .dialect import NUMPY
from .names import numpy_names
from .printer import Printer
from .update import Range, group_ranges, numbered


@dataclass(frozen=True, slots=True)
class Assignment:
    """One assignment, and the equation that it stands for."""

    target: str
    value: str
    comment: str


@dataclass(frozen=True, slots=True)
class NumpyUpdate:
    """All that the template reads of an update; `scalars` are its arguments behind the states.

    `count` is how many hyper-parameters the optimizer has, the groups' own among them; `ranges` is empty where all
    parameters share theirs.
    """

    scalars: tuple[str, ...]
    states: tuple[str, ...]
    lines: tuple[Assignment, ...]
    results: tuple[str, ...]
    norm: bool
    count: int
    ranges: tuple[Range, ...]


def numpy_update(update: Update, first_hyper: int, places: Sequence[Slot]) -> NumpyUpdate:
    """The update, printed; `places` are the parameters' slots in the flat block."""
    names = _names(update)
    norm = () if update.norm is None else (names[update.norm],)

    def leaf(e: Expr) -> str | None:
        if isinstance(e, NextEntry):
            return f"{names[e.tensor]}_new"
        return names[e.tensor] if isinstance(e, Entry) else None

    printer = Printer(NUMPY, leaf)
    lines = []
    for eq in update.equations:
        inner = eq.lhs.kind == "intermediate"
        target, comment = (names[eq.lhs], eq.lhs.name) if inner else (f"{names[eq.lhs]}_new", f"next({eq.lhs.name})")
        lines.append(Assignment(target, printer.text(eq.rhs), numbered(eq) + comment))
    return NumpyUpdate(
        scalars=(*(names[h] for h in update.hypers), *norm),
        states=tuple(names[s] for s in update.states),
        lines=tuple(lines),
        results=tuple(f"{names[t]}_new" for t in (update.theta, *update.states)),
        norm=bool(norm),
        count=len(update.all_hypers),
        ranges=group_ranges(update, first_hyper, places),
    )


def _names(update: Update) -> dict[Tensor, str]:
    """theta, g and t as they are, states, hyper-parameters and named values wherever free."""
    taken = {update.theta: "theta", update.gradient: "g", update.step: "t"}
    inner = (eq.lhs for eq in update.equations if eq.lhs.kind == "intermediate")
    norm = () if update.norm is None else (update.norm,)
    return numpy_names((*update.states, *update.hypers, *inner, *norm)) | taken
