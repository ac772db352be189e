"""The MathML printer: every node of a tree, well formed, in what browsers understand."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from fractions import Fraction

import pytest

from symbackprop.language.tensor import BATCH, Dim, Tensor
from symbackprop.present import tree as nodes
from symbackprop.present.latex_printer import LatexPrinter
from symbackprop.present.mathml import BREAK, SOFT
from symbackprop.present.mathml_printer import MathmlPrinter, math, parts
from symbackprop.present.matrix import form
from symbackprop.present.notation import PROFILES, Notation
from symbackprop.present.tree import Add, Apply, Leaf, Letter, Node, Number, Power, Product, Subscript, Transpose
from symbackprop.present.view import View
from tests.present.networks import NETWORKS

A = Tensor("A2", (BATCH, Dim("d", 3)))
B = Tensor("B", (Dim("d", 3), Dim("e", 4)))
V = Tensor("v", (Dim("d", 3),))
ETA = Tensor("eta", (), kind="hyper")
ONE, TWO = Number(Fraction(1)), Number(Fraction(2))
CORE = {"math", "mrow", "mi", "mn", "mo", "mtext", "mspace", "mfrac", "msqrt", "msub", "msup", "msubsup"}
CORE |= {"munder", "mover", "munderover", "mtable", "mtr", "mtd"}
"""Elements of MathML Core that the printer may use."""
SAMPLES: dict[type[Node], Node] = {
    nodes.Leaf: Leaf(A),
    nodes.Letter: Letter("j"),
    nodes.Subscript: Subscript(A, (Letter("n"), Letter("j"))),
    nodes.Number: Number(Fraction(1, 2)),
    nodes.Constant: nodes.Constant("pi"),
    nodes.Size: nodes.Size(BATCH),
    nodes.Ones: nodes.Ones(BATCH),
    nodes.Transpose: Transpose(Add(((1, Leaf(A)), (-1, Leaf(A))))),
    nodes.Product: Product((Leaf(A), Leaf(B))),
    nodes.Hadamard: nodes.Hadamard((Leaf(A), Add(((1, ONE), (-1, Leaf(A)))))),
    nodes.Divide: nodes.Divide(Leaf(A), Apply("sqrt", (Leaf(A),))),
    nodes.Add: Add(((-1, Leaf(A)), (1, Leaf(A)), (-1, TWO))),
    nodes.Scale: nodes.Scale((Leaf(ETA),), (TWO, nodes.Size(BATCH)), Leaf(B)),
    nodes.Power: Power(Leaf(A), TWO, elementwise=True),
    nodes.Apply: Apply("tanh", (Leaf(A),)),
    nodes.Total: nodes.Total(Leaf(A)),
    nodes.Spread: nodes.Spread(Leaf(V)),
    nodes.Trace: nodes.Trace(Product((Leaf(B), Transpose(Leaf(B))))),
    nodes.Norm: nodes.Norm(Leaf(A), 2),
    nodes.Relation: nodes.Relation("<=", Leaf(A), ONE),
    nodes.Logic: nodes.Logic("and", (nodes.Relation("<", Leaf(A), ONE), nodes.Relation("mod", Letter("j"), TWO))),
    nodes.Bracket: nodes.Bracket(nodes.Relation("!=", Letter("j"), Letter("k"))),
    nodes.Cases: nodes.Cases(((Leaf(A), nodes.Relation(">", Leaf(A), ONE)),), TWO),
    nodes.Running: nodes.Running("argmax", ("j", "k1"), Subscript(A, (Letter("n"), Letter("j")))),
    nodes.Partial: nodes.Partial(Leaf(A), Leaf(B)),
    nodes.Through: nodes.Through(nodes.Partial(Leaf(A), Leaf(B)), "3"),
}


def kinds() -> Iterator[type[Node]]:
    """All classes of nodes; those with slots stand a second time among the subclasses."""
    for kind in vars(nodes).values():
        if isinstance(kind, type) and issubclass(kind, Node) and kind is not Node:
            yield kind


def parsed(text: str) -> ET.Element:
    root = ET.fromstring(math(text, display=True))
    assert {element.tag for element in root.iter()} <= CORE
    assert not any("mathvariant" in e.attrib and e.attrib["mathvariant"] != "normal" for e in root.iter())
    return root


def words(text: str) -> str:
    return "".join(parsed(text).itertext())


def test_there_is_a_sample_of_every_node() -> None:
    assert set(SAMPLES) == set(kinds())


@pytest.mark.parametrize("kind", SAMPLES, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("shapes", [False, True])
def test_every_node_is_printed(kind: type[Node], shapes: bool) -> None:
    printer = MathmlPrinter(View(Notation(shapes=shapes)))
    text = printer.show(SAMPLES[kind])
    assert words(text)
    around = printer.show(Power(SAMPLES[kind], TWO))
    assert len(parsed(around)) == 1


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("name", ["digits", "deep", "norm", "branches", "attention", "order 3"])
def test_whole_derivations_are_well_formed(name: str, profile: str) -> None:
    derivation = NETWORKS[name].derive()
    for notation in (Notation(profile), Notation(profile, fonts="bold", shapes=True)):
        view = View(notation, derivation)
        for eq in (*derivation.forward, derivation.objective, *derivation.adjoints, *derivation.gradients):
            shown = form(view.shown(eq), view=view)
            text = MathmlPrinter(view).show(shown.rhs)
            for part in (*parts(text), *parts(text, 5), *parts(MathmlPrinter(view, flat=True).show(shown.rhs))):
                parsed(part)
            assert not {BREAK, SOFT} & set(math(text))
            parsed(MathmlPrinter(view).show(shown.lhs))


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        (Transpose(Leaf(A)), "<msubsup><mi>A</mi><mn>2</mn><mi>\N{DOWN TACK}</mi></msubsup>"),
        (
            Number(1e-8),
            '<msup><mn>10</mn><mrow><mo stretchy="false" lspace="0" rspace="0">−</mo><mn>8</mn></mrow></msup>',
        ),
        (Apply("exp", (Leaf(V),)), "<msup><mi>e</mi><mi>v</mi></msup>"),
        (Apply("sum_0", (Leaf(V),)), "<msub><mi>sum</mi><mn>0</mn></msub>"),
        (Power(Subscript(A, (Letter("j"),)), TWO), "<mrow><mn>2</mn><mo>,</mo><mi>j</mi></mrow><mn>2</mn></msubsup>"),
    ],
)
def test_forms(node: Node, expected: str) -> None:
    assert expected in MathmlPrinter().show(node)


def test_parentheses_stand_where_latex_has_them() -> None:
    for name in ("digits", "deep", "norm", "rbf"):
        derivation = NETWORKS[name].derive()
        for eq in (*derivation.forward, derivation.objective, *derivation.adjoints, *derivation.gradients):
            node = form(eq).rhs
            latex = re.sub(r"\^\{[^{}]*\([^{}]*\}|_\{[^{}]*\}", "", LatexPrinter().show(node))
            mathml = parsed(MathmlPrinter().show(node))
            for script in [*mathml.iter("msub"), *mathml.iter("msup"), *mathml.iter("msubsup")]:
                for kid in list(script)[1:]:
                    script.remove(kid)
            assert "".join(mathml.itertext()).count("(") == latex.count("(")


def test_shapes_stand_below_the_factors() -> None:
    text = MathmlPrinter(View(Notation(shapes=True))).show(Product((Leaf(A), Leaf(B))))
    found = ["".join(e[1].itertext()) for e in parsed(text).iter("munder")]
    assert found == ["N×3", "3×4"]


def test_a_word_in_a_formula_is_that_of_the_language() -> None:
    spoken = {"if": "если", "otherwise": "иначе", "and": "и", "or": "или"}
    text = MathmlPrinter(View(spoken=spoken)).show(SAMPLES[nodes.Cases])
    assert "если" in words(text) and "иначе" in words(text)


def test_what_stands_in_a_name_is_escaped() -> None:
    assert "<b>" not in MathmlPrinter().show(nodes.Constant("<b>"))
