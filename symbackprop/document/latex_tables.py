"""Tables and pseudo-code as LaTeX: columns that share the width, long ones over pages, wide ones in parts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from .latex_groups import Group, Page, Row
from .latex_text import LINE, Text
from .records import Algorithm, CodeLine, Sentence, Table

BETWEEN = 14.0
"""Points between two columns."""
SIZES = (("", 1.0), (r"\small", 1.06), (r"\footnotesize", 1.15))
"""Sizes of a table's font, and how much more goes into a line; scripts do not get smaller as fast as letters."""
ROWS_TOGETHER = 12
"""Rows of a table that no page break parts."""
STEP = 14.0
"""The indentation of pseudo-code."""
MARGIN = 24.0


def table(block: Table, text: Text, page: Page) -> Iterator[Group]:
    """A table, in parts that repeat the first column where it is too wide."""
    columns = [_Column.of(place, block, text) for place in range(len(block.titles))]
    for part in _parts(columns, page):
        yield _table(part, block, text, page)


@dataclass(frozen=True, slots=True)
class _Column:
    """A column: its place, its width when nothing is broken, and that of the widest thing that nothing breaks."""

    place: int
    natural: float
    least: float

    @classmethod
    def of(cls, place: int, block: Table, text: Text) -> _Column:
        cells = [block.titles[place], *(row[place] for row in block.rows)]
        least = max((unit.width for cell in cells for unit in text.units(cell)), default=0.0)
        return cls(place, max(map(text.width, cells)) + 2, least + 2)


@dataclass(frozen=True, slots=True)
class _Part:
    """Columns of one width each that go side by side in a size of the font."""

    columns: tuple[_Column, ...]
    widths: tuple[float, ...]
    size: str
    stretch: float


def _parts(columns: list[_Column], page: Page) -> Iterator[_Part]:
    """All columns in the largest font in which they fit, else as many as fit together with the first."""
    for size, stretch in SIZES:
        widths = _shared(columns, page.width * stretch)
        if widths:
            yield _Part(tuple(columns), widths, size, stretch)
            return
    first, *others = columns
    size, stretch = SIZES[-1]
    while others:
        count = max(
            (n for n in range(1, len(others) + 1) if _shared([first, *others[:n]], page.width * stretch)), default=1
        )
        count = -(-len(others) // -(-len(others) // count))
        taken = (first, *others[:count])
        room = page.width * stretch
        widths = _shared(list(taken), room) or tuple(min(c.least, room / len(taken)) for c in taken)
        yield _Part(taken, widths, size, stretch)
        others = others[count:]


def _shared(columns: list[_Column], room: float) -> tuple[float, ...]:
    """The columns' widths: what one needs, where all have that, else shares of the room; none if it is too narrow."""
    room -= BETWEEN * (len(columns) - 1)
    if sum(c.natural for c in columns) <= room:
        return tuple(c.natural for c in columns)
    if sum(c.least for c in columns) > room:
        return ()
    widths = {c.place: c.least for c in columns}
    left = room - sum(widths.values())
    while left > 1:
        wanting = [c for c in columns if widths[c.place] < c.natural - 0.5]
        for column in wanting:
            more = min(left / len(wanting), column.natural - widths[column.place])
            widths[column.place] += more
        left = room - sum(widths.values())
        if not wanting:
            break
    return tuple(widths[c.place] for c in columns)


def _table(part: _Part, block: Table, text: Text, page: Page) -> Group:
    rows = tuple(_row(part, row, text) for row in block.rows)
    long = len(rows) > ROWS_TOGETHER and not page.slides
    kind = "longtable" if long else "tabular"
    columns = "".join(
        rf">{{\raggedright\arraybackslash}}p{{{page.points(width / part.stretch)}}}" for width in part.widths
    )
    titles = " & ".join(text.sentence(block.titles[c.place]) for c in part.columns)
    opening = r"\begin{center}" if not long else r"\begingroup"
    closing = r"\end{center}" if not long else r"\endgroup"
    head = r"\endhead" if long else ""
    end_line = r"\bottomrule" + (r"\endfoot" if long else "")
    foot = f"{end_line}\n" if long else ""
    begin = (
        f"{opening}{part.size}\\setlength{{\\tabcolsep}}{{{page.points(BETWEEN / 2 / part.stretch)}}}\n"
        f"\\begin{{{kind}}}{{@{{}}{columns}@{{}}}}\n\\toprule\n{titles} \\\\\n\\midrule{head}\n{foot}"
    ).rstrip("\n")
    end = f"\\end{{{kind}}}{closing}" if long else f"{end_line}\n\\end{{{kind}}}{closing}"
    title = _height([block.titles[c.place] for c in part.columns], part, text)
    return Group(rows, begin, end, around=title + 28, first=2)


def _row(part: _Part, row: tuple[Sentence, ...], text: Text) -> Row:
    cells = [row[c.place] for c in part.columns]
    height = _height(cells, part, text)
    tall = r"[3pt]" if height > 1.35 * LINE else ""
    return Row(" & ".join(map(text.sentence, cells)) + rf" \\{tall}", height + (3 if tall else 0))


def _height(cells: list[Sentence], part: _Part, text: Text) -> float:
    heights = (text.height(cell, width) for cell, width in zip(cells, part.widths, strict=True))
    return max(heights) / part.stretch


def algorithm(block: Algorithm, text: Text, page: Page, known: frozenset[str]) -> Group:
    """Numbered lines between two rules; `known` are the numbers of equations that can be referred to."""
    rule = r"\noindent\rule{\linewidth}{0.8pt}\par"
    rows = [_code(number, line, text, page, known) for number, line in enumerate(block.lines, 1)]
    edges = {*range(3), *range(len(rows) - 3, len(rows) - 1)}
    leads = {n for n in range(len(rows) - 1) if block.lines[n].indent < block.lines[n + 1].indent}
    rows = [replace(row, leads=n in leads) for n, row in enumerate(rows)]
    kept = edges | leads
    rows = [replace(row, text=row.text + r"\nopagebreak") if n in kept else row for n, row in enumerate(rows)]
    return Group(
        tuple(rows),
        rf"\par\medskip{rule}\nopagebreak\smallskip",
        rf"\nopagebreak\smallskip{rule}",
        around=24.0,
        first=2,
    )


def _code(number: int, line: CodeLine, text: Text, page: Page, known: frozenset[str]) -> Row:
    room = page.width - MARGIN - STEP * line.indent - 36
    inline = max((unit.width for unit in text.units(line.sentence)), default=0.0) > room
    shown = text.sentence(line.sentence, inline)
    reference = rf"\eqref{{eq:{line.number}}}" if line.number in known else f"({line.number})" if line.number else ""
    row = (
        rf"\noindent\makebox[{page.points(12)}][r]{{\scriptsize {number}}}"
        rf"\hspace{{{page.points(MARGIN - 12 + STEP * line.indent)}}}"
        rf"\parbox[t]{{{page.points(room)}}}{{\raggedright\strut {shown}\strut}}"
        rf"\makebox[{page.points(36)}][r]{{{reference}}}\par"
    )
    return Row(row, text.height(line.sentence, room, inline) + 2)
