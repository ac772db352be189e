"""A document's formats by the ending of its file."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from ..errors import PresentationError
from ..files import write_text
from ..pdf import write_pdf
from .beamer import beamer
from .html import html
from .latex import article
from .markdown import markdown
from .notebook import notebook
from .records import Document

TEXTS: Mapping[str, Callable[[Document], str]] = {
    ".tex": article,
    ".html": html,
    ".md": markdown,
    ".ipynb": notebook,
}
SLIDES = (".tex", ".pdf")


def write(document: Document, path: str | os.PathLike[str], slides: bool = False) -> Path:
    """Write a document in the format that the path's ending names; `slides` makes a presentation of .tex and .pdf.

    Raises `PresentationError` for another ending, `EmissionError` where a PDF needs a LaTeX engine and there is none.
    """
    path = Path(path)
    known = (*TEXTS, ".pdf")
    if path.suffix not in (SLIDES if slides else known):
        asked = "slides are" if slides else "a document is"
        endings = ", ".join(SLIDES if slides else known)
        raise PresentationError(f"{path}: {asked} written as {endings}; this name ends in {path.suffix or 'none'}")
    source = beamer if slides else article
    if path.suffix == ".pdf":
        return write_pdf(source(document), path)
    made = source if path.suffix == ".tex" else TEXTS[path.suffix]
    return write_text(path, made(document))
