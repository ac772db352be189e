r"""The numbered equations of a LaTeX document: `lhs &= rhs \tag{7}` in its align environments, line breaks undone."""

from __future__ import annotations

import re
from dataclasses import dataclass

ALIGN = re.compile(r"\\begin\{(align\*?|aligned)\}(.*?)\\end\{\1\}", re.DOTALL)
COMMENT = re.compile(r"(?<!\\)%.*")
TAG = re.compile(r"\\tag\*?\{([^{}]*)\}|\\(?:notag|nonumber)(?![A-Za-z])")
PART = re.compile(r"\\begin\{|\\end\{|\\\\(?:\[[^\]]*\])?|\\.|.", re.DOTALL)


class UnreadableError(Exception):
    """What is written has no meaning, or more than one."""


@dataclass(frozen=True)
class Line:
    """One equation; `number` is "" where it has none, `left` where it goes on from the line above."""

    left: str
    right: str
    number: str


def equations(document: str) -> list[Line]:
    """Every equation of a document, in the order in which it is read."""
    found: list[Line] = []
    for _, body in ALIGN.findall(COMMENT.sub("", document)):
        found += _joined(_rows(body))
    return found


def _rows(body: str) -> list[str]:
    """The rows of an align; those of an environment inside it are not parted."""
    rows, depth = [""], 0
    for part in PART.findall(body):
        depth += {"\\begin{": 1, "\\end{": -1}.get(part, 0)
        if part.startswith("\\\\") and depth == 0:
            rows.append("")
        else:
            rows[-1] += part
    return [row for row in rows if TAG.sub("", row).strip()]


def _joined(rows: list[str]) -> list[Line]:
    """Rows without an equal sign behind their & go on with the row above."""
    found: list[Line] = []
    for row in rows:
        tags = [m.group(1) for m in TAG.finditer(row) if m.group(1) is not None]
        left, mark, right = TAG.sub("", row).partition("&")
        right, number = right.strip(), tags[0] if tags else ""
        if not mark:
            raise UnreadableError(f"a row without &: {row}")
        if right.startswith("="):
            found.append(Line(left.strip(), right[1:].strip(), number))
        elif found and not left.strip() and not found[-1].number:
            found[-1] = Line(found[-1].left, f"{found[-1].right} {right.removeprefix(chr(92) + 'quad')}", number)
        else:
            raise UnreadableError(f"a row that goes on from nothing: {row}")
    return found
