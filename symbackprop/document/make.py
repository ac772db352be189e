"""Derivation -> Document: the sections in their order. What stands in each of them is a module of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..present.notation import as_notation
from ..present.view import View
from ..present.words import Words, catalog
from ..records import Derivation
from . import equations, floating, legend, network, regularization, summary, update
from .algorithm import algorithm
from .records import Block, Document, Section, lines_of
from .setting import Setting


def document(derivation: Derivation, notation: Any = "rows", level: str = "steps", language: str = "en") -> Document:
    """The document of a derivation.

    `notation` is an `sb.Notation` or the name of a profile; `level` "summary" (the equations), "steps" (each with
    its rule), or "every-index" (through index notation); `language` "en", "pl", "sk" or "ru". Raises
    `PresentationError` for others.
    """
    words = Words(language)
    view = View(as_notation(notation), derivation, spoken_by(words))
    setting = Setting(derivation, view, words, level)
    made = tuple(Section(key, words.text(f"section.{key}"), blocks) for key, blocks in _sections(setting) if blocks)
    return Document(words.text("title.document"), language, made, writers_words(words), view=view)


def _sections(setting: Setting) -> Iterator[tuple[str, tuple[Block, ...]]]:
    rest = tuple(_derived(setting))
    yield "network", network.blocks(setting)
    yield "symbols", legend.blocks(setting, [line for _, blocks in rest for b in blocks for line in lines_of(b)])
    yield from rest


def _derived(setting: Setting) -> Iterator[tuple[str, tuple[Block, ...]]]:
    yield "forward", equations.forward(setting)
    yield "loss", equations.loss(setting)
    yield "backward", equations.backward(setting)
    yield "gradients", equations.gradients(setting)
    yield "regularizers", regularization.blocks(setting)
    yield "prediction", equations.prediction(setting)
    yield "states", equations.states(setting)
    yield "update", update.blocks(setting)
    yield "summary", summary.blocks(setting)
    yield "algorithm", (algorithm(setting),)
    yield "floating", floating.blocks(setting)


def spoken_by(words: Words) -> dict[str, str]:
    """The words that stand in formulas."""
    return {name: words.text(f"words.{name}") for name in ("and", "or", "if", "otherwise")}


def writers_words(words: Words) -> dict[str, str]:
    """The labels that writers put beside what they print."""
    return {key.removeprefix("label."): words.text(key) for key in catalog() if key.startswith("label.")}
