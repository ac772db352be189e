"""A document as slides: every section over as many frames as it needs, none of them too full."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..emit.render import render
from .latex_blocks import groups, numbers
from .latex_groups import SLIDES, Group
from .latex_text import LANGUAGES, Text, escaped
from .records import Document, Section


@dataclass(frozen=True, slots=True)
class Frame:
    """A slide: its title and what stands on it."""

    title: str
    blocks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Chapter:
    """A section's slides."""

    title: str
    frames: tuple[Frame, ...]


@dataclass(frozen=True, slots=True)
class Slides:
    """What the template of the slides sees."""

    languages: tuple[str, ...]
    title: str
    chapters: tuple[Chapter, ...]


def beamer(document: Document) -> str:
    """The whole document as a presentation, which pdflatex typesets in two runs."""
    text, known = Text(document.view), numbers(document)
    chapters = tuple(_chapter(section, text, known) for section in document.sections)
    made = Slides(LANGUAGES[document.language], escaped(document.title), chapters)
    return render("latex/beamer.tex.jinja", made)


def _chapter(section: Section, text: Text, known: frozenset[str]) -> Chapter:
    found = [group for block in section.blocks for group in groups(block, text, SLIDES, known)]
    frames = list(_frames(found, SLIDES.height))
    title = escaped(section.title)
    count = len(frames)
    marked = (title if count == 1 else f"{title} ({place}/{count})" for place in range(1, count + 1))
    return Chapter(title, tuple(Frame(name, tuple(blocks)) for name, blocks in zip(marked, frames, strict=True)))


def _frames(found: list[Group], height: float) -> Iterator[list[str]]:
    """The groups, cut at their rows where a frame is full; one with a heading stays whole where a frame can hold it.

    Words that lead to something stand on its frame.
    """
    frame: list[_Piece] = []
    for group in found:
        start = 0
        while start < len(group.rows):
            end = _fitting(group, start, height - sum(piece.height for piece in frame))
            short = end - start < min(group.first, len(group.rows) - start)
            apart = bool(group.head) and start == 0 and end < len(group.rows) == _fitting(group, 0, height)
            leading = all(piece.leads for piece in frame)
            if frame and (end == start or ((short or apart) and not (leading and end > start))):
                moved = 0 if leading else _leading(frame)
                yield [piece.text for piece in frame[: len(frame) - moved]]
                frame = frame[len(frame) - moved :]
                continue
            end = max(end, start + 1)
            used = group.around + sum(row.height for row in group.rows[start:end])
            frame.append(_Piece(group.shown(start, end), used, group.rows[end - 1].leads))
            start = end
    if frame:
        yield [piece.text for piece in frame]


@dataclass(frozen=True, slots=True)
class _Piece:
    """A group's rows on a frame; one that `leads` is to have something behind it."""

    text: str
    height: float
    leads: bool


def _leading(frame: list[_Piece]) -> int:
    """How many of the last pieces lead to what comes next."""
    return next((n for n, piece in enumerate(reversed(frame)) if not piece.leads), len(frame))


def _fitting(group: Group, start: int, room: float) -> int:
    """The end of the rows that go into the room."""
    room -= group.around
    end = start
    while end < len(group.rows) and group.rows[end].height <= room:
        room -= group.rows[end].height
        end += 1
    while start < end < len(group.rows) and group.rows[end - 1].leads:
        end -= 1
    return end
