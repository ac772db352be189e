"""Lower a derivation to a program: statements without nested sums, fused into kernels."""

from __future__ import annotations

from collections.abc import Iterable

from ..language.nodes import Entry
from ..language.tensor import Tensor
from ..records import Derivation, Update
from .flatten import flatten
from .fuse import fuse
from .program import Kernel, Program, Statement
from .schedule import scheduled
from .verify import verify


def lower(derivation: Derivation, update: Update) -> Program:
    """The program of a derivation: all statements, the kernels of a training step, and each entry point's share."""
    system = derivation.system
    statements = flatten(derivation)
    objective = {derivation.objective.lhs}
    gradients = {eq.lhs for eq in derivation.gradients}
    outputs = set(system.outputs)
    kept = frozenset(objective | gradients | outputs)
    live = needed_statements(statements, kept)
    kernels = tuple(map(scheduled, fuse(live, kept, _levels(live, outputs, objective))))
    program = Program(
        derivation,
        update,
        statements,
        kernels,
        predict=_needed(kernels, outputs),
        loss=_needed(kernels, objective),
        gradients=_needed(kernels, objective | gradients),
    )
    verify(program)
    return program


def _levels(statements: tuple[Statement, ...], outputs: set[Tensor], objective: set[Tensor]) -> dict[Tensor, int]:
    """The first entry point that needs each statement: 0 predict, 1 loss, 2 gradients.

    A kernel belongs to one level: prediction has no targets to read, and a loss no gradients to write.
    """
    levels = {s.lhs: 2 for s in statements}
    levels |= {s.lhs: 1 for s in needed_statements(statements, objective)}
    return levels | {s.lhs: 0 for s in needed_statements(statements, outputs)}


def needed_statements(statements: tuple[Statement, ...], wanted: Iterable[Tensor]) -> tuple[Statement, ...]:
    """The statements that the wanted tensors depend on, in order."""
    live, chosen = set(wanted), []
    for s in reversed(statements):
        if s.lhs in live:
            chosen.append(s)
            live.update(e.tensor for e in s.body.atoms(Entry))
    return tuple(reversed(chosen))


def _needed(kernels: tuple[Kernel, ...], wanted: Iterable[Tensor]) -> tuple[Kernel, ...]:
    """The kernels that the wanted tensors depend on, in order."""
    live, chosen = set(wanted), []
    for kernel in reversed(kernels):
        if any(s.lhs in live for s in kernel.statements):
            chosen.append(kernel)
            live.update(e.tensor for s in kernel.statements for e in s.body.atoms(Entry))
    return tuple(reversed(chosen))
