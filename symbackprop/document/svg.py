"""The drawn network as SVG: in a page with its styles and MathML labels, or a picture by itself with plain text."""

from __future__ import annotations

import math as maths
from collections.abc import Iterator
from html import escape

from ..present.latex_lines import whole
from ..present.latex_measure import EM, measure
from ..present.latex_printer import LatexPrinter
from ..present.mathml_printer import MathmlPrinter, math
from ..present.tree import Node
from ..present.view import View
from .latex_diagram import bounds
from .plain import PlainPrinter
from .records import Arrow, Box, Diagram

COLUMN, ROW = 148.0, 94.0
"""Pixels from one column or row to the next."""
LABEL, SIZES, BESIDE = 17.0, 12.0, 14.0
"""The largest letters of a box, of its sizes and of an arrow's label, in pixels."""
MARGIN, CORNER, HEAD = 6.0, 7.0, 9.0
STYLE = (
    ".figure-box{fill:#fff;stroke:#5c636e}.figure-parameter{fill:#e8eefb}.figure-input,.figure-target{fill:#eee}"
    ".figure-loss{fill:#fbe9e6}.figure-line{fill:none;stroke:#1b1d21}.figure-back{fill:none;stroke:#b3402a}"
    ".figure-line-head{fill:#1b1d21}.figure-back-head{fill:#b3402a}text{font-family:serif;text-anchor:middle}"
    ".figure-small{fill:#5c636e}.figure-on{fill:#b3402a}"
)
Point = tuple[float, float]


def svg(diagram: Diagram, view: View, alone: bool = False) -> str:
    """The drawing; `alone` makes a file of it, which any viewer of pictures shows."""
    (left, right), (top, bottom) = bounds(diagram)
    x, y = left * COLUMN - MARGIN, top * ROW - MARGIN
    width, height = (right - left) * COLUMN + 2 * MARGIN, (bottom - top) * ROW + 2 * MARGIN
    size = f'viewBox="{x:.1f} {y:.1f} {width:.1f} {height:.1f}" width="{width:.0f}" height="{height:.0f}"'
    space, style = (' xmlns="http://www.w3.org/2000/svg"', f"<style>{STYLE}</style>") if alone else ("", "")
    return f"<svg{space} {size}>{style}{''.join(_Drawing(view, alone).elements(diagram))}</svg>"


class _Drawing:
    def __init__(self, view: View, alone: bool) -> None:
        self.alone = alone
        self.mathml, self.plain = MathmlPrinter(view, shapes=False), PlainPrinter(view)
        self.latex = LatexPrinter(view, shapes=False)

    def elements(self, diagram: Diagram) -> Iterator[str]:
        """Lines first, boxes and labels above them."""
        for arrow in diagram.arrows:
            yield _line(arrow)
        for box in diagram.boxes:
            yield from self._box(box)
        for arrow in diagram.arrows:
            if arrow.label is not None and arrow.at is not None:
                at = (arrow.at[0] * COLUMN, arrow.at[1] * ROW)
                yield self._text(at, (0.42 * COLUMN, 0.36 * ROW), (arrow.label,), ", ", BESIDE, "figure-on")

    def _box(self, box: Box) -> Iterator[str]:
        x, y = box.column * COLUMN, box.row * ROW
        width, height = box.width * COLUMN, box.height * ROW
        if box.kind == "dots":
            yield f'<text class="figure-dots" text-anchor="middle" x="{x:.1f}" y="{y + 6:.1f}">⋯</text>'
            return
        corner = 0 if box.kind == "parameter" else 5
        yield (
            f'<rect class="figure-box figure-{escape(box.kind)}" x="{x - width / 2:.1f}" y="{y - height / 2:.1f}" '
            f'width="{width:.1f}" height="{height:.1f}" rx="{corner}"></rect>'
        )
        room = (width - 4, height * (0.62 if box.below else 1.0) - 4)
        rise = 0.18 * height if box.below else 0.0
        yield self._text((x, y - rise), room, (box.label, *box.more), ", ", LABEL, "")
        if box.below:
            room = (width - 4, height * 0.38)
            yield self._text((x, y + 0.28 * height), room, box.below, " × ", SIZES, "figure-small")

    def _text(self, center: Point, room: Point, nodes: tuple[Node, ...], between: str, size: float, kind: str) -> str:
        """Formulas in letters of this size, or smaller ones where there is not room enough."""
        (x, y), (width, height) = center, room
        extents = [measure(whole(self.latex.show(node)), display=False) for node in nodes]
        wide = sum(e.width for e in extents) / EM + 0.9 * (len(nodes) - 1) + 0.1
        size = min(size, width / wide, height * EM / max(e.total for e in extents))
        if self.alone:
            shown = escape(between.join(map(self.plain.show, nodes)))
            return f'<text class="{kind}" font-size="{size:.1f}" x="{x:.1f}" y="{y + size / 3:.1f}">{shown}</text>'
        sign = f'<mo lspace="0.15em" rspace="0.15em">{between.strip()}</mo>'
        shown = math(sign.join(map(self.mathml.show, nodes)))
        return (
            f'<foreignObject x="{x - width / 2:.1f}" y="{y - height / 2:.1f}" width="{width:.1f}" '
            f'height="{height:.1f}"><div class="figure-label {kind}" style="font-size: {size:.1f}px">{shown}</div>'
            "</foreignObject>"
        )


def _line(arrow: Arrow) -> str:
    """A line with round corners and a head."""
    kind = "figure-back" if arrow.backward else "figure-line"
    points = [(x * COLUMN, y * ROW) for x, y in arrow.points]
    *_, before, end = points
    points[-1] = _towards(end, before, HEAD * 0.8)
    path = f"M{points[0][0]:.1f} {points[0][1]:.1f}"
    for last, corner, following in zip(points, points[1:], points[2:], strict=False):
        (ax, ay), (bx, by) = (_towards(corner, other, CORNER) for other in (last, following))
        path += f"L{ax:.1f} {ay:.1f}Q{corner[0]:.1f} {corner[1]:.1f} {bx:.1f} {by:.1f}"
    path += f"L{points[-1][0]:.1f} {points[-1][1]:.1f}"
    return f'<path class="{kind}" d="{path}"></path>{_head(before, end, kind)}'


def _towards(start: Point, end: Point, distance: float) -> Point:
    """The point so far from the start, at most half the way."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    part = min(0.5, distance / max(1e-9, maths.hypot(dx, dy)))
    return start[0] + dx * part, start[1] + dy * part


def _head(before: Point, end: Point, kind: str) -> str:
    angle = maths.atan2(end[1] - before[1], end[0] - before[0])
    sides = ((end[0] + HEAD * maths.cos(angle + t), end[1] + HEAD * maths.sin(angle + t)) for t in (2.8, -2.8))
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in (end, *sides))
    return f'<polygon class="{kind}-head" points="{path}"></polygon>'
