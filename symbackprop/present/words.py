"""The words of remarks and documents: one catalog of messages, each in every language, and sentences made of them.

The catalog is the folder `messages/`: TOML tables named by key, with one line a language. A message may hold names in
braces, which are replaced by what the caller gives: words, formulas or sentences. A file holds one topic's messages.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from ..errors import PresentationError, did_you_mean
from .tree import Node

Piece = str | Node
"""Words, or a formula among words."""
Sentence = tuple[Piece, ...]
"""Pieces that are printed one after the other, spaces included."""

LANGUAGES: Mapping[str, str] = MappingProxyType({"en": "English", "pl": "polski", "sk": "slovenčina", "ru": "русский"})
"""Language codes, and how the languages call themselves."""
PLACE = re.compile(r"\{(\w+)\}")
Part = str | Node | Sentence


class Words:
    """The catalog in one language: `words("rule.chain", equation="(3)")` is a sentence."""

    def __init__(self, language: str) -> None:
        if language not in LANGUAGES:
            raise PresentationError(f"unknown language {language!r}.{did_you_mean(language, LANGUAGES)}")
        self.language = language

    def __call__(self, key: str, **parts: Part) -> Sentence:
        """The message with its places filled."""
        pieces: list[str | Node] = []
        for place, piece in enumerate(PLACE.split(catalog()[key][self.language])):
            found: Any = parts[piece] if place % 2 else piece
            for part in found if isinstance(found, tuple) else (found,):
                if isinstance(part, str) and pieces and isinstance(pieces[-1], str):
                    pieces[-1] += part
                elif part != "":
                    pieces.append(part)
        return tuple(pieces)

    def text(self, key: str, **parts: str) -> str:
        """The message as plain words."""
        return "".join(map(str, self(key, **parts)))


@cache
def catalog() -> Mapping[str, Mapping[str, str]]:
    """Every message by its key, `topic.name`."""
    found: dict[str, Mapping[str, str]] = {}
    for file in sorted(files(__package__).joinpath("messages").iterdir(), key=lambda f: f.name):
        for topic, messages in tomllib.loads(file.read_text(encoding="utf-8")).items():
            found |= {f"{topic}.{name}": MappingProxyType(message) for name, message in messages.items()}
    return MappingProxyType(found)
