"""Markdown as GitHub, Jupyter and pandoc read it."""

from __future__ import annotations

import itertools
import re

import pytest

from symbackprop.document.markdown import MarkdownWriter, escaped, markdown
from symbackprop.document.records import Arrow, Box, Diagram, Table
from symbackprop.present.notation import PROFILES
from symbackprop.present.tree import Leaf, Size
from tests.document.pages import formulas, made

NAMES = ("xor", "modes", "convolution", "half_square_norm")


def displayed(text: str) -> list[str]:
    return re.findall(r"^\$\$\n(.*?)\n\$\$$", text, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("profile", ["rows", "ng", "torch"])
def test_formulas_are_whole(name: str, profile: str) -> None:
    document = made(name, profile)
    text = markdown(document)
    found = displayed(text)
    assert len(found) == len(formulas(document))
    assert text.count("$$") == 2 * len(found)
    tags = [match[1] for formula in found if (match := re.search(r"\\tag\{(.*?)\}", formula))]
    assert tags == [line.number for line in formulas(document) if line.number]
    for formula in [*found, *re.findall(r"(?<![\\$])\$([^$\n]+)\$", text)]:
        plain = formula.replace(r"\\", "")
        assert plain.count("{") == plain.count("}")
        assert formula.count(r"\begin{") == formula.count(r"\end{")
        assert not re.search(r"[\x00-\x08\x0e-\x1f<>]|\\operatorname|\\[,;!{}_]", formula)


@pytest.mark.parametrize("profile", PROFILES)
def test_tables_have_a_cell_for_every_title(profile: str) -> None:
    document = made("modes", profile)
    text = markdown(document)
    rows = [line for line in text.splitlines() if line.startswith("|")]
    tables = [b for s in document.sections for b in s.blocks if isinstance(b, Table)]
    assert len(rows) == sum(len(table.rows) + 2 for table in tables)
    for table in tables:
        assert all(len(row) == len(table.titles) for row in table.rows)
    assert all(re.sub(r"\\\||\\lVert|\\rVert", "", row).count("|") > 2 for row in rows)


def test_words_mean_nothing_to_markdown() -> None:
    assert escaped("a_b *c* <d> $e$ [f] `g` #1 | \\") == r"a\_b \*c\* \<d\> \$e\$ \[f\] \`g\` \#1 \| \\"


def test_pseudo_code_is_a_list() -> None:
    lines = [line for line in markdown(made("xor")).splitlines() if re.match(r" *- ", line)]
    depths = [(len(line) - len(line.lstrip())) // 2 for line in lines]
    assert depths[0] == 0 and max(depths) == 3
    assert all(after <= before + 1 for before, after in itertools.pairwise(depths))
    assert any(line.endswith("(5)") for line in lines)


def test_the_drawing_is_a_graph_or_a_picture() -> None:
    document = made("xor")
    assert document.view.derivation is not None
    x, z = document.view.derivation.system.inputs[0], document.view.derivation.forward[0].lhs
    boxes = (Box("x", "input", 0, 0, Leaf(x), tuple(map(Size, x.dims))), Box("z", "intermediate", 1, 0, Leaf(z)))
    arrows = (
        Arrow("x", "z", points=((0.28, 0.0), (0.72, 0.0))),
        Arrow("z", "x", Leaf(z), True, ((0.72, 0.1), (0.5, 0.1), (0.5, 0.2), (0.28, 0.2)), (0.5, 0.4)),
    )
    drawing = Diagram(boxes, arrows)
    graph = MarkdownWriter(document)._block(drawing)
    assert graph == '```mermaid\ngraph LR\n  t0(["x<br>N × 2"])\n  t1["z₁"]\n  t0 --> t1\n```'
    assert MarkdownWriter(document, pictures=True)._block(drawing).startswith('<img alt="')
    assert MarkdownWriter(document)._block(Diagram((), ())) == ""
