"""The tensors of expressions: which there are, and equations with other tensors in their place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from ..language.tensor import Tensor
from ..records import Equation

if TYPE_CHECKING:
    from sympy import Expr


def tensors_of(expr: Expr) -> tuple[Tensor, ...]:
    """The tensors in an expression, sorted by name (weights before biases, W1 before W2)."""
    from ..language.nodes import TensorRef

    return tuple(sorted((ref.tensor for ref in expr.atoms(TensorRef)), key=lambda t: t.name))


def followed(expr: Expr) -> tuple[Tensor, ...]:
    """The tensors that a gradient goes back to: those outside of every stop_gradient."""
    from ..language.nodes import Detached, TensorRef

    if not expr.has(Detached):
        return tensors_of(expr)
    found: dict[Tensor, None] = {}
    waiting = [expr]
    while waiting:
        node = waiting.pop()
        if isinstance(node, TensorRef):
            found.setdefault(node.tensor)
        elif not isinstance(node, Detached):
            waiting += node.args
    return tuple(found)


def of_kind(kind: str, forms: Iterable[Expr]) -> tuple[Tensor, ...]:
    """The tensors of one kind in order of first use."""
    found: dict[Tensor, None] = {}
    for form in forms:
        for tensor in tensors_of(form):
            if tensor.kind == kind:
                found.setdefault(tensor)
    return tuple(found)


def exchange(expr: Expr, others: Mapping[Tensor, Tensor]) -> Expr:
    """An expression with other tensors in the place of some."""
    from ..language.indices import canonical, substitute
    from ..language.nodes import TensorRef

    if not any(t in others for t in tensors_of(expr)):
        return expr
    return canonical(substitute(expr, {TensorRef(old): TensorRef(new) for old, new in others.items()}))


def exchanged(equations: Iterable[Equation], others: Mapping[Tensor, Tensor]) -> tuple[Equation, ...]:
    """Equations with other tensors in the place of some, on both sides."""
    if not others:
        return tuple(equations)
    return tuple(replace(eq, lhs=others.get(eq.lhs, eq.lhs), rhs=exchange(eq.rhs, others)) for eq in equations)


def written(eq: Equation) -> str:
    """An equation as a line of text, for messages."""
    left = f"[{', '.join(map(str, eq.indices))}]" if eq.indices else ""
    return f"{eq.lhs.name}{left} = {eq.rhs}"
