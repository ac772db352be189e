"""What defining equations say beyond themselves.

mu[j] = Sum(x[n, j], n)/N gives Sum(x[n, j], n) = N mu[j], and so Sum(x[n, j] - mu[j], n) = 0;
xhat[n, j] = (x[n, j] - mu[j])/s[j] gives x[n, j] = mu[j] + s[j] xhat[n, j].
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import permutations

from sympy import Add, Expr, Mul, Piecewise, Pow, diff, expand, preorder_traversal

from ..language.indices import canonical, free_indices, make_sum, refresh, rewrite, substitute
from ..language.nodes import Entry, Index, Over, Size, Sum
from ..language.scalars import Skeleton
from ..language.tensor import Tensor
from ..records import Equation
from .shift import outermost_sums
from .shorten import shorten

DEEPEST = 2
"""How far outputs are written out in search of a sum that is known."""


@dataclass(frozen=True, slots=True)
class Solution:
    """`node` = `value`, an equation solved for an entry or a sum that it reads; both at the equation's own indices."""

    equation: Equation
    node: Entry | Sum
    value: Expr

    def at(self, node: Expr) -> Expr | None:
        """The value of `node`, if it is the solution's at some other indices."""
        if isinstance(self.node, Entry):
            if type(node) is not Entry or node.tensor is not self.node.tensor:
                return None
            return substitute(self.value, dict(zip(self.node.indices, node.indices, strict=True)))
        for names in _renamings(self.equation.indices, free_indices(node)) if isinstance(node, Sum) else ():
            if canonical(substitute(self.node, names)) == canonical(node):
                return substitute(self.value, names)
        return None


class Facts:
    """The consequences of some equations, each worked out when it is first asked for."""

    def __init__(self, forward: Iterable[Equation]) -> None:
        self.equations = {eq.lhs: eq for eq in forward}
        self._read = {eq.lhs: tensors_in(eq.rhs) for eq in self.equations.values()}
        self._solved: dict[Tensor, tuple[Solution, ...]] = {}

    def _solutions(self, eq: Equation) -> tuple[Solution, ...]:
        """An equation solved for its only sum, or one without sums for each of its entries."""
        if eq.lhs not in self._solved:
            nodes: set[Expr] = outermost_sums(eq.rhs) if eq.rhs.has(Over) else eq.rhs.atoms(Entry)
            chosen = sorted(nodes, key=lambda e: e.sort_key()) if len(nodes) == 1 or not eq.rhs.has(Over) else []
            found = ((node, _solved_for(eq, node)) for node in chosen)
            self._solved[eq.lhs] = tuple(Solution(eq, node, value) for node, value in found if value is not None)
        return self._solved[eq.lhs]

    def _output_of(self, node: Sum) -> Expr | None:
        """A sum in terms of the output of an equation that divides it by sizes and numbers only."""
        tensors = tensors_in(node)
        for eq in self.equations.values():
            if tensors <= self._read[eq.lhs] and eq.rhs.has(Sum):
                for solution in self._solutions(eq):
                    value = solution.at(node) if not poles(eq.rhs) else None
                    if value is not None:
                        return value
        return None

    def value_of(self, node: Sum) -> Expr | None:
        """A sum written without sums, if definitions say so: Sum(xhat[n, j], n) is 0."""
        fresh = refresh(node)
        assert isinstance(fresh, Sum)
        body = fresh.body
        for _ in range(DEEPEST + 1):
            terms = Add.make_args(expand(body))
            if not all(_is_light(t, fresh.bound) for t in terms):
                return None
            total = Add(*(self._with_outputs(make_sum(t, fresh.bound)) for t in terms))
            value = scalar_form(total)
            if not value.has(Over):
                return value
            deeper = rewrite(body, self._written_out)
            if deeper == body:
                return None
            body = deeper
        return None

    def _with_outputs(self, expr: Expr) -> Expr:
        table = {s: self._output_of(s) for s in outermost_sums(expr)}
        return substitute(expr, {s: value for s, value in table.items() if value is not None})

    def _written_out(self, node: Expr) -> Expr:
        eq = self.equations.get(node.tensor) if type(node) is Entry else None
        if eq is None or eq.rhs.has(Over, Piecewise):  # of choices no sum is known
            return node
        return substitute(eq.rhs, dict(zip(eq.indices, node.indices, strict=True)))

    def solutions(self, expr: Expr) -> Iterator[Solution]:
        """Equations whose tensors all stand in `expr`, solved for an entry or a sum of it."""
        tensors = tensors_in(expr)
        for eq in self.equations.values():
            read = self._read[eq.lhs]
            if read and read <= tensors:
                yield from self._solutions(eq)


@lru_cache(maxsize=8192)
def tensors_in(expr: Expr) -> frozenset[Tensor]:
    """The tensors of which entries stand in `expr`."""
    return frozenset(e.tensor for e in expr.atoms(Entry))


def scalar_form(expr: Expr) -> Expr:
    """`expr` shortened, with sums and entries as they are."""
    skeleton = Skeleton()
    return skeleton.restore(shorten(skeleton.strip(expr), {}).expr)


def put_in(expr: Expr, solution: Solution) -> Expr:
    """`expr` with the solution's node written in the equation's output, at whatever indices it stands."""

    if solution.value.has(Piecewise) and expr.has(Piecewise):
        return expr  # SymPy nests no choice in a condition

    def rule(node: Expr) -> Expr:
        value = solution.at(node)
        return node if value is None else value

    return rewrite(expr, rule)


def poles(expr: Expr) -> set[Expr]:
    """What `expr` divides by."""
    below = (n for n in preorder_traversal(expr) if isinstance(n, Pow) and n.exp.could_extract_minus_sign())
    found = {part.as_base_exp()[0] for n in below for part in Mul.make_args(n.base)}
    return {p for p in found if not p.is_number and not isinstance(p, Size)}


def _solved_for(eq: Equation, node: Expr) -> Expr | None:
    """A node at all of the equation's indices that the right side is affine in, with one product as its factor."""
    if set(free_indices(node)) != set(eq.indices) or (isinstance(node, Entry) and not _is_plain(node)):
        return None
    skeleton = Skeleton()
    scalar, symbol = skeleton.strip(eq.rhs), skeleton.symbol(node)
    if not isinstance(scalar, (Add, Mul)):
        return None
    slope = diff(scalar, symbol)
    if slope == 0 or slope.has(symbol) or isinstance(slope, Add):
        return None
    rest = skeleton.restore(expand(scalar - slope * symbol))
    return expand((Entry(eq.lhs, *eq.indices) - rest) / skeleton.restore(slope))


def _is_plain(entry: Entry) -> bool:
    indices = entry.indices
    return type(entry) is Entry and len(set(indices)) == len(indices) and all(isinstance(i, Index) for i in indices)


def _is_light(term: Expr, bound: tuple[Index, ...]) -> bool:
    """Whether at most one factor of a summand runs with the summed indices."""
    return sum(bool(set(free_indices(f)) & set(bound)) for f in Mul.make_args(term)) <= 1


def _renamings(own: tuple[Index, ...], others: tuple[Index, ...]) -> Iterator[dict[Expr, Expr]]:
    if len(own) != len(others):
        return
    for order in permutations(others):
        if all(a.dim == b.dim for a, b in zip(own, order, strict=True)):
            yield dict(zip(own, order, strict=True))
