"""Networks of plain equations: put in order of computation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import DeclarationError
from ..language.tensor import Tensor
from ..records import Equation
from .equation import Block
from .graph import named_outputs
from .tensors import tensors_of, written


@dataclass(frozen=True, slots=True)
class Written:
    """Equations in order of computation; each output is (its name or None, the tensor)."""

    inputs: tuple[Tensor, ...]
    equations: tuple[Equation, ...]
    outputs: tuple[tuple[str | None, Tensor], ...]
    blocks: tuple[Block, ...] = ()


def system_of_equations(inputs: Any, outputs: Any, equations: Sequence[Any]) -> Written:
    """A network from equations (or blocks of `sb.layer`) in any order.

    Raises `DeclarationError` for a cycle, a tensor defined twice or not at all, and an input that is not listed.
    """
    given = tuple(inputs) if isinstance(inputs, (tuple, list)) else (inputs,)
    for item in given:
        if not isinstance(item, Tensor) or item.kind != "input":
            raise DeclarationError(
                f'with equations=, inputs= takes tensors: x = sb.input_tensor("x", 64); got {item!r}'
            )
    flat: list[Equation] = []
    for item in equations:
        if not isinstance(item, (Equation, Block)):
            raise DeclarationError(f"equations= takes what sb.equation or sb.layer made; got {item!r}")
        flat += item.equations if isinstance(item, Block) else (item,)
    named = named_outputs(outputs, Tensor, "a tensor that an equation defines")
    made = in_order(flat, given)
    for _, output in named:
        if all(eq.lhs is not output for eq in made):
            raise DeclarationError(
                f"no equation defines the output {output.name} {output.shape_text}; "
                f"they define: {', '.join(eq.lhs.name for eq in made) or 'nothing'}"
            )
    return Written(given, made, named, tuple(b for b in equations if isinstance(b, Block)))


def in_order(equations: Iterable[Equation], inputs: tuple[Tensor, ...]) -> tuple[Equation, ...]:
    """The equations, each behind those that it reads; else in the order given."""
    by_left: dict[Tensor, Equation] = {}
    for eq in equations:
        if eq.lhs in by_left:
            raise DeclarationError(
                f"{eq.lhs.name} is defined twice: {written(by_left[eq.lhs])} and {written(eq)}; drop one of them"
            )
        if eq.lhs.kind != "intermediate":
            raise DeclarationError(f"{written(eq)} defines {eq.lhs.name}, which is a {eq.lhs.kind}; make an sb.tensor")
        by_left[eq.lhs] = eq
    reads = {eq.lhs: _read(eq, by_left, inputs) for eq in by_left.values()}
    done: dict[Tensor, Equation] = {}
    for start in by_left:
        path = [start]
        while path:
            wanted = [t for t in reads[path[-1]] if t not in done]
            if path[-1] in done or not wanted:
                done.setdefault(path[-1], by_left[path[-1]])
                path.pop()
                continue
            if wanted[0] in path:
                _refuse_cycle([by_left[t] for t in path[path.index(wanted[0]) :]])
            path.append(wanted[0])
    return tuple(done.values())


def _read(eq: Equation, by_left: dict[Tensor, Equation], inputs: tuple[Tensor, ...]) -> list[Tensor]:
    """The defined tensors that an equation reads; an undefined one is an error."""
    for tensor in tensors_of(eq.rhs):
        if tensor.kind == "input" and tensor not in inputs:
            raise DeclarationError(
                f"{written(eq)} reads the input {tensor.name} {tensor.shape_text}, which inputs= does not list; add it"
            )
        if tensor.kind == "intermediate" and tensor not in by_left:
            twin = any(t.name == tensor.name for t in (*by_left, *inputs))
            hint = "; another tensor has that name: use the same tensor object" if twin else ""
            raise DeclarationError(
                f"{written(eq)} reads {tensor.name} {tensor.shape_text}, and no equation defines it{hint}"
            )
    return [t for t in tensors_of(eq.rhs) if t in by_left]


def _refuse_cycle(circle: list[Equation]) -> None:
    names = " -> ".join(eq.lhs.name for eq in [circle[0], *reversed(circle)])
    raise DeclarationError(f"the equations have a cycle, {names}: {'; '.join(map(written, circle))}")
