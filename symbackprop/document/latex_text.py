"""Words and formulas as LaTeX text, how wide they get, and what a language asks of a document's beginning."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from ..present.latex_lines import whole
from ..present.latex_measure import EM, Extent, measure, text_width
from ..present.latex_printer import BREAK, LatexPrinter
from ..present.symbols import GREEK
from ..present.tree import Leaf, Node, Size
from ..present.view import View
from .records import Sentence

LANGUAGES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "en": (r"\usepackage[T1]{fontenc}", r"\usepackage{lmodern}", r"\usepackage[english]{babel}"),
        "pl": (r"\usepackage[T1]{fontenc}", r"\usepackage{lmodern}", r"\usepackage[polish]{babel}"),
        "sk": (
            r"\usepackage[T1]{fontenc}",
            r"\usepackage{lmodern}",
            r"\usepackage[english]{babel}",
            r"\babelprovide[import,main]{slovak}",
            r"\emergencystretch=2em",
        ),
        "ru": (r"\usepackage[T1,T2A]{fontenc}", r"\usepackage[russian]{babel}"),
    }
)
"""The lines of a preamble. Slovak needs no package of its own that way; Latin Modern has no Cyrillic letters."""
TIE = "\u00a0"
SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    TIE: "~",
    "^": r"\textasciicircum{}",
    '"': r"\textquotedbl{}",
    **{c: "\\" + c for c in "{}$&#%_"},
    **{sign: f"${command}$" for sign, command in GREEK.values()},
    **{"×": r"$\times$", "·": r"$\cdot$", "−": "$-$", "≤": r"$\le$", "≥": r"$\ge$", "≠": r"$\ne$", "∞": r"$\infty$"},
    **{"←": r"$\leftarrow$", "→": r"$\rightarrow$", "↦": r"$\mapsto$", "⊙": r"$\odot$", "∂": r"$\partial$"},
    **{"…": r"\dots{}", "<": r"$<$", ">": r"$>$", "∈": r"$\in$", "Σ": r"$\Sigma$", "Δ": r"$\Delta$", "∇": r"$\nabla$"},
}
LINE = 13.6
"""Points from one line of text to the next, in a document of 11pt."""


def escaped(words: str) -> str:
    """Words as LaTeX prints them."""
    return "".join(SPECIAL.get(c, c) for c in words)


def tied(sentence: Sentence) -> Sentence:
    """The sentence with spaces that no line may end at: in front of a dash, and of a symbol that ends a clause."""
    return tuple(_tied(place, sentence) for place in range(len(sentence)))


def _tied(place: int, sentence: Sentence) -> str | Node:
    piece, after = sentence[place], sentence[place + 1 : place + 3]
    if not isinstance(piece, str):
        return piece
    ends = len(after) < 2 or str(after[1])[:1] in (".", ",", ";", ":", ")")
    symbol = bool(after) and isinstance(after[0], (Leaf, Size))
    return re.sub(r" (?=—)| $" if ends and symbol else " (?=—)", TIE, piece)


@dataclass(frozen=True, slots=True)
class Text:
    """Prints sentences; formulas among words have no shapes below."""

    view: View

    def sentence(self, sentence: Sentence, inline: bool = False) -> str:
        """The sentence; `inline` writes quotients on the line."""
        pieces = tied(sentence)
        return "".join(escaped(p) if isinstance(p, str) else f"${whole(self.formula(p, inline))}$" for p in pieces)

    def formula(self, node: Node, inline: bool = False) -> str:
        """A formula, with its marks, as it stands among words."""
        return LatexPrinter(self.view, inline=inline, shapes=False).show(node)

    def units(self, sentence: Sentence, inline: bool = False) -> Iterator[Extent]:
        """The extents of what no line break parts: words with their spaces, and pieces of formulas."""
        glued = Extent()
        for piece in tied(sentence):
            if isinstance(piece, str):
                for word in re.findall(r"[^ ]+ *| +", piece):
                    glued = glued.beside(Extent(text_width(word), 0.7 * EM, 0.21 * EM))
                    if word[-1] == " ":
                        yield glued
                        glued = Extent()
            else:
                *pieces, last = re.split(f"{BREAK}|(?<= =)", self.formula(piece, inline))
                for part in pieces:
                    yield glued.beside(measure(whole(part), display=False))
                    glued = Extent()
                glued = glued.beside(measure(whole(last), display=False))
        if glued.width:
            yield glued

    def width(self, sentence: Sentence, inline: bool = False) -> float:
        """The width of a sentence on one line."""
        return sum(unit.width for unit in self.units(sentence, inline))

    def height(self, sentence: Sentence, room: float, inline: bool = False) -> float:
        """The height of a sentence in a column of a width, its lines broken as TeX does at worst."""
        lines: list[Extent] = [Extent()]
        for unit in self.units(sentence, inline):
            if lines[-1].width and lines[-1].width + unit.width > room:
                lines.append(Extent())
            lines[-1] = lines[-1].beside(unit)
        return sum(max(LINE, line.total + 1) for line in lines)
