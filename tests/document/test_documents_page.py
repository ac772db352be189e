"""docs/documents.md: what each notation, level and wish prints, as it is printed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import symbackprop as sb
from symbackprop.document.make import document
from symbackprop.document.records import Derived, Document, Formula, Formulas, Sentence
from symbackprop.present.latex_lines import whole
from symbackprop.present.latex_printer import LatexPrinter
from symbackprop.present.notation import PROFILES
from symbackprop.present.words import LANGUAGES

PAGE = Path(__file__).resolve().parents[2] / "docs" / "documents.md"
NET = sb.Network([sb.Input(64), sb.Dense(32, "sigmoid"), sb.Dense(10)], loss="softmax_cross_entropy", weight_decay=1e-4)
HEAD = """# Documents

    derivation = net.derive(optimizer="adam")
    derivation.document("net.html", notation="rows", level="steps", language="en")

writes the derivation of a network; the format is the path's ending: `.tex`, `.pdf`, `.html`, `.md` or `.ipynb`, with
`slides=True` a presentation in `.tex` or `.pdf`. Without a path it returns the document, which shows itself in a
notebook. On the command line: `symbackprop derive model.py:net -o net.html --notation ng --language pl`.

Everything below is printed by `tests/document/test_documents_page.py` from one network:

    net = sb.Network(
        [sb.Input(64), sb.Dense(32, "sigmoid"), sb.Dense(10)], loss="softmax_cross_entropy", weight_decay=1e-4
    )

## Notations

All of them print the same mathematics; every printed formula of the gallery is computed in every notation, by an
evaluator that knows LaTeX only, and compared with JAX (`tests/document/test_round_trip.py`).

"""
NOTATIONS = {
    "rows": "Samples are rows, W is (out, in). The default.",
    "columns": "Samples are columns: lecture 2's z, a, w with the layer above.",
    "ng": "Samples are columns; dZ and dA are those of one sample's loss, and 1/m stands in dW.",
    "torch": "Storage and names of PyTorch; a bias is spread without saying so, sums are taken along an axis.",
    "keras": "As in Keras, W is (in, out).",
    "lecture-1": "Lecture 1's S and O, derivatives as fractions.",
}
SHOWN = ("1", "4", "5", "6", "7.1", "7", "8", "9")


def printed(made: Document) -> Iterator[tuple[Formula, str]]:
    """Every equation with its LaTeX."""
    show = LatexPrinter(made.view).show
    for section in made.sections:
        for block in section.blocks:
            if isinstance(block, (Formulas, Derived)):
                yield from ((f, whole(f"{show(f.lhs)} = {show(f.rhs)}")) for f in block.lines)


def told(sentence: Sentence, made: Document) -> str:
    show = LatexPrinter(made.view).show
    return "".join(p if isinstance(p, str) else f"$`{whole(show(p))}`$" for p in sentence)


def table(made: Document, numbers: tuple[str, ...] | None = None, prefix: str = "") -> Iterator[str]:
    yield "| | | |\n|---|---|---|\n"
    for formula, latex in printed(made):
        if formula.number in (numbers or ()) or (prefix and formula.number.split(".")[0] == prefix):
            yield f"| ({formula.number}) | $`{latex}`$ | {told(formula.rule, made)} |\n"


def page() -> str:
    derivation = NET.derive("adam")

    def made(notation: Any = "rows", level: str = "summary", language: str = "en") -> Document:
        return document(derivation, notation, level, language)

    parts = [HEAD]
    for name, remark in NOTATIONS.items():
        parts += [f"### `{name}`\n\n{remark}\n\n", *table(made(name), SHOWN), "\n"]
    wishes = {
        'sb.Notation("columns", symbols={"W": "Theta", "x": "xi"}, fonts="bold")': sb.Notation(
            "columns", symbols={"W": "Theta", "x": "xi"}, fonts="bold"
        ),
        'sb.Notation(layout="numerator")': sb.Notation(layout="numerator"),
        "sb.Notation(shapes=True)": sb.Notation(shapes=True),
    }
    parts.append("## Your own wishes\n\n")
    for code, notation in wishes.items():
        parts += [f"`{code}`\n\n", *table(made(notation), ("1", "7", "8", "9")), "\n"]
    parts.append("## Levels\n\n`summary` has the equations alone; `steps` has the rule of each step:\n\n")
    parts += [*table(made(level="steps"), prefix="7"), "\n`every-index` goes through index notation:\n\n"]
    parts += [*table(made(level="every-index"), prefix="7"), "\n## Languages\n\n"]
    for code, name in LANGUAGES.items():
        parts += [f"### `{code}`, {name}\n\n", *table(made(level="steps", language=code), prefix="6"), "\n"]
    return "".join(parts).rstrip("\n") + "\n"


def test_the_page_is_what_is_printed(request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--update"):
        PAGE.write_text(page(), encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == page(), "`pytest tests/document --update` rewrites it"


def test_every_notation_is_on_the_page() -> None:
    assert list(NOTATIONS) == list(PROFILES)
