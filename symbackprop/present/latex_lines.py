r"""Lines that fit: long formulas broken at their operators, where a reader would break them."""

from __future__ import annotations

import re

from .latex_measure import EM, measure
from .latex_printer import BREAK, SOFT

LIMIT = 400.0
"""Width of a line of the standalone document without its number, left side included."""
EQUALS = (0.778 + 0.556) * EM
MARKS = re.compile(f"([{BREAK}{SOFT}])")
OPENING = re.compile(r"[(\[]|\\l(?:V|v)ert|\\lfloor|\\\{")
CLOSING = re.compile(r"[)\]]|\\r(?:V|v)ert|\\rfloor|\\\}")
ENVIRONMENT = re.compile(r"\\begin\{(\w+)\}.*?\\end\{\1\}", re.DOTALL)
A_LINE, DEEPER, TIGHTER = 100.0, 60.0, 25.0
"""What one more line costs, a break inside parentheses, and one at a product."""


def width(formula: str) -> float:
    """An estimate, on the safe side, of a displayed formula's width in points."""
    return measure(formula).width


def whole(formula: str) -> str:
    """The formula without the marks of its possible breaks."""
    return formula.replace(BREAK, "").replace(SOFT, "")


class _Pieces:
    """What stands between possible breaks: widths, how deep in parentheses each begins, what a break there costs."""

    def __init__(self, formula: str) -> None:
        first, *others = MARKS.split(formula)
        self.texts = [first, *others[1::2]]
        self.soft = [False, *(mark == SOFT for mark in others[::2])]
        self.widths = [width(text) for text in self.texts]
        self.depths = []
        depth = 0
        for text in self.texts:
            self.depths.append(depth)
            plain = ENVIRONMENT.sub("", text)
            depth = max(0, depth + len(OPENING.findall(plain)) - len(CLOSING.findall(plain)))

    def cost(self, place: int) -> float:
        """What a break in front of a piece costs."""
        tight = self.soft[place] or not self.texts[place].lstrip().startswith(("+", "-"))
        return A_LINE + DEEPER * self.depths[place] + TIGHTER * tight * (1 + self.soft[place])

    def indent(self, place: int) -> int:
        """The quads in front of a line that begins with a piece."""
        return 1 + min(self.depths[place], 3)

    def line(self, start: int, end: int) -> str:
        """The pieces of a line; what a soft break parted gets a dot for the product."""
        text = "".join(self.texts[start:end]).strip()
        return r"{}\cdot " + text if start and self.soft[start] else text


def broken(left: str, right: str, limit: float = LIMIT, column: float = 0.0) -> list[str]:
    """The lines of `left &= right`; all but the first start with an operator behind quads.

    `column` is the width that the left sides of its block have, where that is more than this one's.
    """
    pieces = _Pieces(right)
    room = limit - max(width(left) if left else 0.0, column)
    cuts = _cuts(pieces, room)
    lines = [pieces.line(start, end) for start, end in zip([0, *cuts], cuts, strict=False)]
    quads = [r"\quad" * pieces.indent(start) for start in cuts[:-1]]
    return [f"{left} &= {lines[0]}", *(f"&{quad} {line}" for quad, line in zip(quads, lines[1:], strict=True))]


def _cuts(pieces: _Pieces, room: float) -> list[int]:
    """Where the lines end, cheapest in all."""
    count = len(pieces.texts)
    best: list[tuple[float, list[int]]] = [(0.0, [])]
    for end in range(1, count + 1):
        choices = []
        used = 0.0
        for start in range(end - 1, -1, -1):
            used += pieces.widths[start]
            free = room - used - (EM * pieces.indent(start) if start else EQUALS)
            over = max(0.0, -free)
            if over and start < end - 1:
                break
            price = best[start][0] + (pieces.cost(start) if start else 0.0) + 1e4 * (over > 1) + 100 * over
            ragged = 10 * (max(0.0, free) / room) ** 2 if end < count else 0.0
            choices.append((price + ragged, [*best[start][1], end]))
        best.append(min(choices, key=lambda choice: choice[0]))
    return best[count][1]


def fits(lines: list[str], limit: float = LIMIT) -> bool:
    """Whether every line is within the limit."""
    return all(width(line) <= limit + 1 for line in lines)
