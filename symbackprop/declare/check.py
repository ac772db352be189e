"""Whether the equations of a network make sense together: names, order, what is used and what is not."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..errors import DeclarationError
from ..language.tensor import BATCH, Tensor
from ..records import Equation, System
from .tensors import followed, tensors_of, written

RESERVED = ("L", "N", "t", "theta", "g")


def check_system(system: System) -> None:
    """Raise `DeclarationError` unless every tensor is defined once before its use, has its own name, and is used."""
    known = _check_names(system)
    _check_modes(system, known)
    for eq in (*system.forward, system.objective, *(system.inference or ()), *system.updates):
        _check_real(eq)
    for output in system.outputs:
        if not output.dims or output.dims[0] != BATCH or BATCH in output.dims[1:]:
            raise DeclarationError(
                f"the output {output.name} {output.shape_text} must have the batch axis N first, and nowhere else"
            )
    _check_use(system)
    if not system.parameters:
        raise DeclarationError(
            "the network has no parameters, so there is nothing to train; add a layer that has some, such as sb.Dense"
        )
    _check_gradients(system)


def _check_names(system: System) -> dict[str, Tensor]:
    known: dict[str, Tensor] = {}

    def claim(tensor: Tensor) -> None:
        if tensor.name in RESERVED and tensor.kind != "hyper" and tensor is not system.objective.lhs:
            raise DeclarationError(f"the name {tensor.name} is reserved ({', '.join(RESERVED)}); choose another")
        if known.setdefault(tensor.name, tensor) is not tensor:
            raise DeclarationError(
                f"the name {tensor.name} is used twice: {known[tensor.name].kind} {known[tensor.name].shape_text} "
                f"and {tensor.kind} {tensor.shape_text}; give one of them another name"
            )

    given = (*system.inputs, *system.targets, *system.hypers, *system.parameters, *system.states, *system.randoms)
    for tensor in given:
        claim(tensor)
    for eq in (*system.forward, system.objective):
        for tensor in tensors_of(eq.rhs):
            if known.get(tensor.name) is not tensor:
                claim(tensor)
                raise DeclarationError(_undefined(tensor, eq))
        if known.get(eq.lhs.name) is eq.lhs:
            raise DeclarationError(f"{eq.lhs.name} is defined twice; its second equation is {written(eq)}")
        claim(eq.lhs)
    return known


def _undefined(tensor: Tensor, eq: Equation) -> str:
    if tensor.kind in ("input", "target"):
        return f"{written(eq)} reads {tensor.name} {tensor.shape_text}, {tensor.kind} of another network"
    return (
        f"{tensor.name} {tensor.shape_text} is used before an equation defines it, in {written(eq)}; is it a tensor of "
        "another network, or does its equation come later?"
    )


def _check_modes(system: System, known: dict[str, Tensor]) -> None:
    """The equations of inference and the updates read tensors that are there, and inference draws nothing."""
    for eq in system.inference or ():
        for tensor in tensors_of(eq.rhs):
            if tensor.kind == "random":
                raise DeclarationError(
                    f"inference reads the random tensor {tensor.name} {tensor.shape_text}, in {written(eq)}; give the "
                    "layer an inference equation without it, sb.layer(..., inference=(...))"
                )
    if system.inference is None and system.randoms:
        name = system.randoms[0]
        raise DeclarationError(
            f"the random tensor {name.name} {name.shape_text} has no meaning at inference; give its layer an equation "
            "for that, sb.layer(..., inference=(...))"
        )
    _check_order(system.inference or (), {*known.values()} - {eq.lhs for eq in system.forward})
    for eq in system.updates:
        _check_order((eq,), {*known.values()})


def _check_order(equations: Iterable[Equation], known: set[Tensor]) -> None:
    """Every equation reads only what is known, or defined before it."""
    for eq in equations:
        for tensor in tensors_of(eq.rhs):
            if tensor not in known:
                raise DeclarationError(_undefined(tensor, eq))
        known.add(eq.lhs)


def _check_real(eq: Equation) -> None:
    """A tensor of whole numbers stands as an index, or in a condition."""
    from sympy.core.relational import Relational

    from ..language.brackets import At
    from ..language.nodes import Entry, Index, TensorRef

    waiting: list[Any] = [eq.rhs]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Entry):
            if node.tensor.levels is not None:
                raise DeclarationError(
                    f"{written(eq)}: {node.tensor.name} {node.tensor.shape_text} holds whole numbers 0 to "
                    f"{node.tensor.levels - 1}, and stands where a real number is needed; look it up in a table, "
                    "sb.layers.Embedding(vocabulary, width), or declare it without levels"
                )
        elif not isinstance(node, (At, Relational, Index, TensorRef)):
            waiting += node.args


def _closure(wanted: Iterable[Tensor], reads: dict[Tensor, tuple[Tensor, ...]]) -> set[Tensor]:
    """The tensors, and all that they depend on."""
    found: set[Tensor] = set()
    waiting = list(wanted)
    while waiting:
        tensor = waiting.pop()
        if tensor not in found:
            found.add(tensor)
            waiting += reads.get(tensor, ())
    return found


def _check_use(system: System) -> None:
    """No equation that nothing needs, no input without a use, no output without an input."""
    reads = {eq.lhs: tensors_of(eq.rhs) for eq in (*system.forward, system.objective)}
    ends = [*system.outputs, system.objective.lhs]
    for eq in (*system.updates, *(system.inference or ())):
        ends += tensors_of(eq.rhs)
    used = _closure(ends, reads)
    for eq in system.forward:
        if eq.lhs not in used:
            raise DeclarationError(
                f"nothing uses {eq.lhs.name} {eq.lhs.shape_text}, which {written(eq)} defines; drop the equation, or "
                f"make {eq.lhs.name} an output"
            )
    for tensor in system.inputs:
        if tensor not in used:
            raise DeclarationError(
                f"unused input: no output depends on {tensor.name} {tensor.shape_text}; use it, or drop it from inputs="
            )
    for output in system.outputs:
        if not _closure([output], reads) & set(system.inputs):
            raise DeclarationError(
                f"the output {output.name} {output.shape_text} does not depend on any input "
                f"({', '.join(f'{t.name} {t.shape_text}' for t in system.inputs)}); read one in the equations before it"
            )


def _check_gradients(system: System) -> None:
    """The loss depends on every parameter, other than through stop_gradient."""
    reads = {eq.lhs: followed(eq.rhs) for eq in (*system.forward, system.objective)}
    learned = _closure([system.objective.lhs], reads)
    for theta in system.parameters:
        if theta not in learned:
            where = next((written(eq) for eq in system.forward if theta in tensors_of(eq.rhs)), "the objective")
            raise DeclarationError(
                f"the parameter {theta.name} {theta.shape_text} would never be trained: no loss depends on it, but "
                f'{where} reads it; give that output a loss, or freeze it: frozen=("{theta.name}",)'
            )
