"""Columns of ones left unsaid: 1 b^T becomes b, and a sum along an axis sum_0(A), where a notation writes them so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace

from .algebra import product
from .tree import Apply, Leaf, Node, Norm, Ones, Product, Spread, Total, Trace, Transpose


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
            rest = product(*node.args[1:])
            return Spread(rest.arg) if isinstance(rest, Transpose) else node
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
            return Total(summed) if _is_column(summed) else Transpose(Apply("sum_0", (summed,)))
        return node

    return rebuilt(node, rule)


def _is_column(node: Node) -> bool:
    """Whether a node has one column."""
    if isinstance(node, Leaf):
        return len(node.tensor.dims) < 2
    if isinstance(node, (Transpose, Spread)):
        return False
    if isinstance(node, Product):
        return _is_column(node.args[-1])
    if isinstance(node, Apply) and node.function in ("rowsum", "sum_0", "sum_1", "diag"):
        return node.function != "diag"
    return isinstance(node, (Total, Norm, Trace)) or all(map(_is_column, node.kids()))


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
