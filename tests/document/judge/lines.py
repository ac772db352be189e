r"""The numbered equations of a LaTeX document: `lhs &= rhs \tag{7}` in its align environments, line breaks undone."""

from __future__ import annotations

import re
from dataclasses import dataclass

ALIGN = re.compile(r"\\begin\{(align(?:at|ed|edat)?\*?)\}(.*?)\\end\{\1\}", re.DOTALL)
COUNT = re.compile(r"\{\d+\}")
COMMENT = re.compile(r"(?<!\\)%.*")
TAG = re.compile(r"\\tag\*?\{([^{}]*)\}|\\label\{[^{}]*\}|\\(?:notag|nonumber)(?![A-Za-z])")
SHRUNK = re.compile(r"\\resizebox\{[^{}]*\}\{!\}\{\$(?:\\displaystyle)?(.*?)\$\}", re.DOTALL)
BETWEEN = re.compile(r"\\(?:short)?intertext(?=\{)")
PART = re.compile(r"\\begin\{|\\end\{|\\\\\*?(?:\[[^\]]*\])?|\\.|.", re.DOTALL)


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
    for kind, body in ALIGN.findall(SHRUNK.sub(r"\1", COMMENT.sub("", document))):
        found += _joined(_cells(_without_words(COUNT.sub("", body, count=1) if "at" in kind else body)))
    return found


def _without_words(body: str) -> str:
    """Without the words between the rows."""
    while match := BETWEEN.search(body):
        depth = 0
        for end in range(match.end(), len(body)):
            depth += {"{": 1, "}": -1}.get(body[end], 0)
            if depth == 0:
                break
        body = body[: match.start()] + body[end + 1 :]
    return body


def _cells(body: str) -> list[list[str]]:
    """The rows of an align in their cells; those of an environment inside it are not parted."""
    rows, depth = [[""]], 0
    for part in PART.findall(body):
        depth += {"\\begin{": 1, "\\end{": -1}.get(part, 0)
        if part.startswith("\\\\") and depth == 0:
            rows.append([""])
        elif part == "&" and depth == 0:
            rows[-1].append("")
        else:
            rows[-1][-1] += part
    return [row for row in rows if TAG.sub("", "".join(row)).strip()]


def _joined(rows: list[list[str]]) -> list[Line]:
    """Rows without an equal sign behind their & go on with the row above; cells behind the second hold remarks."""
    found: list[Line] = []
    for row in rows:
        tags = [m.group(1) for m in TAG.finditer("&".join(row)) if m.group(1) is not None]
        number = tags[0] if tags else ""
        if len(row) < 2:
            raise UnreadableError(f"a row without &: {row}")
        left, right = (TAG.sub("", cell).strip() for cell in row[:2])
        if right.startswith("="):
            found.append(Line(left, right[1:].strip(), number))
        elif found and not left and not found[-1].number:
            found[-1] = Line(found[-1].left, f"{found[-1].right} {right}", number)
        else:
            raise UnreadableError(f"a row that goes on from nothing: {row}")
    return found
