"""Remarks and names of rules (`records.Note`) in words."""

from __future__ import annotations

from ..language.tensor import Tensor
from ..records import Note
from .tree import ONE, Add, Apply, Leaf, Node, Relation, Scale
from .view import View
from .words import Sentence, Words

SIGMA = Note("sigma")
"""The remark at the first sigma, which is a name on paper only."""


def definition_of_sigma() -> Node:
    """sigma(z) = 1/(1 + e^-z)."""
    z = Leaf(Tensor("z"))
    below = Add(((1, ONE), (1, Apply("exp", (Add(((-1, z),)),)))))
    return Relation("=", Apply("sigma", (z,)), Scale((), (below,)))


def english(note: Note) -> str:
    """The note in plain English."""
    return Words("en").text(f"note.{note.key}", tensors=", ".join(t.name for t in note.tensors), value=_value(note))


def sentence(note: Note, words: Words, view: View) -> Sentence:
    """The note in a document's language and notation."""
    if note == SIGMA:
        return (definition_of_sigma(),)
    named = tuple(part for t in note.tensors for part in (", ", Leaf(t)))[1:]
    turned = note.key == "normalized" and view.columns
    return words(f"note.{note.key}_columns" if turned else f"note.{note.key}", tensors=named, value=_value(note))


def _value(note: Note) -> str:
    return "" if note.value is None else f"{note.value:g}"
