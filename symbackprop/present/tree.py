"""The printed form of a right side: a small frozen tree that the text and LaTeX printers walk. No SymPy here.

A node stands for a scalar, a column or a matrix. In matrix form, plain numbers and hyper-parameters may stand in
sums with matrices (`1 - a` is taken entry by entry); in index form every node is a scalar.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from fractions import Fraction
from itertools import groupby
from typing import Any

from ..language.tensor import Dim, Tensor


@dataclass(frozen=True, slots=True)
class Node:
    """Base of all nodes; `kids` are the nodes directly below."""

    def kids(self) -> Iterator[Node]:
        """The nodes directly below this one, from left to right."""
        for f in fields(self):
            yield from _nodes(getattr(self, f.name))


def _nodes(value: object) -> Iterator[Node]:
    if isinstance(value, Node):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from _nodes(item)


@dataclass(frozen=True, slots=True)
class Leaf(Node):
    """A whole tensor: a scalar, a column or a matrix by its order. `new` marks `next(tensor)` of an update."""

    tensor: Tensor
    new: bool = False


@dataclass(frozen=True, slots=True)
class Letter(Node):
    """An index itself, as in the bracket [j = 0]."""

    name: str


@dataclass(frozen=True, slots=True)
class Subscript(Node):
    """One entry of a tensor in index form: `W[j, k]`."""

    tensor: Tensor
    indices: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Number(Node):
    """A number that is not negative: an exact fraction or a float."""

    value: Fraction | float


@dataclass(frozen=True, slots=True)
class Constant(Node):
    """A named number, `pi` or `e`."""

    name: str


@dataclass(frozen=True, slots=True)
class Size(Node):
    """The size of a dimension: N for the batch, else printed as a number."""

    dim: Dim


@dataclass(frozen=True, slots=True)
class Ones(Node):
    """The column of ones along a dimension."""

    dim: Dim


@dataclass(frozen=True, slots=True)
class Transpose(Node):
    """The transpose of a matrix or column."""

    arg: Node


@dataclass(frozen=True, slots=True)
class Product(Node):
    """A matrix product."""

    args: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Hadamard(Node):
    """An elementwise product."""

    args: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Divide(Node):
    """An elementwise quotient."""

    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Add(Node):
    """A sum of signed terms; a sign is 1 or -1."""

    terms: tuple[tuple[int, Node], ...]


@dataclass(frozen=True, slots=True)
class Scale(Node):
    """Scalars over scalars, times a core: `lam/(2 N) W`. Without a core it is a scalar."""

    numerator: tuple[Node, ...]
    denominator: tuple[Node, ...] = ()
    core: Node | None = None


@dataclass(frozen=True, slots=True)
class Power(Node):
    """A power; `elementwise` where the base is a matrix or column."""

    base: Node
    exponent: Node
    elementwise: bool = False


@dataclass(frozen=True, slots=True)
class Apply(Node):
    """A function: entry by entry, but `softmax` (of each sample), `rowsum`, `sum_0`, `sum_1` (columns) and `diag`."""

    function: str
    args: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Total(Node):
    """The sum over all entries."""

    arg: Node


@dataclass(frozen=True, slots=True)
class Spread(Node):
    """A column that stands for every sample of the matrix beside it, without saying so."""

    arg: Node


@dataclass(frozen=True, slots=True)
class Trace(Node):
    """The trace of a square matrix."""

    arg: Node


@dataclass(frozen=True, slots=True)
class Norm(Node):
    """The sum of squares of all entries (kind 2), or of absolute values (kind 1)."""

    arg: Node
    kind: int


@dataclass(frozen=True, slots=True)
class Relation(Node):
    """`left sign right`, entry by entry; sign is one of < <= > >= = != mod."""

    sign: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Logic(Node):
    """Conditions joined by `and` or `or`."""

    word: str
    args: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Bracket(Node):
    """Iverson's bracket: 1 where the condition holds, else 0."""

    condition: Node


@dataclass(frozen=True, slots=True)
class Cases(Node):
    """Value and condition pairs, the first that holds counts; then the value otherwise (None: undefined)."""

    branches: tuple[tuple[Node, Node], ...]
    otherwise: Node | None


@dataclass(frozen=True, slots=True)
class Running(Node):
    """Index form: `kind` (sum, max, argmax) of the body over bound letters.

    `windows` are the letters that stand on no axis by themselves, with the number of their values, counted from 0.
    """

    kind: str
    letters: tuple[str, ...]
    body: Node
    windows: tuple[tuple[str, int], ...] = ()

    def parts(self) -> Iterator[tuple[tuple[str, ...], int]]:
        """The letters side by side that have one range; 0 stands for that of their axes."""
        sizes = dict(self.windows)
        for size, letters in groupby(self.letters, lambda c: sizes.get(c, 0)):
            yield tuple(letters), size


@dataclass(frozen=True, slots=True)
class Partial(Node):
    """The derivative of one entry by another one; of two whole tensors, entry by entry at the same places."""

    of: Node
    by: Node


@dataclass(frozen=True, slots=True)
class Through(Node):
    """The part of a derivative that comes through the equation with this number."""

    derivative: Node
    number: str


ONE = Number(Fraction(1))
ZERO = Number(Fraction(0))


def walk(node: Node) -> Iterator[Node]:
    """A node and all below it."""
    yield node
    for kid in node.kids():
        yield from walk(kid)


def replaced(node: Any, old: Node, new: Node) -> Any:
    """A node (or a tuple of some) with another one in the place of one below it."""
    if node == old:
        return new
    if isinstance(node, tuple):
        return tuple(replaced(part, old, new) for part in node)
    if not isinstance(node, Node):
        return node
    return replace(node, **{f.name: replaced(getattr(node, f.name), old, new) for f in fields(node)})


def transposes(node: Node) -> tuple[int, int, int]:
    """How many transposes the printed form shows, how many stand on a matrix, and how many on something composed."""
    found = [n.arg for n in walk(node) if isinstance(n, Transpose)]
    leaves = [n for n in found if isinstance(n, Leaf)]
    return len(found), sum(len(n.tensor.dims) == 2 for n in leaves), len(found) - len(leaves)


def is_spread(node: Node) -> bool:
    """Whether a column of ones in a product spreads what stands beside it: 1 b^T, u 1^T."""
    parts = (n.arg if isinstance(n, Transpose) else n for n in (node.args if isinstance(node, Product) else ()))
    return any(isinstance(n, Ones) for n in parts)


def weight(node: Node) -> int:
    """How many nodes there are, to put what is short first."""
    return sum(1 for _ in walk(node))


def label(node: object) -> str:
    """A text that orders nodes the same way on every run and with every version of SymPy."""
    if isinstance(node, Node):
        inner = ",".join(label(getattr(node, f.name)) for f in fields(node))
        return f"{type(node).__name__}({inner})"
    if isinstance(node, tuple):
        return "(" + ",".join(map(label, node)) + ")"
    name = node.name if isinstance(node, (Tensor, Dim)) else str(node)
    return re.sub(r"\d+", lambda m: m.group().rjust(6, "0"), name)
