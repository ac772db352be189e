"""Lower a derivation to a program: statements without nested sums, fused into kernels."""

from __future__ import annotations

from collections.abc import Iterable

from ..language.memo import Memo
from ..language.structure import tensors_of
from ..language.tensor import Tensor
from ..records import Derivation, Update
from .fuse import fuse
from .modes import inference_statements, renewed_states, shared, training_statements, verify_modes
from .program import Kernel, Program, Statement
from .verify import verify


def lower(derivation: Derivation, update: Update) -> Program:
    """The program of a derivation: all statements, the kernels, and each entry point's share of them.

    Where the modes differ, predict and loss run the equations of inference, gradients those of training.
    """
    memo = Memo()
    renewed = renewed_states(derivation)
    statements = training_statements(derivation, renewed, memo)
    outputs, objective = set(derivation.system.outputs), {derivation.objective.lhs}
    step = objective | {eq.lhs for eq in (*derivation.gradients, *renewed)}
    if derivation.inference is None:
        inference = None
        kernels = others = _kernels(memo, statements, step, objective, outputs)
    else:
        inference = inference_statements(derivation, statements, memo)
        kernels = _kernels(memo, statements, step)
        others = shared(_kernels(memo, inference, set(), objective, outputs), kernels)
    known = {k.name for k in kernels}
    program = Program(
        derivation,
        update,
        statements,
        (*kernels, *(k for k in others if k.name not in known)),
        predict=_needed(others, outputs),
        loss=_needed(others, objective),
        gradients=_needed(kernels, step),
        inference=inference,
        renewed=tuple((eq.lhs, new.lhs) for eq, new in zip(derivation.updates, renewed, strict=True)),
    )
    verify(program)
    verify_modes(program)
    return program


def _kernels(
    memo: Memo,
    statements: tuple[Statement, ...],
    step: set[Tensor],
    objective: Iterable[Tensor] = (),
    outputs: Iterable[Tensor] = (),
) -> tuple[Kernel, ...]:
    """The kernels that make what callers read: all of it (`step`), the objective alone, the outputs alone."""
    kept = frozenset({*step, *objective, *outputs})
    live = needed_statements(statements, kept)
    return fuse(live, kept, _levels(live, outputs, objective), memo)


def _levels(
    statements: tuple[Statement, ...], outputs: Iterable[Tensor], objective: Iterable[Tensor]
) -> dict[Tensor, int]:
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
            live.update(tensors_of(s.content))
    return tuple(reversed(chosen))


def _needed(kernels: tuple[Kernel, ...], wanted: Iterable[Tensor]) -> tuple[Kernel, ...]:
    """The kernels that the wanted tensors depend on, in order."""
    live, chosen = set(wanted), []
    for kernel in reversed(kernels):
        if any(s.lhs in live for s in kernel.statements):
            chosen.append(kernel)
            live.update(t for s in kernel.statements for t in tensors_of(s.content))
    return tuple(reversed(chosen))
