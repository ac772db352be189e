"""No printed formula of the gallery is longer than the one that a textbook has in its place."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from symbackprop.document.make import document
from symbackprop.document.records import Derived, Formula, Formulas
from symbackprop.present.count import count
from tests.document.gallery_names import NOTATIONS
from tests.document.gallery_reader import page, wanted
from tests.document.gallery_reference import ENTRIES
from tests.document.judge.names import key
from tests.document.judge.page import Page, close
from tests.document.operations import operations
from tests.document.printed import derivation
from tests.document.textbook import TEXTBOOK


def formulas(name: str, profile: str) -> Iterator[Formula]:
    for section in document(derivation(name), profile, "summary").sections:
        for block in section.blocks:
            if isinstance(block, (Formulas, Derived)):
                yield from block.lines


def known(name: str) -> set[str]:
    """The names whose raised numbers are no powers."""
    lefts = {key(line.partition(" = ")[0]) for line in TEXTBOOK[name].values()}
    return lefts | {r"\beta_{1}", r"\beta_{2}", "g"}


def lengths(name: str) -> dict[str, int]:
    return {number: operations(line.partition(" = ")[2], known(name)) for number, line in TEXTBOOK[name].items()}


@pytest.mark.parametrize("name", ENTRIES)
@pytest.mark.parametrize("profile", [p for p in NOTATIONS if p != "ng"])
def test_no_formula_is_longer_than_the_textbooks(name: str, profile: str) -> None:
    """Ng's notation has factors in other places. What comes back through a product, 7.1, is a product."""
    allowed, made = lengths(name), {line.number: count(line.rhs) for line in formulas(name, profile)}
    assert {number.partition(".")[0] for number in made} == set(allowed)
    assert not {number: n for number, n in made.items() if n > (1 if "." in number else allowed[number])}


@pytest.mark.parametrize("name", ENTRIES)
def test_in_ngs_notation_all_formulas_together_are_not_longer(name: str) -> None:
    """1/m stands in the gradients of the parameters in place of the derivatives by the samples."""
    made = sum(count(line.rhs) for line in formulas(name, "ng") if "." not in line.number)
    assert made <= sum(lengths(name).values()) + len(ENTRIES[name].parameters)


@pytest.mark.parametrize("name", ENTRIES)
def test_the_textbooks_formulas_are_right(name: str) -> None:
    """Else ours could be compared with something longer than what is true."""
    known_page = page(name, "rows")
    lines = [line for number, line in TEXTBOOK[name].items() if (name, number) not in OTHER_MODE]
    body = "\\\\\n".join(line.replace(" = ", " &= ", 1) for line in lines)
    window = {"u": 2, "v": 2}
    reader = Page(
        known_page.given, implicit=True, ranges={"q": window, "h_{2}": window} if name == "convolution" else {}
    )
    got = reader.read(f"\\begin{{align}}\n{body}\n\\end{{align}}")
    for k, v in wanted(name, "rows").items():
        assert close(got[k], v), k


OTHER_MODE = {("batch_norm", number) for number in ("18", "19", "20", "21")}
"""What replaces the batch's statistics, and renews what replaces it."""


@pytest.mark.parametrize(
    ("formula", "length"),
    [
        (r"x W_{1}^{\top} + \mathbf{1} b_{1}^{\top}", 2),
        (r"\frac{1}{N} A", 1),
        (r"\frac{2}{N} (a - y)", 3),
        (r"-\frac{1}{N} \sum y \odot \log p", 5),
        (r"\frac{\lambda}{2 N} \lVert W \rVert^{2}", 5),
        (r"\sum_{k,m} W_{ok} x_{n, k, i + m}", 2),
        (r"\delta^{(2)\top} \mathbf{1}", 1),
        (r"[z > 0] \odot \max(0, z)", 3),
        (r"a^{\circ 2} + 10^{-5}", 2),
        (r"e^{-z}", 2),
    ],
)
def test_operations_are_counted_as_they_are_written(formula: str, length: int) -> None:
    assert operations(formula, {"a", r"\delta^{(2)}"}) == length
