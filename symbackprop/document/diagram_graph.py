"""The forward equations as a graph to be drawn: which tensors are boxes, and what is left out of large networks."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..language.nodes import Entry
from ..language.tensor import Tensor
from ..records import Derivation

MOST = 24
"""Boxes, those of parameters not counted, above which a drawing leaves some out."""
SIDE = ("parameter", "state", "random", "target")
"""Kinds of tensors that stand above the box that reads them."""


@dataclass(slots=True)
class Graph:
    """Tensors in order of computation, what each reads, and what stands above it.

    `within` are the tensors that are drawn in the box of another, `dots` stands for those that are left out.
    """

    reads: dict[Tensor, list[Tensor]]
    above: dict[Tensor, list[Tensor]]
    within: dict[Tensor, list[Tensor]] = field(default_factory=dict)
    dots: Tensor | None = None

    def edges(self) -> list[tuple[Tensor, Tensor]]:
        """All pairs of what is read and what reads it."""
        return [(source, end) for end, sources in self.reads.items() for source in sources]

    def readers(self) -> dict[Tensor, list[Tensor]]:
        """What reads each tensor."""
        found: dict[Tensor, list[Tensor]] = {t: [] for t in self.reads}
        for source, end in self.edges():
            found[source].append(end)
        return found


def graph_of(derivation: Derivation) -> Graph:
    """What the loss is computed from; large networks without their activations, or with dots in the middle."""
    graph = _whole(derivation)
    if len(graph.reads) > MOST:
        _merge(graph)
    if len(graph.reads) > MOST:
        _cut(graph)
    return graph


def _whole(derivation: Derivation) -> Graph:
    equations = (*derivation.forward, derivation.objective)
    read = {eq.lhs: _tensors(eq.rhs) for eq in equations}
    wanted = {derivation.objective.lhs}
    for eq in reversed(equations):
        if eq.lhs in wanted:
            wanted |= read[eq.lhs]
    graph = Graph({t: [] for t in derivation.system.inputs if t in wanted}, {})
    once = [t for eq in derivation.forward if eq.lhs in wanted for t in read[eq.lhs]]
    for eq in equations:
        if eq.lhs not in wanted:
            continue
        ordered = sorted(read[eq.lhs], key=lambda t: t.name)
        graph.reads[eq.lhs] = [t for t in graph.reads if t in read[eq.lhs]]
        penalty = eq is equations[-1]
        graph.above[eq.lhs] = [
            t for kind in SIDE for t in ordered
            if t.kind == kind and not (penalty and t in once)
        ]  # fmt: skip
    return graph


def _tensors(rhs: object) -> set[Tensor]:
    return {e.tensor for e in rhs.atoms(Entry)}  # type: ignore[attr-defined]


def _merge(graph: Graph) -> None:
    """Draws a tensor that is made of one other alone, entry by entry, in that one's box."""
    readers = graph.readers()
    for tensor, sources in list(graph.reads.items()):
        if len(sources) != 1 or graph.above.get(tensor) or not readers[tensor]:
            continue
        source = next((box for box, inner in graph.within.items() if sources[0] in inner), sources[0])
        if source.kind == "input" or len(readers[sources[0]]) > 1 or source.dims != tensor.dims:
            continue
        graph.within[source] = [*graph.within.get(source, []), tensor]
        del graph.reads[tensor]
        for end, others in graph.reads.items():
            graph.reads[end] = [source if t == tensor else t for t in others]


def _cut(graph: Graph) -> None:
    """Leaves out the middle."""
    order = list(graph.reads)
    half = MOST // 2 - 2
    kept = {*order[:half], *order[-half:]}
    dots = Tensor("...", ())
    before = [t for t in order[:half] if any(end not in kept for end in graph.readers()[t])]
    made: dict[Tensor, list[Tensor]] = {}
    for place, tensor in enumerate(order):
        if place == half:
            made[dots] = before[-1:]
        if tensor in kept:
            sources = [t if t in kept else dots for t in graph.reads[tensor]]
            made[tensor] = list(dict.fromkeys(sources))
    graph.reads, graph.dots = made, dots
