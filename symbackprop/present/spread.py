"""Columns of ones left unsaid: 1 b^T becomes b, and a sum along an axis sum_0(A), where a notation writes them so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace

from .algebra import product, transpose
from .tree import (
    Add,
    Apply,
    Bracket,
    Cases,
    Divide,
    Hadamard,
    Leaf,
    Logic,
    Node,
    Ones,
    Power,
    Product,
    Relation,
    Scale,
    Spread,
    Total,
    Transpose,
)


def implicit(node: Node, columns: bool) -> Node:
    """The tree with a column beside a matrix left to be spread over its samples, which are rows or `columns`.

    A number for every sample keeps its ones: it would be spread along the wrong axis.
    """

    def rule(node: Node) -> Node:
        if not isinstance(node, Product):
            return node
        first, last = node.args[0], node.args[-1]
        if columns and _is_row_of_ones(last):
            return Spread(product(*node.args[:-1]))
        if not columns and isinstance(first, Ones):
            column = transpose(product(*node.args[1:]))
            return Spread(column) if is_column(column) else node
        return node

    return rebuilt(node, rule)


def axis_sums(node: Node) -> Node:
    """The tree with sums along an axis by name: sum_0 runs over the rows, sum_1 along them."""

    def rule(node: Node) -> Node:
        if isinstance(node, Apply) and node.function == "rowsum":
            return Apply("sum_1", node.args)
        if not isinstance(node, Product):
            return node
        if isinstance(node.args[-1], Ones):
            summed = product(*node.args[:-1])
            if isinstance(summed, Transpose):
                return Apply("sum_0", (summed.arg,))
            return Apply("sum_1", (summed,))
        if _is_row_of_ones(node.args[0]):
            summed = product(*node.args[1:])
            return Total(summed) if is_column(summed) else Transpose(Apply("sum_0", (summed,)))
        return node

    return rebuilt(node, rule)


def is_column(node: Node) -> bool:
    """Whether a node is a column and no matrix, as far as its parts tell."""
    match node:
        case Leaf(tensor):
            return len(tensor.dims) == 1
        case Product(args):
            return is_column(args[-1])
        case Ones() | Apply("rowsum" | "sum_0" | "sum_1", _):
            return True
        case Hadamard() | Divide() | Add() | Scale() | Power() | Apply() | Bracket() | Relation() | Logic() | Cases():
            return any(map(is_column, node.kids()))
    return False


def _is_row_of_ones(node: Node) -> bool:
    return isinstance(node, Transpose) and isinstance(node.arg, Ones)


def rebuilt(node: Node, rule: Callable[[Node], Node]) -> Node:
    """`rule` applied to every node, the whole ones first, then what is in what it gave."""
    node = rule(node)
    changes = {}
    for f in fields(node):
        value = getattr(node, f.name)
        made = _inside(value, rule)
        if made is not value:
            changes[f.name] = made
    return replace(node, **changes) if changes else node


def _inside(value: object, rule: Callable[[Node], Node]) -> object:
    if isinstance(value, Node):
        made = rebuilt(value, rule)
        return value if made == value else made
    if isinstance(value, tuple):
        items = tuple(_inside(item, rule) for item in value)
        return value if all(a is b for a, b in zip(items, value, strict=True)) else items
    return value
