"""Networks as graphs of handles: their uses of layers in order of computation. Plain records, no SymPy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import DeclarationError
from ..language.tensor import check_name
from .handle import Handle, Node, brief, short
from .layers.input import Input


@dataclass(frozen=True, slots=True)
class Graph:
    """`nodes` are in order of computation; each output is (its name or None, the node)."""

    inputs: tuple[Input, ...]
    nodes: tuple[Node, ...]
    outputs: tuple[tuple[str | None, Node], ...]


def chain(layers: Sequence[Any]) -> Graph:
    """The graph of layers in a row, from an `Input` on."""
    if not layers or not isinstance(layers[0], Input):
        first = repr(layers[0]) if layers else "nothing"
        raise DeclarationError(f"a network starts with sb.Input(size); it starts with {first}")
    if len(layers) == 1:
        raise DeclarationError("a network needs at least one layer after its Input")
    h: Handle = layers[0]
    nodes = []
    for place, item in enumerate(layers[1:], 2):
        _check_layer(place, item)
        h = Node(item, (h,))
        nodes.append(h)
    return Graph((layers[0],), tuple(nodes), ((None, nodes[-1]),))


def _check_layer(place: int, item: Any) -> None:
    if isinstance(item, Input):
        raise DeclarationError(f"layer {place} is an Input; only the first may be one")
    if isinstance(item, Handle):
        raise DeclarationError(
            f"layer {place} is the handle {item!r}; a list holds layers. With handles write "
            "sb.Network(inputs=x, outputs=h, ...)"
        )
    if isinstance(item, type) or not (hasattr(item, "build") or callable(item)):
        raise DeclarationError(
            f"layer {place} is {item!r}; a layer is sb.Dense(...), sb.Activation(...) or a function of a tensor"
        )


def graph(inputs: Any, outputs: Any) -> Graph:
    """The graph that computes `outputs` (a handle, several, or a dict by name) from `inputs`."""
    given = inputs if isinstance(inputs, (tuple, list)) else (inputs,)
    for item in given:
        if not isinstance(item, Input):
            raise DeclarationError(f"inputs= takes what sb.Input(...) made, one or a tuple of them; got {item!r}")
    named = named_outputs(outputs, Node, "what a layer gave when it was called")
    reached = ordered(h for _, h in named)
    _check_inputs(tuple(given), [h for h in reached if isinstance(h, Input)])
    return Graph(tuple(given), tuple(h for h in reached if isinstance(h, Node)), named)


def named_outputs(outputs: Any, kind: type, what: str) -> tuple[tuple[str | None, Any], ...]:
    """(name or None, output) of each output, every one of them of the kind, and none twice."""
    if isinstance(outputs, Mapping):
        named: list[tuple[str | None, Any]] = [(check_name(name, "output"), item) for name, item in outputs.items()]
    else:
        several = outputs if isinstance(outputs, (tuple, list)) else (outputs,)
        named = [(item.name if isinstance(item, Node) else None, item) for item in several]
    if not named:
        raise DeclarationError("outputs= is empty; a network has at least one output")
    for name, item in named:
        where = f"output {name}" if isinstance(outputs, Mapping) else "outputs="
        if isinstance(item, Input):
            raise DeclarationError(f"{where} is the input {item.name} itself: put a layer between")
        if not isinstance(item, kind):
            raise DeclarationError(f"{where} takes {what}; got {type(item).__name__} {item!r}")
    if len({id(item) for _, item in named}) < len(named):
        raise DeclarationError("outputs= has the same tensor twice; a tensor is an output once")
    return tuple(named)


def ordered(outputs: Iterable[Handle]) -> list[Handle]:
    """All handles that the outputs need, each behind its own inputs; `DeclarationError` for a cycle."""
    done: dict[Handle, None] = {}
    for output in outputs:
        path: dict[Handle, int] = {output: 0}
        while path:
            handle, place = next(reversed(path.items()))
            inputs = handle.inputs if isinstance(handle, Node) else ()
            if place == len(inputs) or handle in done:
                done.setdefault(handle)
                path.popitem()
                continue
            path[handle] += 1
            if inputs[place] in path:
                _refuse_cycle(list(path), inputs[place])
            if inputs[place] not in done:
                path[inputs[place]] = 0
    return list(done)


def _refuse_cycle(path: list[Handle], start: Handle) -> None:
    told = " -> ".join(short(h) for h in [*path[path.index(start) :], start])
    raise DeclarationError(f"the network has a cycle: {told}; a layer's inputs cannot depend on its own output")


def _check_inputs(given: tuple[Input, ...], reached: list[Input]) -> None:
    names: dict[str, Input] = {}
    for item in given:
        if item.name in names:
            told = f"{brief(names[item.name])} and {brief(item)}"
            cure = f'name them, as in sb.Input({item.shape}, name="{item.name}2")'
            raise DeclarationError(f"two inputs are called {item.name}: {told}; {cure}")
        names[item.name] = item
    for item in reached:
        if not any(item is known for known in given):
            listed = ", ".join(names) or "none"
            raise DeclarationError(
                f"the outputs depend on the input {item.name}, {brief(item)}, which inputs= does not list "
                f"(listed: {listed}); add it, or use the listed one"
            )
    for item in given:
        if not any(item is known for known in reached):
            raise DeclarationError(
                f"unused input: no output depends on {item.name}, {brief(item)}; use it, or drop it from inputs="
            )
