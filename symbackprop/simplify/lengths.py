"""The length of an index expression, as a reader counts it: + - * / powers, functions and sums, one each."""

from __future__ import annotations

from sympy import Expr, preorder_traversal

from ..language.nodes import Over
from ..language.scalars import Skeleton
from .trees import operations


def length(expr: Expr) -> int:
    """Operations of `expr` and of everything under its sums; a sum or maximum over indices is one more."""
    skeleton = Skeleton()
    scalar = skeleton.strip(expr)
    inner = {s: 1 + length(node.body) for s, node in skeleton.nodes.items() if isinstance(node, Over)}
    return operations(scalar) + sum(inner.get(part, 0) for part in preorder_traversal(scalar))
