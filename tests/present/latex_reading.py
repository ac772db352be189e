"""Turns the LaTeX of a right side into the plain notation that `Reader` reads, knowing nothing of the printer."""

from __future__ import annotations

import re
from collections.abc import Iterable

from symbackprop.language.tensor import Tensor
from symbackprop.present.symbols import latex_symbol, plain_symbol, text_name

PLAIN = {
    r"\bigl": "",
    r"\bigr": "",
    r"\Bigl": "",
    r"\Bigr": "",
    r"\,": " ",
    r"^{\top}": "ᵀ",
    r"\mathbf{1}": "1",
    r"\odot": "⊙",
    r"\oslash": "⊘",
    r"\cdot": "·",
    r"\sum": "Σ",
    r"\lvert": "|",
    r"\rvert": "|",
    r"\lVert": "‖",
    r"\rVert^{2}": "‖²",
    r"\rVert_{1}": "‖₁",
    r"\lambda": "λ",
    r"\pi": "π",
    r"\sigma": "σ",
    r"\le": "≤",
    r"\ge": "≥",
    r"\ne": "≠",
    r"\begin{cases}": "{",
    r"\end{cases}": "}",
    r"& \text{if }": "if",
    r"& \text{otherwise}": "otherwise",
    r"\\": ";",
}


def group_at(text: str, start: int) -> tuple[str, int]:
    """What stands in the braces at `start`, and the place after them."""
    depth = 0
    for end in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[end], 0)
        if depth == 0:
            return text[start + 1 : end], end + 1
    raise AssertionError(f"unbalanced: {text[start:]}")


def opened(text: str, command: str, arguments: int, template: str) -> str:
    """Every `command{a}{b}` as the template with a and b put in, from the inside out."""
    while (at := text.rfind(command + "{")) >= 0:
        place, found = at + len(command), []
        for _ in range(arguments):
            inner, place = group_at(text, place)
            found.append(inner)
        text = text[:at] + template.format(*found) + text[place:]
    return text


def plain(latex: str, tensors: Iterable[Tensor]) -> str:
    """The plain notation of a right side in matrix form."""
    for tensor in sorted(tensors, key=lambda t: -len(latex_symbol(plain_symbol(t)))):
        latex = latex.replace(latex_symbol(plain_symbol(tensor)), text_name(tensor))
    for command, sign in PLAIN.items():
        latex = latex.replace(command, sign)
    latex = opened(latex, r"\frac", 2, "(({0})/({1}))")
    latex = opened(latex, r"\sqrt", 1, "√({0})")
    latex = opened(latex, r"\operatorname", 1, "{0}")
    latex = opened(latex, "e^", 1, "e^{0}")
    latex = re.sub(r"\^\{\\circ (\d+)\}", r"^∘\1", latex)
    latex = re.sub(r"\^\{([\d/]+)\}", r"^(\1)", latex)
    return re.sub(r"\\(log|tanh|exp|max|min)", r"\1", latex)
