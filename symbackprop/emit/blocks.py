"""What the targets say alike of a program: its title, where each parameter lies in the flat block, its manifest."""

from __future__ import annotations

import math

from ..language.tensor import Tensor
from ..lower.program import Program
from ..records import Initializer
from ..runtime import Manifest, Port, Slot

ALIGNMENT = 16  # entries: one cache line of float32


def slots(program: Program) -> tuple[tuple[Slot, ...], int]:
    """The parameters' slots, each on a cache line, and the length of the block."""
    made, offset = [], 0
    for theta in program.derivation.system.parameters:
        shape = tuple(d.size for d in theta.dims if d.size is not None)
        made.append(Slot(theta.name, shape, offset, theta.init or Initializer("fan_in_uniform")))
        size = math.prod(shape)
        offset += -(-size // ALIGNMENT) * ALIGNMENT
    return tuple(made), offset


def title(program: Program) -> str:
    """One line that names the network by its shapes."""
    system = program.derivation.system
    shapes = " -> ".join(f"{t.name} {t.shape_text}" for t in (*system.inputs, *system.outputs))
    return f"{shapes}, {sum(t.entries for t in system.parameters)} parameters, {program.update.name}"


def manifest(program: Program, dtype: str) -> Manifest:
    """What the runtime must know of a program."""
    system, update = program.derivation.system, program.update
    parameters, block = slots(program)
    values = (*system.hypers, *update.hypers)
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
    )


def _port(tensor: Tensor) -> Port:
    role = "one_hot" if "normalized" in tensor.traits else "unit" if "unit" in tensor.traits else "real"
    shape = tuple(d.size for d in tensor.dims[1:] if d.size is not None)
    return Port(tensor.name, shape, role if tensor.kind == "target" else "real")
