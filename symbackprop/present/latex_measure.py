r"""How wide and how high TeX will set a formula: its rules for boxes, with the metrics of Computer Modern."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

EM = 10.95
"""Points, in a document of 11pt; all results are for that size."""
TOKEN = re.compile(r"\\[A-Za-z]+\*?|\\.|[^\\]", re.DOTALL)
SIZES = (1.0, 0.74, 0.56)
"""Text, script and what stands in a script."""


@dataclass(frozen=True, slots=True)
class Extent:
    """Width, height above and depth below the line, in points."""

    width: float = 0.0
    height: float = 0.0
    depth: float = 0.0

    def beside(self, other: Extent) -> Extent:
        """Both, one after the other."""
        return Extent(self.width + other.width, max(self.height, other.height), max(self.depth, other.depth))

    @property
    def total(self) -> float:
        """From top to bottom."""
        return self.height + self.depth


ITALIC = {
    **dict(zip("ABCDEFGHIJKLM", (750, 809, 787, 856, 796, 782, 786, 912, 518, 651, 921, 681, 1079), strict=True)),
    **dict(zip("NOPQRSTUVWXYZ", (912, 791, 781, 791, 767, 671, 723, 792, 805, 1083, 906, 803, 755), strict=True)),
    **dict(zip("abcdefghijklm", (529, 429, 433, 520, 466, 598, 513, 576, 345, 469, 552, 318, 878), strict=True)),
    **dict(zip("nopqrstuvwxyz", (600, 485, 503, 482, 479, 469, 361, 572, 521, 743, 572, 526, 509), strict=True)),
}
ROMAN = {
    **dict.fromkeys("ijlft I',.:;!", 300),
    **dict.fromkeys("acegszrt-()", 470),
    **dict.fromkeys("mwMW", 900),
    **dict.fromkeys("ABCDEGHKNOPQRTUVXYZ", 750),
    **dict.fromkeys("×−≤≥≠←→…—∞", 1000),
}
"""Thousandths of an em; what is in neither table is a bit wider than most letters of its font."""
UPRIGHT = 570
SPACE = {"ord": 0.0, "bin": 0.444, "rel": 0.556, "op": 0.167, "punct": 0.167}
"""Of an em, on both sides together."""
SIGNS: dict[str, tuple[str, int]] = {
    **dict.fromkeys((r"\odot", r"\oslash", "+", "-", r"\times", r"\pm"), ("bin", 778)),
    r"\cdot": ("bin", 278),
    **dict.fromkeys((r"\ge", r"\le", r"\ne", "=", "<", ">", r"\in", r"\approx"), ("rel", 778)),
    **dict.fromkeys((r"\to", r"\leftarrow", r"\gets"), ("rel", 1000)),
    r"\log": ("op", 1280), r"\exp": ("op", 1530), r"\max": ("op", 1870), r"\min": ("op", 1670),
    r"\tanh": ("op", 2010), r"\sinh": ("op", 1790), r"\cosh": ("op", 1960), r"\sin": ("op", 1230),
    r"\cos": ("op", 1340), r"\arctan": ("op", 2800), r"\bmod": ("rel", 1900), ",": ("punct", 278), ";": ("punct", 278),
    **{c: ("ord", w) for c, w in {
        **dict.fromkeys("0123456789/", 500), **dict.fromkeys("()", 389), **dict.fromkeys("[].:!|", 278), "'": 300,
        r"\quad": 1000, r"\qquad": 2000, r"\,": 167, r"\;": 278, r"\ ": 333, r"\!": 0, r"\{": 500, r"\}": 500,
        r"\lVert": 500, r"\rVert": 500, r"\lvert": 278, r"\rvert": 278, r"\top": 778, r"\prime": 275, r"\circ": 500,
        r"\lfloor": 444, r"\rfloor": 444, r"\lceil": 444, r"\rceil": 444, r"\partial": 590, r"\nabla": 833,
        r"\infty": 1000, r"\dots": 1180, r"\cdots": 1180, r"\iota": 354, r"\alpha": 643, r"\beta": 620, r"\gamma": 575,
        r"\delta": 483, r"\eta": 534, r"\lambda": 583, r"\pi": 607, r"\sigma": 608, r"\tau": 555, r"\theta": 498,
        **dict.fromkeys((" ", "&", "\n", "\x1f", "\x1e", r"\limits", r"\nolimits", r"\notag"), 0),
    }.items()},
}  # fmt: skip
"""Class (which asks for space) and width of what is no letter; other commands are taken as wide Greek letters."""
GREEK_LETTER = 680
BIG = {r"\big": (458, 1.2), r"\Big": (597, 1.8), r"\bigg": (736, 2.4), r"\Bigg": (875, 3.0)}
FONTS = (r"\mathbf", r"\mathrm", r"\mathit", r"\text", r"\operatorname", r"\boldsymbol", r"\mathbb")
STYLES = {r"\displaystyle": 0, r"\textstyle": 0, r"\scriptstyle": 1, r"\scriptscriptstyle": 2}


def measure(formula: str, display: bool = True) -> Extent:
    """The extent of a formula, in a display or in a line of text; on the safe side in width."""
    return _Box(TOKEN.findall(formula), 0, display).extent()


def text_width(words: str) -> float:
    """The width of plain words."""
    return EM * sum(_upright(c) for c in words)


def _upright(character: str) -> float:
    return ROMAN.get(character, UPRIGHT if character < "\u0400" else 610) / 1000


@dataclass(slots=True)
class _Box:
    """A list of tokens on its way through TeX's rules; `level` is how deep it stands in scripts."""

    tokens: list[str]
    level: int
    display: bool
    place: int = 0

    @property
    def size(self) -> float:
        return EM * SIZES[min(self.level, 2)]

    def extent(self) -> Extent:
        """The whole list."""
        total = Extent()
        while self.place < len(self.tokens):
            total = total.beside(self.scripted())
        return total

    def scripted(self) -> Extent:
        """One thing with what stands above and below it."""
        token = self.tokens[self.place]
        limits = self.display and (token == r"\sum" or token in (r"\max", r"\min"))
        nucleus = self.atom()
        above = below = Extent()
        while self.place < len(self.tokens) and self.tokens[self.place] in "_^":
            mark = self.tokens[self.place]
            self.place += 1
            found = _Box(self.argument(), self.level + 1, False).extent()
            above, below = (found, below) if mark == "^" else (above, found)
        if limits:
            room = 0.35 * self.size
            height = nucleus.height + (above.total + room if above.width else 0)
            depth = nucleus.depth + (below.total + room if below.width else 0)
            return Extent(max(nucleus.width, above.width, below.width), height, depth)
        height, depth = nucleus.height, nucleus.depth
        if above.width:
            height = max(height, max(0.41 * self.size, height - 0.35 * self.size) + above.height)
        if below.width:
            depth = max(depth, max(0.2 * self.size, depth) + below.depth + 0.1 * self.size)
        return Extent(nucleus.width + max(above.width, below.width) + 0.5, height, depth)

    def argument(self) -> list[str]:
        """The braced group, or the single token, that comes next."""
        while self.tokens[self.place] == " ":
            self.place += 1
        start = self.place
        if self.tokens[start] != "{":
            self.place += 1
            return [self.tokens[start]]
        depth = 0
        for end in range(start, len(self.tokens)):
            depth += {"{": 1, "}": -1}.get(self.tokens[end], 0)
            if depth == 0:
                self.place = end + 1
                return self.tokens[start + 1 : end]
        raise AssertionError(self.tokens)

    def atom(self) -> Extent:
        """One thing without its scripts."""
        token = self.tokens[self.place]
        made = BOXES.get(token)
        if token == "{":
            return replace(self, tokens=self.argument(), place=0).extent()
        self.place += 1
        if made is not None:
            return made(self)
        if token in STYLES:
            self.level, self.display = max(self.level, STYLES[token]), token == r"\displaystyle"
            return Extent()
        if token[:-1] in BIG:
            width, height = BIG[token[:-1]]
            self.place += 1
            half = height / 2 * EM
            return Extent(width / 1000 * EM, half + 0.25 * EM, half - 0.25 * EM)
        if token in ITALIC:
            return self.letter(ITALIC[token] / 1000)
        kind, width = SIGNS.get(token, ("ord", GREEK_LETTER))
        space = SPACE[kind] if self.level == 0 or kind == "op" else 0.0
        return self.letter(width / 1000 + space) if width else Extent()

    def letter(self, width: float) -> Extent:
        """A letter or sign of a width in em."""
        return Extent(width * self.size, 0.7 * self.size, 0.21 * self.size)

    def sum(self) -> Extent:
        """The sign of a sum, large in a display; it is no smaller in scripts."""
        wide, half = (1.444, 0.7) if self.display else (1.056, 0.5)
        return Extent((wide + SPACE["op"]) * EM, (half + 0.25) * EM, (half - 0.25) * EM)

    def fraction(self) -> Extent:
        """Two things and the bar between them."""
        level = self.level if self.display else self.level + 1
        above = _Box(self.argument(), level, False).extent()
        below = _Box(self.argument(), level, False).extent()
        up, down = (0.68, 0.69) if self.display else (0.4, 0.35)
        height = max(up * self.size, 0.4 * self.size + above.depth) + above.height
        depth = max(down * self.size, below.height - 0.1 * self.size) + below.depth
        return Extent(max(above.width, below.width) + 2.5, height, depth)

    def root(self) -> Extent:
        """A square root."""
        inner = _Box(self.argument(), self.level, False).extent()
        return Extent(inner.width + 1.0 * self.size, inner.height + 0.25 * self.size, inner.depth + 0.1 * self.size)

    def under(self) -> Extent:
        """Something small below something else."""
        small = _Box(self.argument(), self.level + 1, False).extent()
        inner = _Box(self.argument(), self.level, self.display).extent()
        return Extent(max(small.width, inner.width), inner.height, inner.depth + 0.25 * EM + small.total)

    def hat(self) -> Extent:
        """An accent."""
        inner = _Box(self.argument(), self.level, False).extent()
        return Extent(inner.width, inner.height + 0.1 * self.size, inner.depth)

    def word(self) -> Extent:
        """Upright letters; bold ones are wider."""
        bold = 1.16 if "bf" in self.tokens[self.place - 1] or "bold" in self.tokens[self.place - 1] else 1.0
        operator = SPACE["op"] if self.tokens[self.place - 1] == r"\operatorname" else 0.0
        inner = self.argument()
        if any(len(t) > 1 for t in inner):
            return _Box(inner, self.level, False).extent()
        return self.letter(bold * sum(map(_upright, inner)) + operator)

    def environment(self) -> Extent:
        """The rows of cases or of an aligned block; those of one inside it are not parted."""
        name = "".join(self.argument())
        rows: list[list[str]] = [[]]
        depth = 1
        while depth:
            token = self.tokens[self.place]
            self.place += 1
            depth += {r"\begin": 1, r"\end": -1}.get(token, 0)
            if token == r"\\" and depth == 1:
                rows.append([])
            elif depth:
                rows[-1].append(token)
        self.argument()
        found = [_Box(row, self.level, name == "aligned").extent() for row in rows]
        height = sum(max(f.height, 0.84 * EM) + max(f.depth + 0.1 * EM, 0.36 * EM) + 0.12 * EM for f in found)
        around = 2.2 if name == "cases" else 0.0
        return Extent(max(f.width for f in found) + around * EM, height / 2 + 0.25 * EM, height / 2 - 0.25 * EM)


BOXES: dict[str, Callable[[_Box], Extent]] = {
    r"\sum": _Box.sum,
    r"\frac": _Box.fraction,
    r"\sqrt": _Box.root,
    r"\underset": _Box.under,
    r"\hat": _Box.hat,
    r"\begin": _Box.environment,
    **dict.fromkeys(FONTS, _Box.word),
}
