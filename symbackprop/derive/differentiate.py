"""The partial derivatives of one equation's right side, entry by entry, before any contraction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sympy import Add, Derivative, DiracDelta, Expr, Integer, Subs
from sympy import diff as scalar_diff

from ..errors import DerivationError
from ..language.brackets import At
from ..language.indices import entries_of, flat_position, refresh
from ..language.nodes import Entry, Index, MaxOver, Over, Sum
from ..language.scalars import Skeleton
from ..language.tensor import Tensor
from .rules import after_differentiation, before_differentiation


@dataclass(frozen=True, slots=True)
class Partial:
    """d rhs / d entry = `factor`, summed over `bound` (the sums that the entry stands under)."""

    bound: tuple[Index, ...]
    factor: Expr
    entry: Entry


Choice = Callable[[MaxOver], Expr]
Wanted = Callable[[Tensor], bool]


def partials(expr: Expr, wanted: Wanted, choice: Choice) -> tuple[Partial, ...]:
    """One `Partial` for every different entry of a wanted tensor in `expr`.

    `choice` gives the position at which a maximum over indices is attained, as an entry or an expression.
    """
    skeleton = Skeleton()
    terms = [(t, t.free_symbols) for t in Add.make_args(before_differentiation(skeleton.strip(expr)))]
    found: list[Partial] = []
    for node, symbol in list(skeleton.symbols.items()):
        inner = _inner(node, wanted, choice)
        if not inner:
            continue
        here = Add(*(term for term, symbols in terms if symbol in symbols))
        outer = after_differentiation(scalar_diff(here, symbol))
        if outer.has(Derivative, Subs, DiracDelta):
            raise DerivationError(f"{expr} cannot be differentiated with respect to {node}: SymPy gives {outer}")
        if outer == 0:
            continue
        factor = skeleton.restore(outer)
        found += [Partial(p.bound, factor * p.factor, p.entry) for p in inner]
    return tuple(found)


def _inner(node: Expr, wanted: Wanted, choice: Choice) -> tuple[Partial, ...]:
    """The partials of one outermost node of an expression."""
    if isinstance(node, Entry):
        return (Partial((), Integer(1), node),) if wanted(node.tensor) else ()
    if not isinstance(node, (Sum, MaxOver)) or not any(wanted(e.tensor) for e in entries_of(node)):
        return ()
    fresh = refresh(node)
    assert isinstance(fresh, Over)
    chosen = At(flat_position(fresh.bound), choice(node)) if isinstance(node, MaxOver) else Integer(1)
    return tuple(
        Partial(fresh.bound + p.bound, chosen * p.factor, p.entry) for p in partials(fresh.body, wanted, choice)
    )
