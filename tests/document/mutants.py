"""Printed formulas with one mistake each, of the kinds that people make."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

Change = Callable[[re.Match[str]], str]


def without_top(match: re.Match[str]) -> str:
    return "" if match.group(1) == r"\top" else f"^{{{match.group(1).removesuffix(chr(92) + 'top')}}}"


def other_sign(match: re.Match[str]) -> str:
    return match.group().translate(str.maketrans("+-", "-+"))


def next_digit(match: re.Match[str]) -> str:
    return f"{match.group(1)}{int(match.group(2)) + 1}{match.group(3)}"


def swapped(match: re.Match[str]) -> str:
    return f"{match.group(1)}{match.group(3)}{match.group(2)}"


MISTAKES: dict[str, tuple[str, Change]] = {
    "a transpose is lost": (r"\^\{([^{}]*\\top)\}", without_top),
    "an elementwise product is a product": (r"\\odot", lambda m: " "),
    "an elementwise quotient is a product": (r"\\oslash", lambda m: r"\odot"),
    "the division by the samples is lost": (r"\\frac\{(\d*)\}\{(?:\d )?[Nnm]\}", lambda m: m.group(1) or "1"),
    "a sign is the other": (r"(?<![\w^{])[+-] |= -", other_sign),
    "a number is another": (r"(\{)(\d)(\}|\\top\})", next_digit),
    "a layer is another": (r"(\[)(\d)(\])", next_digit),
    "a factor is another": (r"( )(\d)( |\})", next_digit),
    "two indices change places": (r"(?<!\\max)(_\{(?:\d,)?)([a-z])([a-z])(?=[a-z]*\})", swapped),
    "an index is shifted": (r"([a-z]) \+ ([a-z])\b", lambda m: f"{m.group(1)} - {m.group(2)}"),
    "a sum is lost": (r"\\sum(_\{[^{}]*\})?|\\operatorname\{sum\}_\{0\}", lambda m: ""),
    "a bracket is the other": (r"> 0\]", lambda m: "< 0]"),
    "a square is lost": (r"\^\{(?:\\circ )?2\}", lambda m: ""),
}


def mutants(text: str) -> Iterator[tuple[str, str]]:
    """What is wrong, and the text in which it is, once for every place where it can be."""
    for start, end in formulas(text):
        for what, (pattern, change) in MISTAKES.items():
            for match in re.compile(pattern).finditer(text, start, end):
                line = text[: match.start()].count("\n")
                yield f"{what} in line {line}", text[: match.start()] + change(match) + text[match.end() :]


def formulas(text: str) -> Iterator[tuple[int, int]]:
    """Where formulas stand: the lines of numbered equations, without numbers and remarks."""
    for env in re.finditer(r"\\begin\{align.*?\\end\{align", text, re.DOTALL):
        for line in re.finditer(r"^(?!\\(?:begin|end|shortintertext)).+$", text[env.start() : env.end()], re.MULTILINE):
            end = re.search(r" && | \\tag| \\notag|$", line.group())
            assert end is not None
            yield env.start() + line.start(), env.start() + line.start() + end.start()
