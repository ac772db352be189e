"""`equation(lhs, rhs)`: an equation whose indices have been given their dimensions and checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import DeclarationError, ShapeError
from ..language.tensor import Dim, Tensor
from ..records import Equation

if TYPE_CHECKING:
    from sympy import Expr

    from ..language.nodes import Entry, Index


@dataclass(frozen=True, slots=True)
class Block:
    """A layer made of equations: they define `output` from tensors that exist already."""

    output: Tensor
    equations: tuple[Equation, ...]


def layer(output: Tensor, *equations: Equation) -> Block:
    """A layer from its equations, in order of computation; one of them defines `output`."""
    if not isinstance(output, Tensor):
        raise DeclarationError(f"sb.layer takes the output tensor first, then equations; got {output!r}")
    for eq in equations:
        if not isinstance(eq, Equation):
            raise DeclarationError(f"sb.layer takes equations made by sb.equation; got {type(eq).__name__} {eq!r}")
    if all(eq.lhs is not output for eq in equations):
        defined = ", ".join(eq.lhs.name for eq in equations) or "nothing"
        raise DeclarationError(f"no equation of this layer defines its output {output.name}; they define: {defined}")
    return Block(output, equations)


def equation(lhs: Entry | Tensor, rhs: Any) -> Equation:
    """`lhs = rhs` for all values of the indices of `lhs`.

    Each index takes its dimension from the axes it stands on; all of them must agree. Raises `ShapeError` with
    both shapes where they do not, `DeclarationError` for an index that nothing binds or an unknown symbol.
    """
    from ..language.indices import canonical, free_indices
    from ..language.nodes import Entry, Index, sympify_number

    if not isinstance(lhs, Entry):
        bare = isinstance(lhs, Tensor)
        got = f"{lhs.name} {lhs.shape_text} without indices" if bare else repr(lhs)
        raise DeclarationError(f"the left side of an equation is an entry of a tensor, as z[n, j]; got {got}")
    if len(set(lhs.indices)) != len(lhs.indices) or not all(isinstance(i, Index) for i in lhs.indices):
        raise DeclarationError(f"the left side {lhs} needs a different index on every axis")
    body = sympify_number(rhs)
    text = f"{lhs} = {body}"
    _check_symbols(body, text)
    dims = _dimensions(lhs, body, text)
    unbound = [i for i in free_indices(body) if i not in lhs.indices]
    if unbound:
        names = ", ".join(i.name for i in unbound)
        raise DeclarationError(
            f"{text}: index {names} is on the right side only and nothing binds it; put it on the left side "
            f"or sum over it, sb.Sum(..., {names})"
        )
    indices = tuple(i.fresh(dims[i]) for i in lhs.indices)
    typed = dict(zip(lhs.indices, indices, strict=True))
    return Equation(lhs.tensor, indices, canonical(_retype(body, typed, dims)))


def _check_symbols(body: Expr, text: str) -> None:
    from sympy import I, Symbol, nan, oo, zoo

    symbols = sorted(str(s) for s in body.atoms(Symbol))
    if symbols:
        raise DeclarationError(
            f"{text}: {', '.join(symbols)} is neither a tensor nor an index; declare it with sb.parameter, "
            "sb.tensor or sb.hyper, or write its value"
        )
    for bad in (nan, oo, -oo, zoo, I):
        if body.has(bad):
            raise DeclarationError(f"{text}: the right side contains {bad}, which is not a real number")


def _dimensions(lhs: Entry, body: Expr, text: str) -> dict[Index, Dim]:
    """The dimension of every index, from the axes it stands on."""
    from sympy import Integer, preorder_traversal

    from ..language.nodes import Entry, Index, Over

    found: dict[Index, tuple[Dim, Entry, int]] = {}
    for node in [lhs, *preorder_traversal(body)]:
        if not isinstance(node, Entry):
            continue
        for axis, (index, dim) in enumerate(zip(node.indices, node.tensor.dims, strict=True)):
            if isinstance(index, Index):
                known = found.setdefault(index, (dim, node, axis))
                if known[0].size != dim.size:
                    raise ShapeError(_clash(text, index, known, (dim, node, axis)))
            elif isinstance(index, Integer):
                if dim.size is None or not 0 <= int(index) < dim.size:
                    raise ShapeError(f"{text}: {node} reads entry {index} of an axis of size {dim}")
            else:
                raise DeclarationError(f"{text}: {node} has the index {index}; an index is plain or an integer here")
    for node in preorder_traversal(body):
        for index in node.bound if isinstance(node, Over) else ():
            if index not in found:
                raise DeclarationError(f"{text}: the sum over {index} has no length, for {index} stands on no axis")
    return {index: dim for index, (dim, _, _) in found.items()}


def _clash(text: str, index: Index, one: tuple[Dim, Entry, int], two: tuple[Dim, Entry, int]) -> str:
    parts = [
        f"axis {axis} of {node.tensor.name} {node.tensor.shape_text}, size {d.size or 'N (the batch)'}"
        for d, node, axis in (one, two)
    ]
    return f"{text}: index {index.name} stands on {parts[0]}, and on {parts[1]}; they must be equal"


def _retype(expr: Expr, typed: dict[Index, Index], dims: dict[Index, Dim]) -> Expr:
    """`expr` with every index carrying its dimension; bound indices become fresh ones."""
    from ..language.nodes import Index, Over

    if isinstance(expr, Index):
        return typed[expr]
    if not expr.args:
        return expr
    if isinstance(expr, Over):
        inner = {b: b.fresh(dims[b]) for b in expr.bound}
        return type(expr).raw(_retype(expr.body, {**typed, **inner}, dims), tuple(inner.values()))
    return expr.func(*(_retype(a, typed, dims) for a in expr.args))
