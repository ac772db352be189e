"""What a formula says, before it has values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

Tokens = tuple[str, ...]


class Node:
    """Base of all nodes."""

    def kids(self) -> Iterator[Node]:
        for f in fields(self):  # type: ignore[arg-type]
            value = getattr(self, f.name)
            yield from (v for v in (value if isinstance(value, tuple) else (value,)) if isinstance(v, Node))


@dataclass(frozen=True)
class Number(Node):
    value: float


@dataclass(frozen=True)
class Ones(Node):
    """The column of ones, as long as its place wants it."""


@dataclass(frozen=True)
class Symbol(Node):
    r"""A written name with everything around it: `below` are the parts between commas, `above` what is raised.

    `form` wraps the name: "{}", "d{}", "\partial L/\partial {}". A transpose and an entrywise power are marks.
    """

    base: str
    below: tuple[Tokens, ...] = ()
    above: Tokens = ()
    form: str = "{}"


@dataclass(frozen=True)
class Sum(Node):
    """Terms and their signs."""

    terms: tuple[Node, ...]
    signs: tuple[int, ...]


@dataclass(frozen=True)
class Entrywise(Node):
    r"""Factors joined by \odot or \oslash, from left to right."""

    factors: tuple[Node, ...]
    signs: tuple[str, ...]


@dataclass(frozen=True)
class Product(Node):
    """Factors side by side: a product of matrices, or with a scalar."""

    factors: tuple[Node, ...]


@dataclass(frozen=True)
class Quotient(Node):
    above: Node
    below: Node


@dataclass(frozen=True)
class Transposed(Node):
    arg: Node


@dataclass(frozen=True)
class Power(Node):
    base: Node
    exponent: Node
    entrywise: bool = False


@dataclass(frozen=True)
class Call(Node):
    function: str
    args: tuple[Node, ...]


@dataclass(frozen=True)
class Running(Node):
    r"""\sum_{k}, \max_{0 \le k, m < 2} of the body; a sum without letters is over all entries.

    `written` are the numbers of values that stand there.
    """

    kind: str
    letters: tuple[str, ...]
    body: Node
    written: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class Modulo(Node):
    left: Node
    right: Node


@dataclass(frozen=True)
class Compared(Node):
    """a < b <= c."""

    sides: tuple[Node, ...]
    signs: tuple[str, ...]


@dataclass(frozen=True)
class Joined(Node):
    """Conditions joined by "and" or "or"."""

    word: str
    args: tuple[Node, ...]


@dataclass(frozen=True)
class Iverson(Node):
    condition: Node


@dataclass(frozen=True)
class Cases(Node):
    values: tuple[Node, ...]
    conditions: tuple[Node, ...]
    otherwise: Node | None
