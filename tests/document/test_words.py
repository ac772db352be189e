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
from symbackprop.present.latex_lines import whole
from symbackprop.present.latex_printer import LatexPrinter
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
    known = vocabulary(language) | NAMES | {"b", "F"}  # the pattern of a group, as it was given, and (F7)
    for level, notation in (("steps", "rows"), ("every-index", "ng")):
        made = document(net.derive(optimizer), notation, level, language)
        found = {word for text in sentences((made.title, made.sections)) for word in WORD.findall(text)}
        assert found <= known, found - known
        assert len(found) > 30


def test_an_unknown_language_is_an_error_that_lists_the_known_ones() -> None:
    with pytest.raises(PresentationError, match=r"unknown language 'de'.*en, pl, ru, sk"):
        Words("de")


def latex(sentence: records.Sentence, made: records.Document) -> str:
    show = LatexPrinter(made.view).show
    return "".join(p if isinstance(p, str) else whole(show(p)) for p in sentence)


def legend(name: str, level: str = "steps", notation: str = "rows") -> tuple[str, dict[str, str]]:
    """The signs' sentence, and the meanings by symbol."""
    net, optimizer = EVERYTHING[name]
    made = document(net.derive(optimizer), notation, level, "sk")
    section = next(s for s in made.sections if s.key == "symbols")
    *_, signs, table = section.blocks
    assert isinstance(signs, records.Paragraph) and isinstance(table, records.Table)
    meanings = {latex(row[0], made): latex(row[2], made) for row in table.rows}
    return latex(signs.sentence, made), meanings


def test_signs_that_only_steps_have_are_explained() -> None:
    assert r"\oslash" in legend("logistic")[0] and r"\oslash" not in legend("logistic", "summary")[0]
    assert "[A > 0]" in legend("half_square_norm", "every-index")[0]
    assert r"\operatorname{log1p}(z) = \log(1 + z)" in legend("logistic")[0]
    assert r"\Big|_{(1)} je príspevok rovnice (1) k derivácii" in legend("deep_mlp")[0]


def test_what_is_added_is_a_bias() -> None:
    meanings = legend("batch_norm")[1]
    assert [meanings[name] for name in ("W_{1}", r"\beta_{2}", r"\gamma_{2}", "b_{4}")] == [
        "váhy", "prahy", "parameter", "prahy",
    ]  # fmt: skip


def test_pseudo_code_assigns_new_values_to_the_old_names() -> None:
    net, optimizer = EVERYTHING["adam"]
    made = document(net.derive(optimizer), "rows", "steps", "en")
    (algorithm,) = (b for s in made.sections if s.key == "algorithm" for b in s.blocks)
    assert isinstance(algorithm, records.Algorithm)
    lines = [latex(line.sentence, made) for line in algorithm.lines]
    assert r"m := \beta_{1} m + (1 - \beta_{1}) g" in lines
    assert not [line for line in lines if "^{+}" in line]
