"""Reads the plain text of a right side back and computes it, as a person who knows the notation would.

A product is written side by side and binds more tightly than ⊙ and ⊘, and those more tightly than + and -; a sum sign
reaches to the next + or -. In a product 1 is the column of ones, which spreads what stands beside it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tests.present.evaluate import COMPARE, NUMPY

TOKEN = re.compile(r"\s*(\d+(?:\.\d+)?(?:e-?\d+)?|Σ_\w+(?:,\w+)*|e\^-?|\^∘?|[^\W\d_](?:(?![ᵀ²³])\w)*|‖₁|‖²|\S)")
SIGNS = {">": ">", "<": "<", "=": "=", "≥": ">=", "≤": "<=", "≠": "!="}
ENDS = {")", "]", "‖₁", "‖²", ";", "}", ",", "if", "and", "or", "otherwise", "+", "-", "⊙", "⊘", None, *SIGNS}
ONES, ONES_ROW = "column of ones", "row of ones"
FUNCTIONS: dict[str, Callable[..., Any]] = {
    **NUMPY,
    "σ": NUMPY["sigma"],
    "max": np.maximum,
    "min": np.minimum,
    "tr": np.trace,
    "diag": lambda v: np.diag(v[:, 0]),
    "rowsum": lambda a: a.sum(axis=1, keepdims=True),
    "softmax": lambda z: np.exp(z) / np.exp(z).sum(axis=0 if z.shape[1] == 1 else 1, keepdims=True),
}


class Reader:
    """One text. `values` are arrays by printed name; `ranges` the letters of an index form, None for a matrix form."""

    def __init__(self, text: str, values: Mapping[str, Any], ranges: Mapping[str, int] | None = None) -> None:
        found = list(TOKEN.finditer(text))
        self.tokens, self.spaced = [m.group(1) for m in found], [m.group()[0].isspace() for m in found]
        self.place, self.bars = 0, 0
        self.values, self.ranges, self.indexed = values, dict(ranges or {}), ranges is not None

    def read(self) -> Any:
        value = self.sum()
        assert self.peek() is None, self.tokens[self.place :]
        return value

    def peek(self, ahead: int = 0) -> str | None:
        return self.tokens[self.place + ahead] if self.place + ahead < len(self.tokens) else None

    def take(self, *wanted: str) -> str | None:
        """The next token, if it is one of those wanted (or any)."""
        token = self.peek()
        if token is None or (wanted and token not in wanted):
            return None
        self.place += 1
        return token

    def expect(self, *tokens: str) -> str:
        token = self.take(*tokens)
        assert token is not None, f"{tokens} expected before {self.tokens[self.place :]}"
        return token

    def ends(self, ahead: int = 0) -> bool:
        token = self.peek(ahead)
        return token in ENDS or (token == "|" and self.bars > 0)

    def sum(self) -> Any:
        total = -self.hadamard() if self.take("-") else self.hadamard()
        while sign := self.take("+", "-"):
            term = self.hadamard()
            total = total + term if sign == "+" else total - term
        return total

    def hadamard(self) -> Any:
        total = self.product()
        while sign := self.take("⊙", "⊘"):
            other = self.product()
            total = total * other if sign == "⊙" else total / other
        return total

    def product(self) -> Any:
        factors: list[Any] = []
        while not self.ends():
            if self.take("/"):
                factors = [self.joined(factors) / self.factor()]
            elif self.take("·"):
                factors[-1] = factors[-1] * self.factor()
            elif (self.peek() or "").startswith("Σ"):
                factors.append(self.running())
            elif self.peek() == "1" and not self.indexed and not self.stands_alone(bool(factors)):
                factors.append(self.ones())
            else:
                factors.append(self.factor())
        assert factors, self.tokens[self.place :]
        return self.joined(factors)

    def stands_alone(self, first: bool) -> bool:
        """Whether a 1 is the number: nothing beside it, or a slash after it."""
        return self.peek(1) == "/" or (not first and self.ends(1))

    def ones(self) -> str:
        self.expect("1")
        return ONES_ROW if self.take("ᵀ") else ONES

    def joined(self, factors: list[Any]) -> Any:
        scale, chain = np.float64(1), None
        spread = False
        for f in factors:
            if not isinstance(f, str) and (self.indexed or np.ndim(f) == 0):
                scale = scale * f
            elif chain is None:
                chain = f
            elif chain is ONES:
                assert f is ONES_ROW or np.shape(f)[0] == 1, factors
                spread = f is ONES_ROW
                chain = np.ones((1, 1)) if spread else f
            elif chain is ONES_ROW:
                chain = f.sum(axis=0, keepdims=True)
            elif f is ONES_ROW:
                assert chain.shape[1] == 1
                spread = True
            elif f is ONES:
                chain = chain.sum(axis=1, keepdims=True)
            else:
                chain = chain @ (f.sum(axis=0, keepdims=True) if spread else f)
                spread = False
        if chain is None:
            return scale
        chain = np.ones((1, 1)) if chain is ONES else chain
        return scale * (chain[0, 0] if chain.shape == (1, 1) else chain)

    def running(self) -> Any:
        token = self.expect(self.peek() or "")
        if token == "Σ":
            return np.sum(self.hadamard())
        return self.over(token[2:].split(","), self.hadamard, np.sum)

    def over(self, letters: list[str], body: Callable[[], Any], how: Callable[..., Any]) -> Any:
        outside = self.ranges
        assert not set(letters) & set(outside), "a bound letter hides another"
        self.ranges = {**outside, **{c: self.range_of(c) for c in letters}}
        full = np.broadcast_to(body(), tuple(self.ranges.values()))
        self.ranges = outside
        axes = tuple(range(len(outside), full.ndim))
        return how(full, axis=axes[0] if len(axes) == 1 else axes)

    def range_of(self, letter: str) -> int:
        """The size of the first axis on which a letter stands from here on."""
        for at in range(self.place, len(self.tokens) - 1):
            if self.tokens[at + 1] == "[" and self.tokens[at] in self.values:
                inside = self.tokens[at + 2 : self.tokens.index("]", at)]
                if letter in inside:
                    return int(np.shape(self.values[self.tokens[at]])[inside[::2].index(letter)])
        raise AssertionError(f"{letter} stands on no axis")

    def factor(self) -> Any:
        value = self.atom()
        while mark := self.take("ᵀ", "²", "³", "^∘", "^"):
            value = value.T if mark == "ᵀ" else value ** ({"²": 2, "³": 3}.get(mark) or self.atom())
        return value

    def inside(self, close: str, body: Callable[[], Any]) -> Any:
        bars, self.bars = self.bars, int(close == "|")
        value = body()
        self.bars = bars
        self.expect(close)
        return value

    def atom(self) -> Any:
        token = self.expect(self.peek() or "")
        if token in {"(", "|"}:
            value = self.inside(")" if token == "(" else "|", self.sum)
            return np.abs(value) if token == "|" else value
        if token == "‖":
            value = self.sum()
            return np.sum(value**2) if self.expect("‖²", "‖₁") == "‖²" else np.sum(np.abs(value))
        if token == "[":
            return np.asarray(self.inside("]", self.condition), float)
        if token == "{":
            return self.inside("}", self.cases)
        if token == "√":
            return np.sqrt(self.atom())
        if token.startswith("e^"):
            return np.exp(-self.atom() if token.endswith("-") else self.atom())
        if token[0].isdigit():
            return np.float64(token)
        return self.named(token)

    def named(self, token: str) -> Any:
        word, _, letter = token.partition("_")
        if self.peek() == "(" and word in {"max", "argmax"} and letter:
            self.expect("(")
            return self.inside(")", lambda: self.over([letter], self.sum, np.max if word == "max" else np.argmax))
        if token in self.values:
            return self.entry(token) if self.subscript() else self.whole(token)
        if token in self.ranges:
            return self.axis(token)
        if token == "log" and self.peek() != "(":
            return np.log(self.atom())
        self.expect("(")
        return FUNCTIONS[token](*self.inside(")", self.arguments))

    def arguments(self) -> list[Any]:
        found = [self.sum()]
        while self.take(","):
            found.append(self.sum())
        return found

    def subscript(self) -> bool:
        """A bracket right behind a name holds its indices; with a space between, it is Iverson's."""
        return self.peek() == "[" and not self.spaced[self.place] and self.take("[") is not None

    def whole(self, name: str) -> Any:
        array = np.asarray(self.values[name])
        return array[:, None] if array.ndim == 1 else array

    def axis(self, letter: str) -> Any:
        return np.reshape(np.arange(self.ranges[letter]), [-1 if c == letter else 1 for c in self.ranges])

    def entry(self, name: str) -> Any:
        places = [np.asarray(p, int) for p in self.inside("]", self.arguments)]
        return self.values[name][tuple(places)]

    def condition(self) -> Any:
        left = self.sum()
        holds = COMPARE[SIGNS[self.expect(*SIGNS)]](left, self.sum())
        while word := self.take("and", "or"):
            other = self.condition()
            holds = np.logical_and(holds, other) if word == "and" else np.logical_or(holds, other)
        return holds

    def cases(self) -> Any:
        found = []
        while True:
            value = self.sum()
            if self.take("otherwise"):
                break
            self.expect("if")
            found.append((value, self.condition()))
            self.expect(";")
        for v, c in reversed(found):
            value = np.where(c, v, value)
        return value
