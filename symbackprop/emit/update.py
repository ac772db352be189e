"""The optimizer's update as C reads it: one loop over the flat block."""

from __future__ import annotations

from dataclasses import dataclass

from sympy import Expr

from ..language.nodes import Entry, NextEntry
from ..lower.share import share
from ..records import Update
from .comments import PLAIN_TEXT
from .dialect import C_DOUBLE, Dialect
from .kernels import Local
from .names import c_names
from .printer import Printer


@dataclass(frozen=True, slots=True)
class UpdateView:
    """All that the update's template reads; `states` are the slots' names in the order of the state block."""

    title: str
    comments: tuple[str, ...]
    states: tuple[str, ...]
    scalars: tuple[Local, ...]
    values: tuple[Local, ...]
    stores: tuple[Local, ...]


def update_view(update: Update, first_hyper: int, dialect: Dialect) -> UpdateView:
    """The update, printed; its hyper-parameters stand from `first_hyper` on in the scalar block."""
    names = c_names(update.states) | {update.theta: "theta", update.gradient: "g"}
    hypers = {h: f"hyper[{first_hyper + i}]" for i, h in enumerate(update.hypers)}
    hypers[update.step] = "t"
    double = Printer(C_DOUBLE, lambda e: hypers.get(e.tensor) if isinstance(e, Entry) else None)

    def leaf(e: Expr) -> str | None:
        if isinstance(e, NextEntry):
            return f"{names[e.tensor]}_new"
        return f"{names[e.tensor]}[i]" if isinstance(e, Entry) and e.tensor in names else None

    printer = Printer(dialect, leaf)
    scalars: list[Local] = []
    values: list[Local] = []
    for eq in update.equations:
        shared = share([eq.rhs], lambda e: isinstance(e, Entry) and e.tensor in hypers, len(scalars) + len(values))
        scalars += [Local(n.name, double.text(n.value)) for n in shared.scalars]
        values += [Local(n.name, printer.text(n.value)) for n in shared.values]
        values.append(Local(f"{names[eq.lhs]}_new", printer.text(shared.bodies[0])))
    return UpdateView(
        title=update.name,
        comments=tuple(f"{eq.lhs.name} <- {_plain(eq.rhs)}" for eq in update.equations),
        states=tuple(names[s] for s in update.states),
        scalars=tuple(scalars),
        values=tuple(values),
        stores=tuple(Local(f"{names[eq.lhs]}[i]", f"{names[eq.lhs]}_new") for eq in update.equations),
    )


def _plain(expr: Expr) -> str:
    def leaf(e: Expr) -> str | None:
        if isinstance(e, NextEntry):
            return f"next({e.tensor.name})"
        return e.tensor.name if isinstance(e, Entry) else None

    return Printer(PLAIN_TEXT, leaf).text(expr)
