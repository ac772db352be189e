"""Emit a program as a NumPy module: one assignment an equation, whole arrays, matrix products."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from sympy import Expr

from ..language.nodes import Entry, NextEntry
from ..language.tensor import Tensor
from ..lower import needed_statements
from ..lower.program import Program, Statement
from ..records import Update
from ..runtime import Source
from .arrays import Arrays
from .blocks import manifest, title
from .dialect import NUMPY
from .names import numpy_names
from .printer import Printer
from .render import render


@dataclass(frozen=True, slots=True)
class Line:
    """One assignment with its comment (equation number and shape)."""

    target: str
    value: str
    comment: str


@dataclass(frozen=True, slots=True)
class ModuleView:
    """All that the NumPy template reads."""

    title: str
    dtype: str
    inputs: tuple[str, ...]
    data: tuple[str, ...]
    parameters: tuple[str, ...]
    scalars: tuple[str, ...]
    batch_of: str
    predict: tuple[Line, ...]
    loss: tuple[Line, ...]
    gradients: tuple[Line, ...]
    trace: tuple[Line, ...]
    outputs: tuple[str, ...]
    objective: str
    gradient_names: tuple[str, ...]
    traced: tuple[tuple[str, str], ...]
    update_scalars: tuple[str, ...]
    states: tuple[str, ...]
    update: tuple[Line, ...]
    update_results: tuple[str, ...]
    uses: tuple[str, ...]


def emit_numpy(program: Program, dtype: str) -> Source:
    """The NumPy source of a program; `dtype` is "float32" or "float64"."""
    system, update = program.derivation.system, program.update
    tensors = (*system.inputs, *system.targets, *system.parameters, *system.hypers)
    names = numpy_names((*tensors, *(s.lhs for s in program.statements)))
    lines = _Lines(program.statements, names)
    own = _update_names(update)
    gradients = tuple(eq.lhs for eq in program.derivation.gradients)
    objective = program.derivation.objective.lhs
    view = ModuleView(
        title=title(program),
        dtype=dtype,
        inputs=tuple(names[t] for t in system.inputs),
        data=tuple(names[t] for t in (*system.inputs, *system.targets)),
        parameters=tuple(names[t] for t in system.parameters),
        scalars=tuple(names[t] for t in system.hypers),
        batch_of=names[system.inputs[0]],
        predict=lines.of(system.outputs),
        loss=lines.of([objective]),
        gradients=lines.of([objective, *gradients]),
        trace=lines.of(lines.named),
        outputs=tuple(names[t] for t in system.outputs),
        objective=names[objective],
        gradient_names=tuple(names[t] for t in gradients),
        traced=tuple((s.lhs.name, names[s.lhs]) for s in program.statements if s.lhs in lines.named),
        update_scalars=tuple(own[h] for h in update.hypers),
        states=tuple(own[s] for s in update.states),
        update=_update_lines(update, own),
        update_results=tuple(f"{own[t]}_new" for t in (update.theta, *update.states)),
        uses=lines.helpers(),
    )
    return Source("numpy", render("numpy/module.py.jinja", view), manifest(program, dtype))


class _Lines:
    """Statements of a program as lines, for any set of wanted tensors."""

    def __init__(self, statements: tuple[Statement, ...], names: dict[Tensor, str]) -> None:
        self.statements = statements
        self.names = names
        self.named = {s.source.lhs for s in statements}

    def of(self, wanted: Iterable[Tensor]) -> tuple[Line, ...]:
        """The lines that the wanted tensors need; helper sums read once are written where they are read."""
        wanted = list(wanted)
        chosen = needed_statements(self.statements, wanted)
        reads: Counter[Tensor] = Counter(e.tensor for s in chosen for e in _entries(s.body))
        inlined = {s.lhs: s for s in chosen if s.lhs not in self.named and reads[s.lhs] == 1}
        arrays = Arrays(self.names, inlined)
        return tuple(
            Line(self.names[s.lhs], arrays.value(s), _comment(s, s.lhs in self.named))
            for s in chosen
            if s.lhs not in inlined
        )

    def helpers(self) -> tuple[str, ...]:
        """Functions that NumPy lacks and the program calls."""
        used = {type(f).__name__ for s in self.statements for f in s.body.atoms() | set(_nodes(s.body))}
        return tuple(n for n in ("erf", "erfc") if n in used)


def _entries(body: Expr) -> list[Entry]:
    """Entries with multiplicity, so that a tensor read twice is not written out twice."""
    if isinstance(body, Entry):
        return [body]
    return [e for a in body.args for e in _entries(a)]


def _nodes(body: Expr) -> list[Expr]:
    return [body, *(n for a in body.args for n in _nodes(a))]


def _comment(s: Statement, named: bool) -> str:
    number = f"({s.source.number})" if named else f"for ({s.source.number})"
    return f"{number}  {s.lhs.shape_text}"


def _update_names(update: Update) -> dict[Tensor, str]:
    """Names in the NumPy update: theta, g and t as they are, states and hyper-parameters wherever free."""
    taken = {update.theta: "theta", update.gradient: "g", update.step: "t"}
    return numpy_names((*update.states, *update.hypers)) | taken


def _update_lines(update: Update, names: dict[Tensor, str]) -> tuple[Line, ...]:
    def leaf(e: Expr) -> str | None:
        if isinstance(e, NextEntry):
            return f"{names[e.tensor]}_new"
        return names[e.tensor] if isinstance(e, Entry) else None

    printer = Printer(NUMPY, leaf)
    return tuple(Line(f"{names[eq.lhs]}_new", printer.text(eq.rhs), f"next({eq.lhs.name})") for eq in update.equations)
