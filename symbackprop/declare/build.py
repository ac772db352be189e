"""From a graph of layers, or from plain equations, to the parts of a system."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..errors import DeclarationError
from ..language.tensor import BATCH, Tensor
from ..records import Equation
from .equation import Block
from .graph import Graph
from .handle import Handle, brief
from .layers.base import Names
from .tensors import exchanged, written
from .written import Written


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything of a system but its losses. `inference` are only the equations that take others' places."""

    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    equations: tuple[Equation, ...]
    inference: tuple[Equation, ...]
    updates: tuple[Equation, ...]
    penalties: tuple[Any, ...]
    least_rows: int


def build(body: Graph | Written) -> Parts:
    """The equations of all layers, with the names that outputs were given."""
    made, wished = _from_equations(body) if isinstance(body, Written) else _from_graph(body)
    others = {t: replace(t, name=name) for t, name in wished.items() if t.name != name}
    return exchange_parts(made, others)


def exchange_parts(parts: Parts, others: dict[Tensor, Tensor]) -> Parts:
    """The parts with other tensors in the place of some."""
    if not others:
        return parts
    return replace(
        parts,
        outputs=tuple(others.get(t, t) for t in parts.outputs),
        equations=exchanged(parts.equations, others),
        inference=exchanged(parts.inference, others),
        updates=exchanged(parts.updates, others),
        penalties=tuple(replace(p, tensor=others.get(p.tensor, p.tensor)) for p in parts.penalties),
    )


def _from_equations(body: Written) -> tuple[Parts, dict[Tensor, str]]:
    outputs = tuple(t for _, t in body.outputs)
    parts = _parts(body.inputs, outputs, body.blocks, body.equations)
    return parts, {t: name for name, t in body.outputs if name is not None}


def _from_graph(body: Graph) -> tuple[Parts, dict[Tensor, str]]:
    names = Names()
    made: dict[Handle, Tensor] = {}
    wished: dict[Tensor, str] = {}
    for place, item in enumerate(body.inputs):
        made[item] = item.tensor(BATCH, "n0" if place == 0 else f"n_{item.name}")
        names.makers[made[item]] = brief(item)
    blocks: list[Block] = []
    for place, node in enumerate(body.nodes, 2):
        tensors = tuple(made[i] for i in node.inputs)
        block = node.layer.build(names, *tensors) if hasattr(node.layer, "build") else node.layer(*tensors)
        if not isinstance(block, Block):
            raise DeclarationError(
                f"layer {place}, a function of a tensor, must return sb.layer(output, equation, ...); "
                f"got {type(block).__name__}"
            )
        blocks.append(block)
        made[node] = block.output
        names.makers[block.output] = f"layer {place}, {brief(node.layer)}"
        if node.name is not None:
            wished[block.output] = node.name
    wished |= {made[node]: name for name, node in body.outputs if name is not None}
    outputs = tuple(made[node] for _, node in body.outputs)
    equations = tuple(eq for block in blocks for eq in block.equations)
    return _parts(tuple(made[i] for i in body.inputs), outputs, tuple(blocks), equations), wished


def _parts(
    inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...], blocks: Sequence[Block], equations: tuple[Equation, ...]
) -> Parts:
    return Parts(
        inputs,
        outputs,
        equations,
        tuple(eq for block in blocks for eq in block.inference),
        _one_after_the_other([block.updates for block in blocks]),
        tuple(p for block in blocks for p in block.penalties),
        max((block.least_rows for block in blocks), default=1),
    )


def _one_after_the_other(updates: Sequence[tuple[Equation, ...]]) -> tuple[Equation, ...]:
    """The blocks' updates; where a layer is used twice, its second use begins with what the first one left."""
    latest: dict[Tensor, Equation] = {}
    for group in updates:
        latest |= {eq.lhs: _behind(eq, latest) for eq in group}
    return tuple(latest.values())


def _behind(eq: Equation, latest: dict[Tensor, Equation]) -> Equation:
    """An update that reads the new values of the states that were updated before."""
    from ..language.indices import substitute
    from ..language.nodes import Entry

    values = {}
    for entry in eq.rhs.atoms(Entry):
        before = latest.get(entry.tensor)
        if before is None:
            continue
        if type(entry) is not Entry or any(i not in eq.indices for i in entry.indices):
            raise DeclarationError(
                f"{written(eq)} updates {eq.lhs.name} a second time, from entries other than its own"
            )
        values[entry] = substitute(before.rhs, dict(zip(before.indices, entry.indices, strict=True)))
    return replace(eq, rhs=substitute(eq.rhs, values)) if values else eq
