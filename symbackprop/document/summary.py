"""The table of the whole calculation, a row a layer: what goes forward, what comes back, the gradients."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..language.tensor import Tensor
from ..present.tree import Leaf
from ..records import Equation
from .records import Block, Formula, Sentence, Table
from .setting import Setting, tensors_of

NUMBERED = re.compile(r"(.*?\D)(\d+)_*")


@dataclass(frozen=True, slots=True)
class _Layer:
    """A layer's equations: z, a (where one tensor is made of z alone), delta and the gradients of its parameters."""

    number: str
    z: Equation
    a: Equation | None
    derivatives: tuple[Equation, ...]

    @property
    def kind(self) -> tuple[object, ...]:
        """What layers have in common that share their columns."""
        return _stem(self.z.lhs), self.a is None, tuple(_stem(eq.lhs) for eq in self.derivatives)


def blocks(setting: Setting) -> tuple[Block, ...]:
    """One table a kind of layer: layers whose tensors are called alike share their columns."""
    kinds: dict[tuple[object, ...], list[_Layer]] = {}
    for number in _numbers(setting):
        layer = _layer(setting, number)
        if layer is not None:
            kinds.setdefault(layer.kind, []).append(layer)
    return tuple(_table(setting, layers) for layers in kinds.values())


def _numbers(setting: Setting) -> list[str]:
    """The numbers of the layers that have parameters, in order."""
    found = {}
    for parameter in setting.derivation.system.parameters:
        match = NUMBERED.fullmatch(parameter.name)
        if match:
            found[match.group(2)] = int(match.group(2))
    return sorted(found, key=lambda number: found[number])


def _layer(setting: Setting, number: str) -> _Layer | None:
    derivation, source = setting.derivation, setting.view.source
    ours = {p for p in derivation.system.parameters if _number(p) == number}
    z = next((eq for eq in derivation.forward if tensors_of(eq) & ours), None)
    if z is None:
        return None
    readers = [eq for eq in derivation.forward if z.lhs in tensors_of(eq)]
    plain = len(readers) == 1 and readers[0].lhs.dims == z.lhs.dims and tensors_of(readers[0]) <= {z.lhs}
    deltas = (eq for eq in derivation.adjoints if source(eq.lhs) is z.lhs)
    gradients = (eq for eq in derivation.gradients if source(eq.lhs) in ours)
    return _Layer(number, z, readers[0] if plain else None, (*deltas, *gradients))


def _number(tensor: Tensor) -> str:
    match = NUMBERED.fullmatch(tensor.name)
    return match.group(2) if match else ""


def _stem(tensor: Tensor) -> str:
    match = NUMBERED.fullmatch(tensor.name)
    return match.group(1) if match else tensor.name


def _table(setting: Setting, layers: list[_Layer]) -> Table:
    """Titles are those of any layer l; an activation that is called otherwise, the last one, is named in its cell."""
    first = layers[0]
    columns = (first.z, *((first.a,) if first.a else ()), *first.derivatives)
    titles: list[Sentence] = [setting.words("table.layer")]
    titles += [(Leaf(setting.view.generic(eq.lhs) if _number(eq.lhs) else eq.lhs),) for eq in columns]
    return Table(tuple(titles), tuple(_row(setting, layer, first) for layer in layers))


def _row(setting: Setting, layer: _Layer, first: _Layer) -> tuple[Sentence, ...]:
    cells = [(layer.number,), _cell(setting.formula(layer.z))]
    if layer.a is not None and first.a is not None:
        cell = _cell(setting.formula(layer.a))
        alike = _stem(layer.a.lhs) == _stem(first.a.lhs)
        cells.append(cell if alike else (Leaf(layer.a.lhs), " = ", *cell))
    return (*cells, *(_cell(setting.formula(eq)) for eq in layer.derivatives))


def _cell(formula: Formula) -> Sentence:
    """The right side, or where it is in index form the equation's number."""
    return (formula.rhs,) if isinstance(formula.lhs, Leaf) else (f"({formula.number})",)
