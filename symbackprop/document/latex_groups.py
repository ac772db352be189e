"""What blocks become on their way to LaTeX: groups of rows, which a page or a frame takes whole or in part."""

from __future__ import annotations

from dataclasses import dataclass

TAG = 42.0
"""Points that the number of an equation takes, with the space before it."""
INDENT = 16.0
"""Points in front of displayed formulas."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page's or a frame's measures in points of a document of 11pt; a page of an article goes on over the next."""

    width: float
    height: float
    slides: bool = False
    scale: float = 1.0

    def points(self, length: float) -> str:
        """A length as it is on this page, whose font may be another than that of 11pt."""
        return f"{length * self.scale:.1f}pt"

    @property
    def formula(self) -> float:
        """The room for a displayed formula."""
        return self.width - TAG - INDENT


ARTICLE = Page(455.0, 680.0)
SLIDES = Page(430.0, 233.0, slides=True, scale=10 / 10.95)


@dataclass(frozen=True, slots=True)
class Row:
    """One row, its height, and words above it, which stand in front of the environment when the row is its first.

    One that `leads` does not stand at a page's end.
    """

    text: str
    height: float
    lead: str = ""
    leads: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """Rows between the beginning and the end of an environment, with a joint between two of them.

    `head` stands above the environment; `around` is the height of everything but the rows. `first` is how many rows
    the head keeps beside it.
    """

    rows: tuple[Row, ...]
    begin: str = ""
    end: str = ""
    joint: str = "\n"
    head: str = ""
    around: float = 8.0
    first: int = 1

    def shown(self, start: int = 0, end: int | None = None) -> str:
        """The rows from one to another as LaTeX."""
        rows = self.rows[start:end]
        lead = "" if not rows[0].lead else f"\\par\\noindent {rows[0].lead}"
        others = (f"\\shortintertext{{{row.lead}}}\n{row.text}" if row.lead else row.text for row in rows[1:])
        body = self.joint.join((rows[0].text, *others))
        return "\n".join(filter(None, (self.head if start == 0 else "", lead, self.begin, body, self.end)))
