"""Networks as text for people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .graph import Graph
from .handle import Handle, brief
from .objective import Share
from .tensors import written
from .written import Written


def told(body: Graph | Written, in_row: bool, shares: Sequence[Share], rest: dict[str, Any]) -> str:
    """`Network([...], loss=...)` for layers in a row; a line for every use of a layer in other graphs."""
    losses = tuple(_loss(share) for share in shares)
    options = {"loss": _one(losses)} | {name: value for name, value in rest.items() if value}
    after = ", ".join(f"{name}={value if name == 'loss' else repr(value)}" for name, value in options.items())
    if in_row and isinstance(body, Graph):
        layers = (*body.inputs, *(node.layer for node in body.nodes))
        return f"Network([{', '.join(map(brief, layers))}], {after})"
    lines = _nodes(body) if isinstance(body, Graph) else [written(eq) for eq in body.equations]
    return "\n".join(["Network(", *(f"    {line}" for line in lines), f"    {after})"])


def _nodes(body: Graph) -> list[str]:
    names: dict[Handle, str] = {x: x.name for x in body.inputs}
    lines = [f"{x.name} = {brief(x)}" for x in body.inputs]
    wished = {node: name for name, node in body.outputs if name is not None}
    for number, node in enumerate(body.nodes, 1):
        names[node] = wished.get(node) or node.name or f"h{number}"
        lines.append(f"{names[node]} = {brief(node.layer)}({', '.join(names[i] for i in node.inputs)})")
    return [*lines, f"outputs: {', '.join(names[node] for _, node in body.outputs)}"]


def _loss(share: Share) -> str:
    return repr(share.given) if isinstance(share.given, str) else brief(share.given)


def _one(losses: tuple[str, ...]) -> str:
    return losses[0] if len(losses) == 1 else f"({', '.join(losses)})"
