"""Where the boxes stand: columns by the longest path, lanes side by side, long rows wrapped into bands."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from ..language.tensor import Tensor
from .diagram_graph import Graph

WIDTH, HEIGHT, SLIM = 0.56, 0.5, 0.44
"""The size of a box in columns and rows; boxes above others are slimmer."""
ONE_ROW, ROW = 6, 6
"""Columns of a drawing that has one row, and of each row of one that has more."""
LEVEL = 0.8
CHANNEL = 0.11
"""The distance of two lines that run side by side between the lanes."""


@dataclass(frozen=True, slots=True)
class Spot:
    """The place of a box: band and lane, column in its band, and the height of its center."""

    band: int
    lane: int
    column: int


@dataclass(slots=True)
class Layout:
    """Spots of the boxes, and for every band its lanes' heights, filled in by `heights`."""

    graph: Graph
    spots: dict[Tensor, Spot]
    widths: dict[int, int]
    rows: dict[tuple[int, int], float] = field(default_factory=dict)
    gaps: dict[int, float] = field(default_factory=dict)

    def box(self, band: int, lane: int, column: int) -> bool:
        """Whether a box stands there."""
        return Spot(band, lane, column) in self.spots.values()

    def free(self, band: int, lane: int, columns: Iterable[int]) -> bool:
        """Whether no box stands in a lane's columns."""
        return not any(self.box(band, lane, c) for c in columns)

    def heights(self, channels: dict[tuple[int, int], int], crossings: dict[int, int]) -> None:
        """Rows for all lanes, with room for the lines that run below each lane and between the bands."""
        y = 0.0
        for band in sorted(self.widths):
            for lane in range(1 + max(s.lane for s in self.spots.values() if s.band == band)):
                y += LEVEL * self._levels(band, lane) + HEIGHT / 2
                self.rows[band, lane] = y
                count = channels.get((band, lane), 0)
                y += HEIGHT / 2 + 0.2 + (0.06 + CHANNEL * count if count else 0.0)
            self.gaps[band] = y
            count = crossings.get(band, 0)
            y += 0.25 + CHANNEL * count

    def _levels(self, band: int, lane: int) -> int:
        return max(
            (
                -(-len(self.graph.above.get(t, ())) // 2)
                for t, s in self.spots.items()
                if (s.band, s.lane) == (band, lane)
            ),
            default=0,
        )


def layout(graph: Graph) -> Layout:
    """Bands, lanes and columns of all boxes."""
    columns = _columns(graph)
    lanes = _lanes(graph, columns)
    breaks = _breaks(graph, columns)
    spots: dict[Tensor, Spot] = {}
    widths: dict[int, int] = {}
    for tensor, column in columns.items():
        band = sum(column >= b for b in breaks)
        first = breaks[band - 1] if band else 0
        spots[tensor] = Spot(band, lanes[tensor], column - first)
        widths[band] = max(widths.get(band, 0), column - first)
    return Layout(graph, _settled(spots), widths)


def _settled(spots: dict[Tensor, Spot]) -> dict[Tensor, Spot]:
    """The spots with the lanes of each band counted from 0."""
    used = {
        band: sorted({s.lane for s in spots.values() if s.band == band}) for band in {s.band for s in spots.values()}
    }
    return {t: Spot(s.band, used[s.band].index(s.lane), s.column) for t, s in spots.items()}


def _columns(graph: Graph) -> dict[Tensor, int]:
    """The longest way from an input; an input stands right before the first that reads it."""
    found: dict[Tensor, int] = {}
    for tensor, sources in graph.reads.items():
        found[tensor] = 1 + max((found[s] for s in sources), default=-1)
    readers = graph.readers()
    for tensor, sources in graph.reads.items():
        if not sources and readers[tensor]:
            found[tensor] = max(0, min(found[end] for end in readers[tensor]) - 1)
    return found


def _lanes(graph: Graph, columns: dict[Tensor, int]) -> dict[Tensor, int]:
    """The main path in lane 0, every other path in the first lane where it has room."""
    lanes: dict[Tensor, int] = {}
    taken: dict[int, set[int]] = {}
    aside = _aside(graph)
    left = dict.fromkeys(graph.reads)
    while left:
        path = _longest(graph, left, aside if not lanes else set())
        known = [columns[s] for s in graph.reads[path[0]] if s in lanes]
        ends = [columns[e] for e in graph.readers()[path[-1]] if e in lanes]
        span = set(range(columns[path[0]], columns[path[-1]] + 1))
        span |= set(range(max(known) + 1, columns[path[0]])) if known else set()
        span |= set(range(columns[path[-1]], min(ends))) if ends else set()
        lane = next(n for n in range(len(graph.reads) + 1) if not span & taken.get(n, set()))
        taken.setdefault(lane, set()).update(span if lanes else range(max(columns.values()) + 1))
        for tensor in path:
            lanes[tensor] = lane
            left.pop(tensor)
    return lanes


def _aside(graph: Graph) -> set[Tensor]:
    """What is spread over a larger tensor later, as means and variances are."""
    readers = graph.readers()
    found: set[Tensor] = set()
    for tensor in reversed(list(graph.reads)):
        ends = readers[tensor]
        larger = any(len(end.dims) > len(tensor.dims) for end in ends)
        same = any(end in found and len(end.dims) == len(tensor.dims) for end in ends)
        if graph.reads[tensor] and (larger or (same and all(end in found for end in ends))):
            found.add(tensor)
    return found


def _longest(graph: Graph, left: dict[Tensor, None], aside: set[Tensor]) -> list[Tensor]:
    """The longest path through what is left, which goes through as few as possible of `aside`."""
    best: dict[Tensor, tuple[float, list[Tensor]]] = {}
    for tensor in left:
        before = [best[s] for s in graph.reads[tensor] if s in best]
        length, path = max(before, key=lambda b: b[0], default=(0.0, []))
        best[tensor] = (length + (-0.01 if tensor in aside else 1.0), [*path, tensor])
    return max(best.values(), key=lambda b: b[0])[1]


def _breaks(graph: Graph, columns: dict[Tensor, int]) -> list[int]:
    """The columns with which a new band begins, where few lines are cut."""
    total = max(columns.values()) + 1
    if total <= ONE_ROW:
        return []
    count = -(-total // ROW)
    cut = [sum(columns[a] < c <= columns[b] for a, b in graph.edges()) for c in range(total + 1)]
    best: dict[int, tuple[float, list[int]]] = {0: (0.0, [])}
    for end in range(1, total + 1):
        choices = []
        for start in range(max(0, end - ROW), end):
            if start in best:
                price, breaks = best[start]
                uneven = 0.3 * (total / count - (end - start)) ** 2
                choices.append((price + 3.0 + uneven + 2.0 * (cut[start] if start else 0), [*breaks, start]))
        best[end] = min(choices, key=lambda c: c[0])
    return best[total][1][1:]
