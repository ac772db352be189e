"""A document as one HTML file that needs nothing else: MathML, its font, styles and a small script are in it."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from ..emit.render import render, runtime_text
from ..resources import templates_root
from .code import code_of
from .html_views import Part, Views
from .records import Document

FONT = "html/fonts/symbackprop-math.woff2"


@dataclass(frozen=True, slots=True)
class Page:
    """All that the template of the page reads; `marks` are those of the equations that have partners."""

    title: str
    language: str
    contents: str
    show_code: str
    has_code: bool
    font: str
    style: str
    script: str
    marks: tuple[str, ...]
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Fragment:
    """The body alone, for a notebook's cell: no font, no script, no contents."""

    language: str
    style: str
    parts: tuple[Part, ...]


def html(document: Document) -> str:
    """The document as a whole page, with the generated code beside its equations."""
    code = code_of(document)
    views = Views(document, code)
    page = Page(
        title=document.title,
        language=document.language,
        contents=document.words["contents"],
        show_code=document.words["code"],
        has_code=bool(code),
        font=base64.b64encode((templates_root() / FONT).read_bytes()).decode("ascii"),
        style=runtime_text("html/style.css"),
        script=runtime_text("html/page.js"),
        marks=tuple(dict.fromkeys(mark for mark in views.marks.values() if mark)),
        parts=tuple(map(views.part, document.sections)),
    )
    return render("html/page.html.jinja", page)


def fragment(document: Document) -> str:
    """The document's body as a piece of a page, without the code: what notebooks show."""
    views = Views(document, {}, anchors=False)
    parts = tuple(map(views.part, document.sections))
    return render("html/fragment.html.jinja", Fragment(document.language, runtime_text("html/fragment.css"), parts))
