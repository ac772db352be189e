"""The optimizer's step."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction

from ..language.tensor import Tensor
from ..present.pages import update_tensors
from ..present.tree import Leaf, Node, Number, Relation
from ..records import Group, Update
from .records import Block, Formula, Formulas, Paragraph, Sentence
from .setting import Setting


def blocks(setting: Setting) -> tuple[Block, ...]:
    """The update's equations for one entry, what its letters mean, and the numbers in it."""
    update = setting.derivation.update
    if update is None:
        return ()
    used, fresh = update_tensors(update)
    leaf = {"theta": Leaf(update.theta), "gradient": Leaf(update.gradient)}
    new = {"fresh": Leaf(fresh, new=True), "old": Leaf(fresh)}
    sentence: Sentence = setting.words("opening.update", name=update.name, **leaf, **new)
    if update.step in used:
        sentence = (*sentence, " ", *setting.words("update.steps", step=Leaf(update.step)))
    paragraphs: list[Block] = [Paragraph(sentence), Formulas(formulas(setting, update))]
    if update.hypers:
        paragraphs.append(Paragraph(setting.words("update.values", values=_values((h, h) for h in update.hypers))))
    paragraphs += [_group(setting, update, group) for group in update.groups]
    return tuple(paragraphs)


def _group(setting: Setting, update: Update, group: Group) -> Paragraph:
    """The numbers of their own that some parameters have."""
    pairs = zip(update.hypers, group.hypers, strict=True)
    own = [(common, hyper) for common, hyper in pairs if hyper is not common]
    return Paragraph(setting.words("update.groups", pattern=group.pattern, values=_values(own)))


def formulas(setting: Setting, update: Update) -> tuple[Formula, ...]:
    """The equations for one entry; a mark stands on new values."""
    made = []
    for eq in update.equations:
        formula = setting.formula(eq)
        made.append(replace(formula, lhs=Leaf(eq.lhs, new=eq.lhs.kind != "intermediate"), shape=()))
    return tuple(made)


def value(tensor: Tensor) -> Node:
    """A hyper-parameter's value as a formula."""
    number = tensor.value or 0.0
    return Number(Fraction(int(number)) if float(number).is_integer() else float(number))


def _values(named: Iterable[tuple[Tensor, Tensor]]) -> Sentence:
    """name = value, the name that of one hyper-parameter and the value of another."""
    pieces: list[str | Node] = []
    for place, (name, hyper) in enumerate(named):
        pieces += [", "] if place else []
        pieces.append(Relation("=", Leaf(name), value(hyper)))
    return tuple(pieces)
