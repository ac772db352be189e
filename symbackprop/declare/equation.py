"""`equation(lhs, rhs)`: an equation whose indices have been given their dimensions and checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import DeclarationError, ShapeError
from ..language.tensor import Dim, Tensor
from ..records import Equation
from .reach import check_reach

if TYPE_CHECKING:
    from sympy import Expr

    from ..language.nodes import Entry, Index


@dataclass(frozen=True, slots=True)
class Block:
    """A layer made of equations: they define `output` from tensors that exist already.

    `inference` are the equations that take the place of those with the same left side when the network predicts;
    `updates` give states their new values after a training step; a training batch has at least `least_rows` samples.
    `penalties` are regularizers on its tensors (`declare.regularizers.Penalized`).
    """

    output: Tensor
    equations: tuple[Equation, ...]
    inference: tuple[Equation, ...] = ()
    updates: tuple[Equation, ...] = ()
    least_rows: int = 1
    penalties: tuple[Any, ...] = ()


def layer(
    output: Tensor,
    *equations: Equation,
    inference: Sequence[Equation] = (),
    updates: Sequence[Equation] = (),
    least_rows: int = 1,
) -> Block:
    """A layer from its equations, in order of computation; one of them defines `output`.

    `inference`: equations that replace those with the same left side when the network predicts; `updates`: new
    values of states (`sb.state`) after a training step, which read old values; `least_rows`: the fewest samples
    that a training batch may have.
    """
    if not isinstance(output, Tensor):
        raise DeclarationError(f"sb.layer takes the output tensor first, then equations; got {output!r}")
    for eq in (*equations, *inference, *updates):
        if not isinstance(eq, Equation):
            raise DeclarationError(f"sb.layer takes equations made by sb.equation; got {type(eq).__name__} {eq!r}")
    if all(eq.lhs is not output for eq in equations):
        defined = ", ".join(eq.lhs.name for eq in equations) or "nothing"
        raise DeclarationError(f"no equation of this layer defines its output {output.name}; they define: {defined}")
    for eq in inference:
        if all(eq.lhs is not other.lhs for other in equations):
            raise DeclarationError(f"the inference equation of {eq.lhs.name} replaces none of this layer's equations")
    for eq in updates:
        if eq.lhs.kind != "state":
            raise DeclarationError(f"an update gives a state (sb.state) its new value; {eq.lhs.name} is {eq.lhs.kind}")
    return Block(output, equations, tuple(inference), tuple(updates), least_rows)


def equation(lhs: Entry | Tensor, rhs: Any) -> Equation:
    """`lhs = rhs` for all values of the indices of `lhs`.

    Each index takes its dimension from the axes it stands on; all of them must agree. Raises `ShapeError` with
    both shapes where they do not, `DeclarationError` for an index that nothing binds or an unknown symbol.
    """
    from sympy import preorder_traversal

    from ..language.indices import canonical, free_indices
    from ..language.nodes import Entry, Index, sympify_number

    if not isinstance(lhs, Entry):
        bare = isinstance(lhs, Tensor)
        got = f"{lhs.name} {lhs.shape_text} without indices" if bare else repr(lhs)
        raise DeclarationError(f"the left side of an equation is an entry of a tensor, as z[n, j]; got {got}")
    if len(set(lhs.indices)) != len(lhs.indices) or not all(isinstance(i, Index) for i in lhs.indices):
        raise DeclarationError(f"the left side {lhs} needs a different index on every axis")
    body = sympify_number(rhs)
    text = _Written(lhs, body)
    nodes = tuple(preorder_traversal(body))
    _check_symbols(nodes, text)
    dims = _dimensions(lhs, nodes, text)
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


@dataclass(frozen=True, slots=True)
class _Written:
    """An equation as messages quote it; written out only then."""

    lhs: Entry
    body: Expr

    def __str__(self) -> str:
        return f"{self.lhs} = {self.body}"


def _check_symbols(nodes: Sequence[Expr], text: _Written) -> None:
    from sympy import I, Symbol, nan, oo, zoo

    symbols = sorted({str(n) for n in nodes if isinstance(n, Symbol)})
    if symbols:
        raise DeclarationError(
            f"{text}: {', '.join(symbols)} is neither a tensor nor an index; declare it with sb.parameter, "
            "sb.tensor or sb.hyper, or write its value"
        )
    for bad in (nan, oo, -oo, zoo, I):
        if any(n is bad for n in nodes):
            raise DeclarationError(f"{text}: the right side contains {bad}, which is not a real number")


def _dimensions(lhs: Entry, nodes: Sequence[Expr], text: _Written) -> dict[Index, Dim]:
    """The dimension of every index: from the axes it stands on alone, else the size it was made with."""
    from ..language.nodes import Entry, Index, Over

    found: dict[Index, tuple[Dim, Entry, int]] = {}
    entries = [lhs, *dict.fromkeys(n for n in nodes if isinstance(n, Entry))]
    for node in entries:
        for axis, (index, dim) in enumerate(zip(node.indices, node.tensor.dims, strict=True)):
            if isinstance(index, Index) and (node.outside is None or dim.size is None):
                known = found.setdefault(index, (dim, node, axis))
                if known[0].size != dim.size:
                    raise ShapeError(_clash(text, index, known, (dim, node, axis)))
    dims = {index: dim for index, (dim, _, _) in found.items()}
    for index in nodes:
        if (
            isinstance(index, Index)
            and index.dim is not None
            and dims.setdefault(index, index.dim).size != index.dim.size
        ):
            raise ShapeError(f"{text}: index {index} was made with size {index.dim}, and runs over {dims[index]}")
    for node in nodes:
        for index in node.bound if isinstance(node, Over) else ():
            if index not in dims:
                raise DeclarationError(
                    f"{text}: the sum over {index} has no length, for {index} stands on no axis alone; "
                    f'give it one, sb.indices("{index}", size=3)'
                )
    for node in entries:
        check_reach(node, dims, text)
    return dims


def _clash(text: _Written, index: Index, one: tuple[Dim, Entry, int], two: tuple[Dim, Entry, int]) -> str:
    parts = [
        f"axis {axis} of {node.tensor.name} {node.tensor.shape_text}, size {d.size or 'N (the batch)'}"
        for d, node, axis in (one, two)
    ]
    return f"{text}: index {index.name} stands on {parts[0]}, and on {parts[1]}; they must be equal"


def _retype(expr: Expr, typed: dict[Index, Index], dims: dict[Index, Dim]) -> Expr:
    """`expr` with every index carrying its dimension; bound indices become fresh ones."""
    from sympy import Max, Min

    from ..language.nodes import Index, Over

    if isinstance(expr, Index):
        return typed[expr]
    if not expr.args:
        return expr
    if isinstance(expr, Over):
        inner = {b: b.fresh(dims[b]) for b in expr.bound}
        return type(expr).raw(_retype(expr.body, {**typed, **inner}, dims), tuple(inner.values()))
    args = tuple(_retype(a, typed, dims) for a in expr.args)
    if isinstance(expr, (Max, Min)):  # SymPy compares all arguments, which takes it milliseconds
        return expr.func(*args, evaluate=False)
    return expr.func(*args)
