"""The drawn network as SVG: in a page with its classes and MathML labels, or a picture by itself with plain text."""

from __future__ import annotations

import math as maths
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape

from ..present.mathml_printer import MathmlPrinter, math
from ..present.tree import Node
from ..present.view import View
from .plain import PlainPrinter
from .records import Arrow, Box, Diagram

COLUMN, ROW = 136.0, 104.0
"""From one box to the next, in pixels."""
WIDTH, HEIGHT = 76.0, 50.0
MARGIN = 36.0
STYLE = (
    ".figure-box{fill:#f6f7f9;stroke:#5c636e}.figure-parameter{stroke-dasharray:4 3}"
    ".figure-line{fill:none;stroke:#1b1d21}.figure-back{fill:none;stroke:#b3402a;stroke-dasharray:5 3}"
    ".figure-head{fill:#1b1d21}.figure-back-head{fill:#b3402a}text{font:15px serif;text-anchor:middle}"
    ".figure-small{font-size:12px;fill:#5c636e}.figure-on{font-size:12px;fill:#b3402a;paint-order:stroke;stroke:#fff;stroke-width:4px}"
)
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class _Curve:
    """An arrow as drawn: a quadratic curve, and the place of what stands on it."""

    start: Point
    bend: Point
    end: Point
    label: Point


def svg(diagram: Diagram, view: View, alone: bool = False) -> str:
    """The drawing; `alone` makes a file of it, which any viewer of pictures shows."""
    drawing = _Drawing(diagram, view, alone)
    left, top, right, bottom = drawing.bounds()
    width, height = right - left, bottom - top
    size = f'viewBox="{left:g} {top:g} {width:g} {height:g}" width="{width:g}" height="{height:g}"'
    space, style = (' xmlns="http://www.w3.org/2000/svg"', f"<style>{STYLE}</style>") if alone else ("", "")
    return f"<svg{space} {size}>{style}{''.join(drawing.elements())}</svg>"


class _Drawing:
    def __init__(self, diagram: Diagram, view: View, alone: bool) -> None:
        self.diagram, self.alone = diagram, alone
        self.mathml, self.plain = MathmlPrinter(view, shapes=False), PlainPrinter(view)
        self.boxes: Mapping[str, Box] = {box.name: box for box in diagram.boxes}
        self.pairs = {(arrow.start, arrow.end) for arrow in diagram.arrows}

    def bounds(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of everything that is drawn."""
        xs = [box.column * COLUMN for box in self.diagram.boxes]
        ys = [box.row * ROW for box in self.diagram.boxes]
        for arrow in self.diagram.arrows:
            xs.append(self._curve(arrow).label[0])
            ys.append(self._curve(arrow).label[1])
        return (
            min(xs) - WIDTH / 2 - MARGIN / 2,
            min(ys) - MARGIN,
            max(xs) + WIDTH / 2 + MARGIN / 2,
            max(ys) + MARGIN + 8,
        )

    def elements(self) -> Iterator[str]:
        """Lines first, boxes and labels above them."""
        for arrow in self.diagram.arrows:
            yield self._line(arrow)
        for box in self.diagram.boxes:
            yield from self._box(box)
        for arrow in self.diagram.arrows:
            if arrow.label is not None:
                x, y = self._curve(arrow).label
                yield self._text((x, y), 72, 34, (arrow.label,), "figure-on")

    def _box(self, box: Box) -> Iterator[str]:
        x, y = box.column * COLUMN, box.row * ROW
        round_ = 18 if box.kind == "loss" else 4
        yield (
            f'<rect class="figure-box figure-{escape(box.kind)}" x="{x - WIDTH / 2:g}" y="{y - HEIGHT / 2:g}" '
            f'width="{WIDTH:g}" height="{HEIGHT:g}" rx="{round_}"></rect>'
        )
        yield self._text((x, y - 8 if box.below else y), WIDTH, 28, (box.label,), "")
        if box.below:
            yield self._text((x, y + 15), WIDTH, 16, box.below, "figure-small")

    def _text(self, center: Point, width: float, height: float, nodes: tuple[Node, ...], kind: str) -> str:
        x, y = center
        if self.alone:
            shown = escape(" × ".join(map(self.plain.show, nodes)))
            return f'<text class="{kind}" x="{x:g}" y="{y + 5:g}">{shown}</text>'
        between = '<mo lspace="0.1em" rspace="0.1em">×</mo>'
        shown = math(between.join(map(self.mathml.show, nodes)))
        return (
            f'<foreignObject x="{x - width / 2:g}" y="{y - height / 2:g}" width="{width:g}" height="{height:g}">'
            f'<div class="figure-label {kind}">{shown}</div></foreignObject>'
        )

    def _line(self, arrow: Arrow) -> str:
        curve = self._curve(arrow)
        kind = "figure-back" if arrow.backward else "figure-line"
        (ax, ay), (bx, by), (cx, cy) = curve.start, curve.bend, curve.end
        return f'<path class="{kind}" d="M{ax:g} {ay:g}Q{bx:g} {by:g} {cx:g} {cy:g}"></path>' + _head(
            curve, kind + "-head"
        )

    def _curve(self, arrow: Arrow) -> _Curve:
        """A straight line, or one bent aside where boxes stand between or another arrow goes the other way."""
        a, b = self.boxes[arrow.start], self.boxes[arrow.end]
        start, end = (a.column * COLUMN, a.row * ROW), (b.column * COLUMN, b.row * ROW)
        long = max(1.0, maths.hypot(end[0] - start[0], end[1] - start[1]))
        aside = ((end[1] - start[1]) / long, -(end[0] - start[0]) / long)
        middle = ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
        shift = 26.0 if (arrow.end, arrow.start) in self.pairs else 0.0
        if self._crosses(a, b):
            shift += ROW * 0.9
        bend = (middle[0] + aside[0] * shift, middle[1] + aside[1] * shift)
        on = shift / 2 + (0.0 if arrow.label is None else 15.0)
        label = (middle[0] + aside[0] * on, middle[1] + aside[1] * on)
        return _Curve(_edge(start, bend), bend, _edge(end, bend), label)

    def _crosses(self, a: Box, b: Box) -> bool:
        """Whether a straight line would meet another box."""
        steps = [i / 16 for i in range(1, 16)]
        for x, y in ((a.column + (b.column - a.column) * s, a.row + (b.row - a.row) * s) for s in steps):
            for box in self.boxes.values():
                near = abs(box.column - x) * COLUMN < WIDTH / 2 + 2 and abs(box.row - y) * ROW < HEIGHT / 2 + 2
                if near and box not in (a, b):
                    return True
        return False


def _edge(center: Point, towards: Point) -> Point:
    """Where the line from a box's center leaves the box."""
    dx, dy = towards[0] - center[0], towards[1] - center[1]
    scale = min(
        (WIDTH / 2 + 3) / abs(dx) if dx else maths.inf,
        (HEIGHT / 2 + 3) / abs(dy) if dy else maths.inf,
        1.0,
    )
    return center[0] + dx * scale, center[1] + dy * scale


def _head(curve: _Curve, kind: str) -> str:
    """The arrow's head."""
    (bx, by), (x, y) = curve.bend, curve.end
    angle = maths.atan2(y - by, x - bx)
    points = [(x, y)]
    for turn in (2.75, -2.75):
        points.append((x + 8 * maths.cos(angle + turn), y + 8 * maths.sin(angle + turn)))
    path = " ".join(f"{px:.1f},{py:.1f}" for px, py in points)
    return f'<polygon class="{kind}" points="{path}"></polygon>'
