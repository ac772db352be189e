"""Make the font of the HTML documents again: the part of Latin Modern Math that formulas use, as WOFF2.

    apt-get install fonts-lmodern && pip install fonttools brotli
    python scripts/make_math_font.py path/to/latinmodern-math.otf

The font is by B. Jackowski, P. Strzelczyk and P. Pianowski, under the GUST Font License. That license asks for another
name of what is derived from it, so the subset is called Symbackprop Math.
"""

from __future__ import annotations

import string
import sys
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

HERE = Path(__file__).resolve().parents[1] / "templates" / "html" / "fonts"
NAME = "Symbackprop Math"
GREEK = "αβγδεϵζηθκλμνξπρσςτφϕχψωϑϱϖ"
SIGNS = "+−-±×·⋅∕/=≠<>≤≥≪≈∼()[]{}|‖⌊⌋⌈⌉,.;:!%′∘⊙⊘⊤∂∇∑∏∫√∞∈∀…←→↦^ˆ~\u0302\u0303\u2061\u2062\u2063\u00a0\u2009"  # noqa: RUF001


def wanted() -> set[int]:
    """The characters: Latin and Greek, upright, italic and bold, digits, and the signs that a printer writes."""
    plain = {ord(c) for c in string.ascii_letters + string.digits + GREEK + SIGNS + " "}
    italic = {*range(0x1D434, 0x1D468), *range(0x1D6FC, 0x1D71C), 0x210E}
    bold = {*range(0x1D400, 0x1D434), *range(0x1D736, 0x1D756), *range(0x1D7CE, 0x1D7D8)}
    return plain | italic | bold


def main(source: str) -> None:
    """Write the subset beside its license."""
    options = subset.Options(flavor="woff2", layout_features=["ssty", "dtls", "flac"], notdef_outline=True)
    options.name_IDs = [0, 1, 2, 4, 6, 13, 14]
    options.hinting = False
    font = subset.load_font(source, options)
    maker = subset.Subsetter(options)
    maker.populate(unicodes=wanted())
    maker.subset(font)
    _rename(font)
    HERE.mkdir(parents=True, exist_ok=True)
    subset.save_font(font, str(HERE / "symbackprop-math.woff2"), options)


def _rename(font: TTFont) -> None:
    for record in font["name"].names:
        if record.nameID in (1, 4):
            record.string = NAME
        elif record.nameID == 6:
            record.string = NAME.replace(" ", "")
    if "CFF " in font:
        top = font["CFF "].cff
        top.fontNames = [NAME.replace(" ", "")]
        top.topDictIndex[0].FullName = top.topDictIndex[0].FamilyName = NAME


if __name__ == "__main__":
    main(sys.argv[1])
