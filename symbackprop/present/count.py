"""The length of a printed form: + - * / power, function, sum or product over an index count 1 each.

Transposes and the columns of ones that only spread a column over a matrix (`1 b^T`) count nothing: they are how the
matrix form writes what index notation leaves unsaid. `A^T 1` is a sum.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .tree import (
    Add,
    Apply,
    Bracket,
    Cases,
    Divide,
    Hadamard,
    Logic,
    Node,
    Norm,
    Ones,
    Power,
    Product,
    Relation,
    Running,
    Scale,
    Subscript,
    Total,
    Trace,
    Transpose,
)


def count(node: Node) -> int:
    """The operations in a printed form."""
    if isinstance(node, Subscript):
        return 0
    own = _OWN.get(type(node))
    return (own(node) if own else 0) + sum(map(count, node.kids()))


def _scale(node: Scale) -> int:
    above = len(node.numerator) + (node.core is not None)
    return max(above - 1, 0) + len(node.denominator)


def _add(node: Add) -> int:
    return len(node.terms) - 1 + (node.terms[0][0] < 0)


def _product(node: Product) -> int:
    first, last = node.args[0], node.args[-1]
    spreads = isinstance(first, Ones), isinstance(last, Transpose) and isinstance(last.arg, Ones)
    return max(len(node.args) - 1 - sum(spreads), 0)


def _cases(node: Cases) -> int:
    return len(node.branches) - (node.otherwise is None)


_OWN: dict[type[Node], Callable[[Any], int]] = {
    Scale: _scale,
    Add: _add,
    Product: _product,
    Cases: _cases,
    Hadamard: lambda node: len(node.args) - 1,
    Logic: lambda node: len(node.args) - 1,
    Norm: lambda node: 2,
    Bracket: lambda node: 0,
    **dict.fromkeys((Divide, Power, Apply, Total, Trace, Relation, Running), lambda node: 1),
}
"""What a node adds to what is below it; a choice is one, and each of its conditions."""
