"""Reads the plain text of a right side back and computes it: what a person who knows the notation would compute.

A matrix product is written by juxtaposition, which binds more tightly than ⊙ and ⊘, and those more tightly than + and -.
A sum sign reaches to the next + or -. In a product 1 is the column of ones.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from tests.present.evaluate import COMPARE, NUMPY

TOKEN = re.compile(
    r"\s*(\d+(?:\.\d+)?(?:e-?\d+)?|Σ_[\w,]+|e\^-?|\^∘?|[^\W\d]\w*|≥|≤|≠|‖₁|‖²|\S)"
)
SIGNS = {">": ">", "<": "<", "=": "=", "≥": ">=", "≤": "<=", "≠": "!="}
FUNCTIONS = {**NUMPY, "σ": NUMPY["sigma"]}
ENDS = {")", "]", "|", "‖₁", "‖²", ";", "}", ",", "if", "and", "or", "otherwise", "+", "-", "⊙", "⊘", None, *SIGNS}
ONES, ONES_ROW = object(), object()


class Reader:
    """One text, read from left to right. `values` are arrays by printed name, `scope` the letters in sight."""

    def __init__(self, text: str, values: Mapping[str, Any], ranges: Mapping[str, int]) -> None:
        self.tokens, self.place = TOKEN.findall(text), 0
        self.values, self.ranges, self.scope = values, dict(ranges), tuple(ranges)
        self.indexed = False

    def read(self) -> Any:
        value = self.sum()
        assert self.peek() is None, self.tokens[self.place :]
        return value

    def peek(self) -> str | None:
        return self.tokens[self.place] if self.place < len(self.tokens) else None

    def take(self, *wanted: str) -> str | None:
        """The next token, if it is one of those wanted (or any)."""
        token = self.peek()
        if token is None or (wanted and token not in wanted):
            return None
        self.place += 1
        return token

    def expect(self, token: str) -> None:
        assert self.take(token), f"{token} expected before {self.tokens[self.place :]}"

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
        """Factors side by side; a number before a slash or a dot is a scalar, elsewhere in a product 1 is a column."""
        factors: list[Any] = []
        while self.peek() not in ENDS:
            if self.take("/"):
                factors[-1:] = [self.joined(factors) / self.factor(lone=True)]
                factors = factors[-1:]
            elif self.take("·"):
                factors[-1] = factors[-1] * self.factor(lone=True)
            elif (self.peek() or "").startswith("Σ"):
                factors.append(self.running())
            else:
                alone = not factors and self.tokens[self.place + 1 : self.place + 2] in ([], *[[e] for e in ENDS], ["/"])
                factors.append(self.factor(lone=alone))
        return self.joined(factors)
