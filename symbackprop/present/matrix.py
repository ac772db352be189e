"""Equations in matrix form where they have one, else in index form.

Read an index expression as a graph (`contraction.py`): indices are vertices, factors edges; paths are products and
transposes, parallel edges elementwise products, cycles traces, dangling sums columns of ones. The free indices of an
equation, in order, give rows and columns. Order 3 and more, diagonals, fixed entries and sums where three factors
meet in one index stay in index form.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sympy import Add, Expr, Integer, Mul

from ..language.indices import make_sum, refresh
from ..language.nodes import Entry, Held, Index, Over, Sum
from ..records import Equation
from .algebra import product, pushed, transpose
from .build import Axes, Builder, NoForm, split_power
from .contraction import Graph, ones
from .functions import match_softmax, name_sigmoid
from .indexed import index_form
from .spread import axis_sums, implicit
from .terms import Term, add
from .tree import ZERO, Apply, Leaf, Letter, Node, Norm, Product, Subscript, Total, Trace, Transpose, walk
from .view import PLAIN, View, printed_indices

REPEATED = 4
"""Integer powers up to this are taken as repeated factors, so that squares can become norms."""


@dataclass(frozen=True, slots=True)
class Form:
    """An equation ready to print; `indexed` tells index form from matrix form."""

    lhs: Node
    rhs: Node
    indexed: bool


class MatrixBuilder(Builder):
    """Terms in matrix form. With two axes a node is a matrix (first axis: rows), with one a column."""

    def entry(self, entry: Entry, axes: Axes) -> Term:
        """A matrix, its transpose, or a column."""
        places = entry.indices
        if len(places) > 2 or len(set(places)) < len(places) or not all(isinstance(i, Index) for i in places):
            raise NoForm(f"{entry} is not a matrix or a column")
        leaf = Leaf(entry.tensor)
        places = tuple(places[axis] for axis in self.view.order(entry.tensor))
        return Term(core=leaf if places == axes else transpose(leaf))

    def over(self, node: Over, axes: Axes) -> Term:
        """A sum of products; a sum that has no form whole is taken summand by summand."""
        if isinstance(node, Held):
            return self.part(node.body, axes)
        if not isinstance(node, Sum):
            raise NoForm(f"{node} runs over an index by other means than adding")
        try:
            return self._contracted(node.body, axes, node.bound)
        except NoForm:
            if not isinstance(node.body, Add):
                raise
            return add(self.part(make_sum(a, node.bound), axes) for a in node.body.args)

    def product(self, expr: Expr, axes: Axes) -> Term:
        """An elementwise product, columns spread to both axes."""
        return self._contracted(expr, axes, ())

    def _contracted(self, body: Expr, axes: Axes, bound: Axes) -> Term:
        body, bound = self._opened(body, axes, bound)
        graph = Graph(axes, bound, rowsum=not self.view.columns)
        for term, have, inverse in self._factors(body, (*axes, *bound)):
            graph.put(term, have, inverse)
        return graph.term()

    def _opened(self, body: Expr, axes: Axes, bound: Axes) -> tuple[Expr, Axes]:
        """The body with those inner sums joined to the outer one that have no form by themselves."""
        factors = []
        for factor in Mul.make_args(body):
            if isinstance(factor, Sum) and len(self.axes(factor, (*axes, *bound))) > 2:
                inner = refresh(factor)
                opened, bound = self._opened(inner.args[0], axes, (*bound, *inner.args[1:]))
                factors.append(opened)
            else:
                factors.append(factor)
        return Mul(*factors), bound

    def _factors(self, body: Expr, within: Axes) -> Iterator[tuple[Term, Axes, bool]]:
        found = match_softmax(body) if isinstance(body, Mul) else None
        if found is not None:
            exponent, j, others = found
            others_of = tuple(i for i in self.axes(exponent, within) if i != j)
            have = (j, *others_of) if self.view.columns else (*others_of, j)
            yield Term(core=Apply("softmax", (self.term(exponent, have).node(),))), have, False
            yield from self._factors(others, within)
            return
        for factor in Mul.make_args(body):
            base, exponent, inverse = split_power(factor)
            have = self.axes(base, within)
            if isinstance(exponent, Integer) and exponent <= REPEATED and (have or exponent == 1):
                for _ in range(int(exponent)):
                    yield self.term(base, have), have, inverse
            else:
                yield self.power(base, exponent, have), have, inverse

    def spread(self, term: Term, have: Axes, want: Axes) -> Term:
        """u 1^T and 1 v^T for columns beside matrices; numbers and named scalars stay as they are."""
        if have == want or (not have and not _needs_ones(term)):
            return term
        return self.filled(term, have, want)

    def filled(self, term: Term, have: Axes, want: Axes) -> Term:
        """The term as a node of full shape."""
        if have == want:
            return term
        missing = [ones(i) for i in want if i not in have]
        if not have:
            core = missing[0] if len(missing) == 1 else product(missing[0], transpose(missing[1]))
            return Term(core=core).scaled(term)
        assert term.core is not None, term
        flat = (
            product(term.core, transpose(missing[0]))
            if have[0] == want[0]
            else product(missing[0], transpose(term.core))
        )
        return Term(term.number, term.numerator, term.denominator, flat)


def _needs_ones(term: Term) -> bool:
    return any(isinstance(n, (Total, Norm, Trace, Product)) for n in walk(term.unsigned()))


def matrix_form(indices: Axes, rhs: Expr, view: View = PLAIN) -> Node:
    """The right side as a matrix (two indices: rows, columns), a column or a scalar; raises `NoForm`."""
    if len(indices) > 2:
        raise NoForm("a tensor of order 3 or more")
    builder = MatrixBuilder(view)
    have = builder.axes(rhs, indices)
    term = builder.term(name_sigmoid(rhs), have)
    node = ZERO if term.number == 0 else builder.filled(term, have, indices).node()
    node = implicit(node, view.columns) if view.profile.implicit else node
    return axis_sums(node) if view.profile.axis_sums else node


def _turned(node: Node, axes: int) -> Node:
    """A gradient that has the transposed shape: a row for a column, no transpose around a whole right side."""
    if axes == 1:
        return transpose(node)
    return pushed(node.arg) or node if isinstance(node, Transpose) else node


def form(equation: Equation, rhs: Expr | None = None, view: View = PLAIN) -> Form:
    """An equation (or another right side of it) in the form in which it is printed."""
    rhs = equation.rhs if rhs is None else rhs
    indices = printed_indices(equation.indices, equation.lhs, view)
    try:
        node = matrix_form(indices, rhs, view)
        if view.numerator(equation.lhs):
            node = _turned(node, len(indices))
        return Form(Leaf(equation.lhs), node, indexed=False)
    except NoForm:
        letters, node = index_form(equation.lhs.name, indices, name_sigmoid(rhs), view)
        lhs = Subscript(equation.lhs, tuple(map(Letter, letters))) if letters else Leaf(equation.lhs)
        return Form(lhs, node, indexed=True)
