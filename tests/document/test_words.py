"""The catalog of messages is whole, and documents hold no word that does not come from it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

import symbackprop as sb
from examples.gallery import GALLERY
from examples.networks import convolutional, words
from symbackprop.document import records
from symbackprop.document.make import document
from symbackprop.errors import PresentationError
from symbackprop.present.tree import Node
from symbackprop.present.words import LANGUAGES, PLACE, Words, catalog

WORD = re.compile(r"[^\W\d_]+")
NAMES = {"SGD", "Adam", "AdamW", "Nesterov", "Momentum"}
"""Optimizers are called by the same name in every language."""


@pytest.mark.parametrize("key", catalog())
def test_every_message_is_there_in_every_language(key: str) -> None:
    message = catalog()[key]
    assert set(message) == set(LANGUAGES), key
    assert all(text.strip() for text in message.values()), key
    places = {language: sorted(PLACE.findall(text)) for language, text in message.items()}
    assert all(found == places["en"] for found in places.values()), places


@pytest.mark.parametrize("key", catalog())
def test_russian_is_written_in_cyrillic(key: str) -> None:
    """Single letters, and what no language translates, may be Latin."""
    plain = PLACE.sub("", catalog()[key]["ru"])
    latin = set(re.findall(r"[A-Za-z]{2,}", plain)) - {"NumPy", "log", "sum", "exp", "tanh", "sinh", "cosh"}
    assert not latin, latin


def test_languages_are_not_copies_of_each_other() -> None:
    """A sentence of four words or more is another one in each language."""
    for key, message in catalog().items():
        if len(WORD.findall(PLACE.sub("", message["en"]))) > 3:
            assert len(set(message.values())) == len(LANGUAGES), key


def sentences(part: Any) -> Iterator[str]:
    """All words of a document, formulas left out."""
    if isinstance(part, str):
        yield part
    elif isinstance(part, tuple):
        for item in part:
            yield from sentences(item)
    elif isinstance(part, (records.Section, *records.Block.__args__, records.Formula, records.CodeLine)):
        skipped = ("key", "number", "code") if not isinstance(part, records.Diagram) else ("boxes", "arrows")
        for name in part.__dataclass_fields__:
            if name not in skipped:
                yield from sentences(getattr(part, name))
    else:
        assert isinstance(part, (Node, int)), part


def vocabulary(language: str) -> set[str]:
    return {word for message in catalog().values() for word in WORD.findall(PLACE.sub("", message[language]))}


EVERYTHING = {
    **{name: (net, optimizer) for name, (net, optimizer, _) in GALLERY.items()},
    "convolutional": (convolutional, sb.Adam()),
    "words": (words, sb.optimizers.AdamW(1e-3, groups={"b*": {"decay": 0}})),
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", EVERYTHING)
def test_documents_hold_words_of_the_catalog_only(name: str, language: str) -> None:
    net, optimizer = EVERYTHING[name]
    known = vocabulary(language) | NAMES | {"b"}  # the pattern of a group, which stands there as it was given
    for level, notation in (("steps", "rows"), ("every-index", "ng")):
        made = document(net.derive(optimizer), notation, level, language)
        found = {word for text in sentences((made.title, made.sections)) for word in WORD.findall(text)}
        assert found <= known, found - known
        assert len(found) > 30


def test_an_unknown_language_is_an_error_that_lists_the_known_ones() -> None:
    with pytest.raises(PresentationError, match=r"unknown language 'de'.*en, pl, ru, sk"):
        Words("de")
