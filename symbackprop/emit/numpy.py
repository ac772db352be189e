"""Emit a program as a NumPy module: one assignment an equation, whole arrays, matrix products."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from sympy import Expr

from ..language.nodes import Entry
from ..language.tensor import Tensor
from ..lower import needed_statements
from ..lower.program import Program, Statement
from ..runtime import Source
from .arrays import Arrays
from .blocks import manifest, randoms, slots, title
from .names import numpy_names
from .render import render
from .update_numpy import NumpyUpdate, numpy_update


@dataclass(frozen=True, slots=True)
class Line:
    """One assignment, the number of the equation that it serves, and the shape; `helper`: a part of that equation."""

    target: str
    value: str
    number: int
    helper: bool
    shape: str


@dataclass(frozen=True, slots=True)
class Variable:
    """A tensor of the derivation and the variable that holds it; `shape` with N for the batch."""

    tensor: str
    name: str
    shape: str


@dataclass(frozen=True, slots=True)
class ModuleView:
    """All that the NumPy template reads."""

    title: str
    dtype: str
    inputs: tuple[str, ...]
    data: tuple[str, ...]
    training: tuple[str, ...]
    parameters: tuple[str, ...]
    scalars: tuple[str, ...]
    batch_of: str
    predict: tuple[Line, ...]
    loss: tuple[Line, ...]
    losses: tuple[Line, ...]
    unreduced: tuple[Variable, ...]
    gradients: tuple[Line, ...]
    trace: tuple[Line, ...]
    outputs: tuple[str, ...]
    objective: str
    gradient_names: tuple[str, ...]
    randoms: tuple[Variable, ...]
    renewed: tuple[Variable, ...]
    traced: tuple[Variable, ...]
    update: NumpyUpdate
    uses: tuple[str, ...]


def emit_numpy(program: Program, dtype: str) -> Source:
    """The NumPy source of a program; `dtype` is "float32" or "float64"."""
    system = program.derivation.system
    fixed = (*system.parameters, *system.states)
    drawn = randoms(program)
    names = _names(program)
    lines, calm = _modes(program, names)
    gradients = tuple(eq.lhs for eq in program.derivation.gradients)
    objective = program.derivation.objective.lhs
    view = ModuleView(
        title=title(program),
        dtype=dtype,
        inputs=tuple(names[t] for t in system.inputs),
        data=tuple(names[t] for t in (*system.inputs, *system.targets)),
        training=tuple(names[t] for t in (*system.inputs, *system.targets, *drawn)),
        parameters=tuple(names[t] for t in fixed),
        scalars=tuple(names[t] for t in system.hypers),
        batch_of=names[system.inputs[0]],
        predict=calm.of(system.outputs),
        loss=calm.of([objective]),
        losses=calm.of(system.unreduced),
        unreduced=tuple(_variable(t.name, t, names) for t in system.unreduced),
        gradients=lines.of(_of_a_step(program)),
        trace=lines.of(lines.named),
        outputs=tuple(names[t] for t in system.outputs),
        objective=names[objective],
        gradient_names=tuple(names[t] for t in gradients),
        randoms=tuple(_variable(t.name, t, names) for t in drawn),
        renewed=tuple(_variable(state.name, new, names) for state, new in program.renewed),
        traced=tuple(_variable(s.lhs.name, s.lhs, names) for s in program.statements if s.lhs in lines.named),
        update=numpy_update(program.update, len(system.hypers), slots(program)[0]),
        uses=tuple(dict.fromkeys((*lines.helpers(), *calm.helpers()))),
    )
    return Source("numpy", render("numpy/module.py.jinja", view), manifest(program, dtype))


def numpy_lines(program: Program) -> tuple[Line, ...]:
    """The assignments of a training step, then those of equations that only a loss without one computes."""
    lines, calm = _modes(program, _names(program))
    made = lines.of(_of_a_step(program))
    numbers = {line.number for line in made}
    return (*made, *(line for line in calm.of([program.derivation.objective.lhs]) if line.number not in numbers))


def _of_a_step(program: Program) -> list[Tensor]:
    """What a training step makes: the objective, the gradients, new values of states."""
    derivation = program.derivation
    gradients = (eq.lhs for eq in derivation.gradients)
    return [derivation.objective.lhs, *gradients, *(new for _, new in program.renewed)]


def _names(program: Program) -> dict[Tensor, str]:
    system = program.derivation.system
    arrays = (*system.inputs, *system.targets, *system.parameters, *system.states, *randoms(program), *system.hypers)
    statements = (*program.statements, *(program.inference or ()))
    return numpy_names(dict.fromkeys((*arrays, *(s.lhs for s in statements))))


def _modes(program: Program, names: dict[Tensor, str]) -> tuple[_Lines, _Lines]:
    """The lines of training and those of the other mode."""
    inference = program.statements if program.inference is None else program.inference
    return _Lines(program.statements, names), _Lines(inference, names)


def _variable(tensor: str, made: Tensor, names: dict[Tensor, str]) -> Variable:
    shape = ", ".join(d.name if d.size is None else str(d.size) for d in made.dims)
    return Variable(tensor, names[made], f"({shape}{',' if len(made.dims) == 1 else ''})")


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
            Line(self.names[s.lhs], arrays.value(s), s.source.number, s.lhs not in self.named, s.lhs.shape_text)
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
