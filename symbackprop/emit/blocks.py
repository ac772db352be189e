"""What the targets say alike of a program: its title, where each parameter lies in the flat block, its manifest."""

from __future__ import annotations

import math

from ..errors import DeclarationError
from ..language.structure import tensors_of
from ..language.tensor import Tensor
from ..lower.program import Program
from ..records import Initializer
from ..runtime import Manifest, Port, Slot

ALIGNMENT = 16  # entries: one cache line of float32
WHOLE = {"float32": 1 << 24, "float64": 1 << 53}  # up to here every whole number has an entry of its own


def slots(program: Program) -> tuple[tuple[Slot, ...], int]:
    """The parameters' slots, each on a cache line, and the length of the block."""
    return _slots(program.derivation.system.parameters, 0)


def fixed_slots(program: Program) -> tuple[Slot, ...]:
    """The slots of the model's states, which lie behind the block."""
    return _slots(program.derivation.system.states, slots(program)[1])[0]


def _slots(tensors: tuple[Tensor, ...], offset: int) -> tuple[tuple[Slot, ...], int]:
    """Slots from `offset` on, and where they end."""
    made = []
    for tensor in tensors:
        shape = tuple(d.size for d in tensor.dims if d.size is not None)
        made.append(Slot(tensor.name, shape, offset, tensor.init or Initializer("fan_in_uniform")))
        offset += -(-math.prod(shape) // ALIGNMENT) * ALIGNMENT
    return tuple(made), offset


def title(program: Program) -> str:
    """One line that names the network by its shapes."""
    system = program.derivation.system
    shapes = " -> ".join(f"{t.name} {t.shape_text}" for t in (*system.inputs, *system.outputs))
    return f"{shapes}, {sum(t.entries for t in system.parameters)} parameters, {program.update.name}"


def manifest(program: Program, dtype: str) -> Manifest:
    """What the runtime must know of a program.

    Raises `DeclarationError` for whole numbers that `dtype` cannot tell apart.
    """
    system, update = program.derivation.system, program.update
    parameters, block = slots(program)
    values = (*system.hypers, *update.all_hypers)
    for tensor in (*system.inputs, *system.targets):
        _check_levels(tensor, dtype)
    return Manifest(
        dtype=dtype,
        inputs=tuple(map(_port, system.inputs)),
        targets=tuple(map(_port, system.targets)),
        outputs=tuple(map(_port, system.outputs)),
        parameters=parameters,
        block=block,
        states=tuple(s.name for s in update.states),
        hypers=tuple((h.name, h.value or 0.0) for h in values),
        metric=system.metric,
        trace=tuple(s.lhs.name for s in program.statements if s.lhs is s.source.lhs),
        optimizer=update.name,
        fixed=fixed_slots(program),
        least_rows=system.least_rows,
        randoms=tuple(t.name for t in randoms(program)),
        starts=update.starts,
        unreduced=tuple(t.name for t in system.unreduced),
        bounds=tuple(h.bounds for h in values),
    )


def randoms(program: Program) -> tuple[Tensor, ...]:
    """The random tensors that a training step reads."""
    read = {t for s in program.statements for t in tensors_of(s.content)}
    return tuple(t for t in program.derivation.system.randoms if t in read)


def _check_levels(tensor: Tensor, dtype: str) -> None:
    most = WHOLE[dtype]
    if tensor.levels is not None and tensor.levels > most:
        wider = "; compile with dtype='float64'" if dtype == "float32" else ""
        raise DeclarationError(
            f"{tensor.name} {tensor.shape_text} holds whole numbers from 0 to {tensor.levels - 1}, but {dtype} has "
            f"all of them only up to {most}{wider}"
        )


def _port(tensor: Tensor) -> Port:
    shape = tuple(d.size for d in tensor.dims[1:] if d.size is not None)
    ignore = int(tensor.value) if "classes" in tensor.traits and tensor.value is not None else None
    return Port(tensor.name, shape, _role(tensor), tensor.levels or 0, ignore)


def _role(tensor: Tensor) -> str:
    if tensor.levels is not None:
        return "index"
    if tensor.kind != "target":
        return "real"
    if "sample_weight" in tensor.traits:
        return "weight"
    if {"normalized", "classes"} & tensor.traits:
        return "one_hot"
    if "sign" in tensor.traits:
        return "sign"
    return "unit" if "unit" in tensor.traits else "real"
