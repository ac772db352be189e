"""The HTML file: well formed, complete, by itself, its partners marked."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from symbackprop.document.html import html
from symbackprop.document.html_text import HtmlText
from symbackprop.document.records import Algorithm, Diagram, Paragraph, Section
from symbackprop.present.mathml import bare
from symbackprop.present.mathml_printer import MathmlPrinter
from symbackprop.present.view import PLAIN
from symbackprop.present.words import LANGUAGES
from tests.document.pages import Page, formulas, made, page

NAMES = ("xor", "modes", "convolution", "half_square_norm")


def letters(text: str) -> str:
    return re.sub(r"\s", "", text)


@pytest.mark.parametrize("name", NAMES)
def test_tags_match_ids_are_single_and_links_lead_somewhere(name: str) -> None:
    found = page(name)
    assert found.text.startswith('<!DOCTYPE html>\n<html lang="en">')
    ids = [attrs["id"] for attrs, _ in found.all() if "id" in attrs]
    assert len(ids) == len(set(ids))
    links = [attrs["href"] or "" for attrs, _ in found.all("a")]
    assert links and all(link[0] == "#" and link[1:] in ids for link in links)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_loaded(name: str) -> None:
    text = re.sub(r"base64,[A-Za-z0-9+/=]+", "base64,", page(name).text)
    assert not re.search(r"https?:|@import", text)
    assert set(re.findall(r"url\((.{5})", text)) == {"data:"}
    for _, attrs, _ in page(name).found:
        assert "src" not in attrs
        assert all(not v or not v.startswith("//") for v in attrs.values())


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("level", ["summary", "steps", "every-index"])
def test_every_formula_is_there(name: str, level: str) -> None:
    found, document = page(name, level=level), made(name, level=level)
    printer = MathmlPrinter(document.view)
    shown = [letters(text) for _, text in found.all("span", class_="right")]
    wanted = [letters("=" + bare(printer.show(line.rhs))) for line in formulas(document)]
    assert shown == [re.sub(r"&(lt|gt|amp);", lambda m: {"lt": "<", "gt": ">", "amp": "&"}[m[1]], w) for w in wanted]
    assert len(shown) > 5


@pytest.mark.parametrize("name", NAMES)
def test_partners_have_one_mark(name: str) -> None:
    found, document = page(name), made(name)
    numbers = {str(line.code) for line in formulas(document) if line.code and line.number == str(line.code)}
    for number in numbers:
        marked = found.all(data_eq=number)
        kinds = {kind for attrs, _ in marked for kind in (attrs.get("class") or "pseudo").split()}
        assert {"formula", "numpy", "c"} <= kinds, (number, kinds)
    steps = [line.number for s in document.sections for b in s.blocks if isinstance(b, Algorithm) for line in b.lines]
    assert steps
    for number in filter(None, steps):
        assert any(f"({number})" in text for _, text in found.all("li", data_eq=number))


def test_code_is_beside_its_equation_once() -> None:
    found = page("modes")
    labels = [attrs["aria-label"] for attrs, _ in found.all("pre")]
    assert len(labels) == len(set(labels))
    (text,) = [text for attrs, text in found.all("pre") if attrs["aria-label"] == "NumPy (1)"]
    assert text.startswith("z1 = x @ W1.T + b1  # (1)")


@pytest.mark.parametrize("language", LANGUAGES)
def test_pages_speak_their_language(language: str) -> None:
    found, document = page("xor", language=language), made("xor", language=language)
    assert found.all("html")[0][0]["lang"] == language
    titles = [text for _, text in found.all("h2")]
    assert titles == [document.words["contents"], *(s.title for s in document.sections)]
    assert letters(document.words["code"]) in letters(found.all("label")[0][1])


def test_everything_is_escaped() -> None:
    evil = '<script>alert("x")</script>&amp;'
    document = made("xor")
    section = Section("forward", evil, (Paragraph((evil,)),))
    found = Page(html(replace(document, title=evil, sections=(section,), code={})))
    assert len(found.all("script")) == 1
    assert found.all("h1")[0][1] == evil
    assert found.all("p")[-1][1] == evil


def test_references_are_links_where_the_equation_is() -> None:
    text = HtmlText(PLAIN, {"3", "R7"})
    assert text.words("by (3) and (R7)") == 'by <a href="#eq-3">(3)</a> and <a href="#eq-R7">(R7)</a>'
    assert text.words("by (4), (4, 3) <") == "by (4), (4, 3) &lt;"


def test_the_drawing_has_every_box() -> None:
    document = made("xor")
    (drawn,) = [b for s in document.sections for b in s.blocks if isinstance(b, Diagram)]
    found = page("xor")
    assert len(found.all("rect")) == len(drawn.boxes)
    assert len(found.all("path")) == len(drawn.arrows)
