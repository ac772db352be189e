"""What the signs and the symbols mean: sentences for the signs that occur, a table of the tensors."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction

from sympy import Add as Sums

from ..language.nodes import Entry
from ..language.tensor import Dim, Tensor
from ..present.tree import (
    ONE,
    Add,
    Apply,
    Bracket,
    Constant,
    Divide,
    Hadamard,
    Leaf,
    Node,
    Norm,
    Number,
    Ones,
    Power,
    Relation,
    Scale,
    Spread,
    Through,
    Total,
    Trace,
    Transpose,
    walk,
)
from .records import Block, Formula, Paragraph, Sentence, Table
from .setting import Setting, batch, shape_of
from .update import value

SIDE = Dim("d", 2)
A, B = (Leaf(Tensor(name, (SIDE, SIDE))) for name in "AB")
V = Leaf(Tensor("v", (SIDE,)))
Z = Leaf(Tensor("z"))
CONDITION = Relation(">", A, Number(Fraction(0)))
LOG1P = Apply("log", (Add(((1, ONE), (1, Z))),))
EXPM1 = Add(((1, Apply("exp", (Z,))), (-1, ONE)))
SIGMOID = Scale((), (Add(((1, ONE), (1, Apply("exp", (Add(((-1, Z),)),))))),))

SIGNS: tuple[tuple[str, Node, Callable[[Node], bool]], ...] = (
    ("hadamard", Hadamard((A, B)), lambda n: isinstance(n, Hadamard)),
    ("divide", Divide(A, B), lambda n: isinstance(n, Divide)),
    ("power", Power(A, Number(Fraction(2)), True), lambda n: isinstance(n, Power) and n.elementwise),
    ("transpose", Transpose(A), lambda n: isinstance(n, Transpose)),
    ("ones", Ones(SIDE), lambda n: isinstance(n, Ones)),
    ("spread", V, lambda n: isinstance(n, Spread)),
    ("total", Total(A), lambda n: isinstance(n, Total)),
    ("norm2", Norm(A, 2), lambda n: isinstance(n, Norm) and n.kind == 2),
    ("norm1", Norm(A, 1), lambda n: isinstance(n, Norm) and n.kind == 1),
    ("trace", Trace(A), lambda n: isinstance(n, Trace)),
    ("bracket", Bracket(CONDITION), lambda n: isinstance(n, Bracket)),
    *(
        (name, Apply(name, (V if name == "diag" else A,)), lambda n, name=name: _calls(n, name))
        for name in ("softmax", "rowsum", "sum_0", "sum_1", "diag")
    ),
    *(
        (name, Relation("=", Apply(name, (Z,)), meant), lambda n, name=name: _calls(n, name))
        for name, meant in (("sigma", SIGMOID), ("log1p", LOG1P), ("expm1", EXPM1))
    ),
)
"""A sign's message, an example of it, and whether a node is one."""
SIDED = ("softmax", "spread")
"""Signs whose meaning depends on where the samples are."""


def _calls(node: Node, name: str) -> bool:
    return isinstance(node, Apply) and node.function == name


def blocks(setting: Setting, lines: Iterable[Formula]) -> tuple[Block, ...]:
    """How to read a document with these lines."""
    view, words = setting.view, setting.words
    where = "columns" if view.columns else "rows"
    opening = "numerator" if view.notation.layout == "numerator" else "symbols"
    sentence = (*words(f"opening.{opening}"), " ", *words(f"opening.{where}", batch=batch()))
    signs = _signs(setting, lines, where)
    table = Table((words("table.symbol"), words("table.shape"), words("table.meaning")), tuple(_rows(setting)))
    return (Paragraph(sentence), *([Paragraph(signs)] if signs else []), table)


def _signs(setting: Setting, lines: Iterable[Formula], where: str) -> Sentence:
    nodes = [node for line in lines for side in (line.lhs, line.rhs) for node in walk(side)]
    made: list[str | Node] = []
    for name, example, used in SIGNS:
        if any(map(used, nodes)):
            key = f"legend.{name}_{where}" if name in SIDED else f"legend.{name}"
            made += ["; "] if made else []
            made += setting.words(key, formula=example)
    part = next((n for n in nodes if isinstance(n, Through)), None)
    if part is not None:
        made += ["; ", *setting.words("legend.through", formula=part, equation=f"({part.number})")]
    return (*made, ".") if made else ()


Row = tuple[Sentence, Sentence, Sentence]


def _rows(setting: Setting) -> Iterator[Row]:
    words, derivation = setting.words, setting.derivation
    system = derivation.system
    yield (batch(),), (), words("meaning.batch")
    for t in system.inputs:
        levels = words("meaning.levels", last=str(t.levels - 1)) if t.levels else words("meaning.input")
        yield _row(setting, t, levels)
    for t in setting.targets:
        yield _row(setting, t, _target(setting, t))
    added = {term.tensor for eq in derivation.forward for term in Sums.make_args(eq.rhs) if isinstance(term, Entry)}
    for t in system.parameters:
        kind = "weight" if "weight" in t.traits else "bias" if t in added else "parameter"
        yield _row(setting, t, words(f"meaning.{kind}"))
    for t in system.states:
        yield _row(setting, t, words("meaning.state"))
    for t in system.randoms:
        yield _row(setting, t, words("meaning.random", interval=Constant("[0, 1)")))
    strengths = {e.tensor for e in derivation.objective.rhs.atoms(Entry)}
    for t in system.hypers:
        yield _row(setting, t, words("meaning.strength" if t in strengths else "meaning.hyper", value=value(t)))
    for eq in derivation.forward:
        yield _row(setting, eq.lhs, words("meaning.defined", number=setting.number(eq)))
    for eq in derivation.adjoints:
        yield _row(setting, eq.lhs, _derivative(setting, eq.lhs, setting.number(eq)))


def _row(setting: Setting, tensor: Tensor, meaning: Sentence) -> Row:
    sizes = shape_of(tensor, setting.view)
    shape: list[str | Node] = []
    for size in sizes:
        shape += [" × "] if shape else []
        shape.append(size)
    return (Leaf(tensor),), tuple(shape), meaning


def _target(setting: Setting, tensor: Tensor) -> Sentence:
    if "sign" in tensor.traits:
        return setting.words("meaning.sign", minus=Add(((-1, ONE),)), plus=ONE)
    known = [trait for trait in ("sample_weight", "normalized", "unit") if trait in tensor.traits]
    return setting.words(f"meaning.{known[0] if known else 'target'}")


def _derivative(setting: Setting, tensor: Tensor, number: str) -> Sentence:
    source = setting.view.source(tensor)
    if source is None:
        return setting.words("meaning.defined", number=number)
    return setting.words("meaning.derivative", loss=Leaf(setting.loss), source=Leaf(source), number=number)
