"""A document as a LaTeX article."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from ..emit.render import render
from .latex_blocks import groups, numbers
from .latex_groups import ARTICLE
from .latex_text import LANGUAGES, Text, escaped
from .records import Document, Section

KEPT = "\n\\par\\nopagebreak"
"""Stands between what leads to a heading and the heading."""


@dataclass(frozen=True, slots=True)
class Part:
    """A titled part of the article, its blocks one after the other."""

    title: str
    blocks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Article:
    """What the template of the article sees."""

    languages: tuple[str, ...]
    title: str
    parts: tuple[Part, ...]


def article(document: Document) -> str:
    """The whole document as an article, which pdflatex typesets in two runs."""
    text, known = Text(document.view), numbers(document)
    parts = tuple(_part(section, text, known) for section in document.sections)
    made = Article(LANGUAGES[document.language], escaped(document.title), parts)
    return render("latex/article.tex.jinja", made)


def _part(section: Section, text: Text, known: frozenset[str]) -> Part:
    found = [group for block in section.blocks for group in groups(block, text, ARTICLE, known)]
    kept = [group.rows[-1].leads and bool(after.head) for group, after in pairwise(found)] + [False]
    shown = (group.shown() + (KEPT if keep else "") for group, keep in zip(found, kept, strict=True))
    return Part(escaped(section.title), tuple(shown))
