"""Documents for the writers' tests, and an HTML page read by Python's own parser."""

from __future__ import annotations

from functools import cache
from html.parser import HTMLParser
from typing import Any

import symbackprop as sb
from symbackprop.document.html import html
from symbackprop.document.make import document
from symbackprop.document.records import Derived, Document, Formula, Formulas
from symbackprop.present.notation import Notation
from symbackprop.records import Derivation
from tests.document.printed import derivation

VOID = {"meta", "link", "br", "img", "input", "wbr", "hr"}
MODES = sb.Network(
    [
        sb.Input(4),
        sb.Dense(3, "relu"),
        sb.layers.BatchNorm1d(),
        sb.layers.Dropout(0.25),
        sb.Dense(2, "leaky_relu"),
        sb.Dense(3),
    ],
    "softmax_cross_entropy",
    regularizers=[sb.L1(0.1)],
)
"""Two modes, random tensors, states, kinks and a penalty."""


@cache
def modes() -> Derivation:
    return MODES.derive(sb.Adam())


@cache
def made(
    name: str, profile: str = "rows", level: str = "steps", language: str = "en", shapes: bool = False
) -> Document:
    found = modes() if name == "modes" else derivation(name)
    return document(found, Notation(profile, shapes=shapes), level, language)


@cache
def page(name: str, profile: str = "rows", level: str = "steps", language: str = "en") -> Page:
    return Page(html(made(name, profile, level, language)))


def formulas(document: Document) -> list[Formula]:
    blocks = [b for section in document.sections for b in section.blocks]
    return [line for b in blocks if isinstance(b, (Formulas, Derived)) for line in b.lines]


class Page(HTMLParser):
    """Elements in order as (tag, attributes, text of all below); raises where tags do not match."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.text = text
        self.found: list[tuple[str, dict[str, str | None], list[str]]] = []
        self.open: list[tuple[str, list[str]]] = []
        self.feed(text)
        self.close()
        assert not self.open, f"left open: {[tag for tag, _ in self.open]}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(dict(attrs)) == len(attrs), f"an attribute stands twice: <{tag} {attrs}>"
        text: list[str] = []
        self.found.append((tag, dict(attrs), text))
        if tag not in VOID:
            self.open.append((tag, text))

    def handle_endtag(self, tag: str) -> None:
        last, _ = self.open.pop()
        assert last == tag, f"<{last}> is closed by </{tag}>"

    def handle_data(self, data: str) -> None:
        for _, text in self.open:
            text.append(data)

    def all(self, tag: str = "", **attributes: Any) -> list[tuple[dict[str, str | None], str]]:
        """Attributes and text of the elements of a kind (any) with these attributes; `class_` is one of several."""
        wanted = dict(attributes)
        kind = wanted.pop("class_", None)
        return [
            (attrs, "".join(text))
            for name, attrs, text in self.found
            if tag in ("", name)
            and (kind is None or kind in (attrs.get("class") or "").split())
            and all(attrs.get(key.replace("_", "-")) == value for key, value in wanted.items())
        ]
