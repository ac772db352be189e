"""The lines of a drawing: straight to the next box, below the boxes to a later one, around to the next row."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..language.tensor import Tensor
from .diagram_layout import CHANNEL, HEIGHT, WIDTH, Layout, Spot

Point = tuple[float, float]
PAIR, PORT, LEG = 0.07, 0.17, 0.055
"""Half the distance of the two lines of a pair, how far from the middle of a side lines to other lanes begin, and the
distance of two lines at the lower edge of a box."""
OUTER = 0.5
"""How far from the outermost boxes lines run down to the next row."""


@dataclass(slots=True)
class Router:
    """Gives every pair of arrows its way, then, when all are known, its points."""

    layout: Layout
    channels: dict[tuple[int, int], int] = field(default_factory=dict)
    crossings: dict[int, int] = field(default_factory=dict)
    exits: dict[Tensor, int] = field(default_factory=dict)
    entries: dict[Tensor, int] = field(default_factory=dict)
    outer: int = 0
    ways: dict[tuple[Tensor, Tensor], tuple[_Way, _Way]] = field(default_factory=dict)

    def plan(self, edges: list[tuple[Tensor, Tensor]]) -> None:
        """Takes channels for all edges, short ones first, so that lines cross little."""
        spots = self.layout.spots
        for start, end in sorted(edges, key=lambda e: (spots[e[1]].band - spots[e[0]].band, self._span(e))):
            inner, outer = self._way(start, end), self._way(start, end)
            self.ways[start, end] = (inner, outer)
        self.layout.heights(self.channels, self.crossings)

    def points(self, start: Tensor, end: Tensor, backward: bool) -> tuple[Point, ...]:
        """The points of an arrow, from where it starts."""
        inner, outer = self.ways[start, end]
        made = (inner if backward else outer).points(self, start, end, PAIR if backward else -PAIR)
        return tuple(reversed(made)) if backward else tuple(made)

    def _span(self, edge: tuple[Tensor, Tensor]) -> int:
        spots = self.layout.spots
        return spots[edge[1]].column - spots[edge[0]].column

    def _way(self, start: Tensor, end: Tensor) -> _Way:
        a, b = self.layout.spots[start], self.layout.spots[end]
        free = self.layout.free
        way = _Way(a, b)
        if a.band != b.band:
            way.outer, self.outer = self.outer, self.outer + 1
            way.crossing = self.crossings[a.band] = self.crossings.get(a.band, 0) + 1
            if not free(a.band, a.lane, range(a.column + 1, self.layout.widths[a.band] + 1)):
                way.leave, way.exit = self._channel(a), self._count(self.exits, start)
            if not free(b.band, b.lane, range(b.column)):
                way.arrive, way.entry = self._channel(b), self._count(self.entries, end)
        elif b.column - a.column > 1:
            between = range(a.column + 1, b.column)
            along = free(a.band, a.lane, between), free(b.band, b.lane, between)
            way.late, way.early = along[0] and a.lane != b.lane, along[1] and not along[0]
            if not any(along) and a.lane == b.lane:
                way.leave = way.arrive = self._channel(a)
                way.exit, way.entry = self._count(self.exits, start), self._count(self.entries, end)
            elif not any(along):
                way.through = self._channel(min(a, b, key=lambda s: s.lane))
        return way

    def _channel(self, spot: Spot) -> int:
        key = spot.band, spot.lane
        self.channels[key] = self.channels.get(key, 0) + 1
        return self.channels[key]

    @staticmethod
    def _count(counts: dict[Tensor, int], tensor: Tensor) -> int:
        counts[tensor] = counts.get(tensor, 0) + 1
        return counts[tensor]

    def height(self, spot: Spot) -> float:
        """The row of a box's center."""
        return self.layout.rows[spot.band, spot.lane]

    def channel_row(self, spot: Spot, channel: int) -> float:
        """The row of a channel below a box's lane."""
        return self.height(spot) + HEIGHT / 2 + 0.15 + CHANNEL * channel


@dataclass(slots=True)
class _Way:
    """How a line goes: channels (0: none) and places at the lower edges, or which way it bends between lanes."""

    a: Spot
    b: Spot
    crossing: int = 0
    outer: int = 0
    leave: int = 0
    arrive: int = 0
    exit: int = 0
    entry: int = 0
    through: int = 0
    late: bool = False
    early: bool = False

    def points(self, router: Router, start: Tensor, end: Tensor, shift: float) -> list[Point]:
        """The corners of the line; `shift` parts the lines of a pair."""
        a, b = self.a, self.b
        out: list[Point] = [(a.column + WIDTH / 2, router.height(a) + shift + self._port(a, b, shift))]
        into: list[Point] = [(b.column - WIDTH / 2, router.height(b) + shift + self._port(b, a, shift))]
        if self.leave:
            x, y = a.column + WIDTH / 2 - 0.02 - LEG * self.exit, router.channel_row(a, self.leave)
            out = [(x, router.height(a) + HEIGHT / 2), (x, y)]
        if self.arrive:
            x, y = b.column - WIDTH / 2 + 0.02 + LEG * self.entry, router.channel_row(b, self.arrive)
            into = [(x, y), (x, router.height(b) + HEIGHT / 2)]
        if self.crossing:
            return [*out, *self._around(router, out[-1][1], into[0][1]), *into]
        if self.late:
            out.append((b.column - 1 + WIDTH / 2, out[-1][1]))
        elif self.early:
            into.insert(0, (a.column + 1 - WIDTH / 2, into[0][1]))
        elif self.through:
            y = router.channel_row(min(a, b, key=lambda s: s.lane), self.through)
            out += [(a.column + 0.5 + shift, y), (b.column - 0.5 + shift, y)]
        return [*out, *into]

    def _port(self, here: Spot, there: Spot, shift: float) -> float:
        """How far from a side's middle the line begins."""
        if here.band != there.band or here.lane == there.lane:
            return 0.0
        return (PORT if there.lane > here.lane else -PORT) - shift / 2

    def _around(self, router: Router, leaving: float, arriving: float) -> list[Point]:
        """Out at the right, down, back to the left, down to the row."""
        right = router.layout.widths[self.a.band] + WIDTH / 2 + OUTER - 0.06 * (self.crossing - 1)
        left = -WIDTH / 2 - OUTER * 0.6 + 0.06 * (self.crossing - 1)
        gap = router.layout.gaps[self.a.band] + CHANNEL * (self.crossing - 0.5)
        return [(right, leaving), (right, gap), (left, gap), (left, arriving)]
