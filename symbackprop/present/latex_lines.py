r"""Lines that fit: the width of a formula, estimated, and long ones broken at their operators."""

from __future__ import annotations

import re

from .latex_printer import BREAK

TOKEN = re.compile(r"\\[A-Za-z]+\*?|\\.|[^\\]")
WIDTHS = {
    r"\odot": 13.5,
    r"\oslash": 13.5,
    r"\cdot": 8.5,
    r"\sum": 18.0,
    r"\log": 17.0,
    r"\exp": 19.0,
    r"\max": 22.0,
    r"\min": 20.0,
    r"\tanh": 25.0,
    r"\sinh": 23.0,
    r"\cosh": 25.0,
    r"\sin": 17.0,
    r"\cos": 18.0,
    r"\arctan": 35.0,
    r"\ge": 14.5,
    r"\le": 14.5,
    r"\ne": 14.5,
    r"\Bigl": 2.5,
    r"\Bigr": 2.5,
    r"\bigl": 0.8,
    r"\bigr": 0.8,
    r"\quad": 11.0,
    r"\,": 2.0,
    r"\ ": 4.0,
    **dict.fromkeys((r"\operatorname", r"\mathbf", r"\mathit", r"\text", r"\hat", r"\end"), 0.0),
    **dict.fromkeys("+-=<>", 14.5),
    **dict.fromkeys("()[]", 4.5),
    **dict.fromkeys(" {}&" + BREAK, 0.0),
}
"""Points at 11pt, spacing included; what is not listed is a letter."""
LETTER = 6.2
SMALL = 0.75
LIMIT = 400.0
"""Width of a line of the standalone document without its number, left side included."""


def width(formula: str) -> float:
    """An estimate, on the safe side, of a formula's width in points."""
    return _width(TOKEN.findall(formula))


def _width(tokens: list[str]) -> float:
    total, place = 0.0, 0
    while place < len(tokens):
        token = tokens[place]
        place += 1
        if token == r"\frac":
            above, place = _argument(tokens, place)
            below, place = _argument(tokens, place)
            total += max(_width(above), _width(below)) + 3
        elif token in "_^":
            small, place = _argument(tokens, place)
            total += SMALL * _width(small)
        elif token == r"\sqrt":
            inner, place = _argument(tokens, place)
            total += _width(inner) + 11
        elif token == r"\begin":
            end = _end(tokens, place)
            total += 10 + max(map(_width, _rows(tokens[place + 7 : end])))
            place = end + 8
        else:
            total += WIDTHS.get(token, LETTER)
    return total


def _end(tokens: list[str], place: int) -> int:
    r"""The place of the \end of what was begun just before."""
    depth = 1
    while True:
        depth += {r"\begin": 1, r"\end": -1}.get(tokens[place], 0)
        if depth == 0:
            return place
        place += 1


def _rows(tokens: list[str]) -> list[list[str]]:
    """The rows of an environment; those of one inside it are not parted."""
    rows: list[list[str]] = [[]]
    depth = 0
    for token in tokens:
        depth += {r"\begin": 1, r"\end": -1}.get(token, 0)
        if token == r"\\" and depth == 0:
            rows.append([])
        else:
            rows[-1].append(token)
    return rows


def _argument(tokens: list[str], place: int) -> tuple[list[str], int]:
    """The braced group, or the single token, at a place, and the place after it."""
    while tokens[place] == " ":
        place += 1
    if tokens[place] != "{":
        return [tokens[place]], place + 1
    depth, start = 0, place
    for end in range(place, len(tokens)):
        depth += {"{": 1, "}": -1}.get(tokens[end], 0)
        if depth == 0:
            return tokens[start + 1 : end], end + 1
    raise AssertionError(tokens)


def broken(left: str, right: str, limit: float = LIMIT) -> list[str]:
    """The lines of `left &= right`; all but the first start with an operator behind a quad."""
    room = limit - width(left) - WIDTHS["="]
    pieces = right.split(BREAK)
    lines: list[str] = []
    while pieces:
        count = _fitting(pieces, room - (WIDTHS[r"\quad"] if lines else 0))
        lines.append("".join(pieces[:count]).strip())
        pieces = pieces[count:]
    return [f"{left} &= {lines[0]}", *(rf"&\quad {line}" for line in lines[1:])]


def _fitting(pieces: list[str], room: float) -> int:
    """How many pieces the next line takes: as many as fit, but rather to a break outside parentheses."""
    used, depth, best = 0.0, 0, (0, 1)
    for count, piece in enumerate(pieces, 1):
        used += width(piece)
        depth += piece.count("(") - piece.count(")")
        if used > room and count > 1:
            return best[1]
        if count == len(pieces):
            return count
        score = -depth if used > room / 2 else -depth - 100
        if best[1] == 1 or score >= best[0]:
            best = (score, count)
    return len(pieces)


def fits(lines: list[str], limit: float = LIMIT) -> bool:
    """Whether every line is within the limit."""
    return all(width(line) <= limit + 1 for line in lines)
