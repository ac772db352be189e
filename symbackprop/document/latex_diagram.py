"""A drawn network in TikZ."""

from __future__ import annotations

from collections.abc import Iterator

from ..present.latex_lines import whole
from ..present.latex_measure import measure
from .latex_groups import Group, Page, Row
from .latex_text import Text
from .records import Arrow, Box, Diagram

COLUMN, LINE = 72.0, 45.5
"""Points from one column or row to the next."""
FILLS = {"input": "black!7", "target": "black!7", "parameter": "blue!8", "loss": "red!10", "intermediate": "white"}
OTHER = "green!8"
LABEL = (0.42, 0.36)
"""The largest label of an arrow, in columns and rows."""
INSET = 3.0
ROOM = 60.0
"""Points that are left for the words above a drawing."""


def drawn(block: Diagram, text: Text, page: Page) -> Group:
    """The drawing, smaller where the page is."""
    (left, right), (top, bottom) = bounds(block)
    width, height = (right - left) * COLUMN + 4, (bottom - top) * LINE + 4
    scale = min(1.0, page.width * page.scale / width, (page.height - ROOM) * page.scale / height)
    lines = "\n".join(_lines(block, text))
    picture = (
        f"\\begin{{tikzpicture}}[x={COLUMN}pt, y=-{LINE}pt, >={{Stealth[length=4pt]}}, line width=0.5pt]\n"
        f"\\useasboundingbox {_at((left, top))} rectangle {_at((right, bottom))};\n"
        f"{lines}\n\\end{{tikzpicture}}"
    )
    scaled = picture if scale == 1 else f"\\scalebox{{{scale:.3f}}}{{{picture}}}"
    shown = f"\\begin{{center}}\n{scaled}\n\\end{{center}}"
    return Group((Row(shown, height * scale / page.scale),))


def bounds(block: Diagram) -> tuple[tuple[float, float], tuple[float, float]]:
    """Left and right, top and bottom of everything in the drawing."""
    xs = [x for b in block.boxes for x in (b.column - b.width / 2, b.column + b.width / 2)]
    ys = [y for b in block.boxes for y in (b.row - b.height / 2, b.row + b.height / 2)]
    xs += [p[0] for a in block.arrows for p in a.points]
    ys += [p[1] for a in block.arrows for p in a.points]
    labels = [a.at for a in block.arrows if a.at is not None]
    ys += [y + LABEL[1] / 2 for _, y in labels]
    xs += [x + side * LABEL[0] / 2 for x, _ in labels for side in (-1, 1)]
    return (min(xs), max(xs)), (min(ys), max(ys))


def _lines(block: Diagram, text: Text) -> Iterator[str]:
    for arrow in block.arrows:
        yield _line(arrow)
    for box in block.boxes:
        yield from _box(box, text)
    for arrow in block.arrows:
        if arrow.label is not None and arrow.at is not None:
            label = whole(text.formula(arrow.label))
            shown = _fitted(label, LABEL[0] * COLUMN, LABEL[1] * LINE, 0.86, r"\footnotesize")
            yield rf"\node[inner sep=0pt, text=red!60!black] at {_at(arrow.at)} {{{shown}}};"


def _line(arrow: Arrow) -> str:
    color = "red!60!black" if arrow.backward else "black"
    return rf"\draw[->, {color}, rounded corners=3pt] {' -- '.join(map(_at, arrow.points))};"


def _box(box: Box, text: Text) -> Iterator[str]:
    if box.kind == "dots":
        yield rf"\node[inner sep=0pt] at {_at((box.column, box.row))} {{$\cdots$}};"
        return
    left, right = box.column - box.width / 2, box.column + box.width / 2
    top, bottom = box.row - box.height / 2, box.row + box.height / 2
    corners = ", rounded corners=2pt" if box.kind != "parameter" else ""
    fill = FILLS.get(box.kind, OTHER)
    yield rf"\draw[fill={fill}{corners}] {_at((left, top))} rectangle {_at((right, bottom))};"
    room, height = box.width * COLUMN - INSET, box.height * LINE - INSET
    names = ", ".join(whole(text.formula(node)) for node in (box.label, *box.more))
    part = 0.58 if box.below else 1.0
    rise = 0.19 * box.height if box.below else 0.0
    shown = _fitted(names, room, height * part, 0.92, r"\small")
    yield rf"\node[inner sep=0pt] at {_at((box.column, box.row - rise))} {{{shown}}};"
    if box.below:
        sizes = r" \times ".join(text.formula(node) for node in box.below)
        small = _fitted(sizes, room, height * (1 - part), 0.68, r"\tiny")
        yield rf"\node[inner sep=0pt, text=black!65] at {_at((box.column, box.row + 0.27 * box.height))} {{{small}}};"


def _fitted(formula: str, width: float, height: float, size: float, font: str) -> str:
    """A formula in a size of the font, smaller where it has not room enough."""
    extent = measure(formula, display=False)
    scale = min(1.0, width / (extent.width * size + 0.1), height / (extent.total * size + 0.1))
    shown = rf"{font}$\mathstrut {formula}$" if scale == 1 else rf"{font}$ {formula}$"
    return shown if scale == 1 else rf"\scalebox{{{scale:.2f}}}{{{shown}}}"


def _at(point: tuple[float, float]) -> str:
    return f"({point[0]:.3f},{point[1]:.3f})"
