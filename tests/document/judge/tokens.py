"""LaTeX in tokens. Sizes of brackets and spaces mean nothing; braces stay."""

from __future__ import annotations

import re

from tests.document.judge.lines import UnreadableError
from tests.document.judge.tree import Tokens

TOKEN = re.compile(
    r"\\(?:text|operatorname|mathrm)\{[^{}]*\}|\\mathbf\{1\}|\\(?:begin|end)\{[^{}]*\}"
    r"|\\[A-Za-z]+|\\.|\d+(?:\.\d+)?|\.|\S",
    re.DOTALL,
)
NOTHING = {
    r"\bigl",
    r"\bigr",
    r"\Bigl",
    r"\Bigr",
    r"\big",
    r"\Big",
    r"\left",
    r"\right",
    r"\,",
    r"\ ",
    r"\;",
    r"\!",
    r"\quad",
}
BRACES = {"{": 1, "}": -1}


def tokens(text: str) -> Tokens:
    return tuple(t for t in TOKEN.findall(text.replace("{}", "")) if t not in NOTHING)


def group(found: Tokens, start: int) -> tuple[Tokens, int]:
    """What is in the braces at a place (or the one token there), and the place behind."""
    if start >= len(found):
        raise UnreadableError("something is missing at the end")
    if found[start] != "{":
        return (found[start],), start + 1
    depth = 0
    for end in range(start, len(found)):
        depth += BRACES.get(found[end], 0)
        if depth == 0:
            return found[start + 1 : end], end + 1
    raise UnreadableError(f"braces that do not close: {' '.join(found[start:])}")


def parted(found: Tokens, mark: str = ",") -> tuple[Tokens, ...]:
    """The parts between marks that are in no braces and no brackets."""
    parts: list[list[str]] = [[]]
    depth = 0
    for token in found:
        depth += {**BRACES, "(": 1, ")": -1, "[": 1, "]": -1}.get(token, 0)
        if token == mark and depth == 0:
            parts.append([])
        else:
            parts[-1].append(token)
    return tuple(map(tuple, parts)) if found else ()


def is_letter(token: str) -> bool:
    return len(token) == 1 and token.isalpha()


def without_braces(found: Tokens) -> Tokens:
    """{x} and x are one."""
    inner, end = group(found, 0) if found[:1] == ("{",) else (found, len(found))
    return inner if end == len(found) else found
