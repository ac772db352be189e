"""A sum of products as a graph: indices are vertices, columns weigh them, matrices join them.

Vertices that are summed over are eliminated one by one: a chain becomes a matrix product, a dangling end a column,
parallel edges an elementwise product, an isolated vertex or pair a scalar. A summed vertex where three or more
edges meet has no matrix form.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ..language.nodes import Index
from .algebra import hadamard, product, row_sums, settle, total, transpose
from .build import Axes, NoForm
from .terms import Term
from .tree import ONE, Apply, Divide, Node, Norm, Ones, Product, Size, Trace, label, transposes

Key = frozenset[Index]


def ones(index: Index) -> Ones:
    """The column of ones that an index runs over."""
    assert index.dim is not None, index
    return Ones(index.dim)


@dataclass
class Group:
    """The factors on one vertex or edge, oriented along `axes`: above and below the line."""

    axes: Axes
    above: list[Node] = field(default_factory=list)
    below: list[Node] = field(default_factory=list)

    def put(self, node: Node, axes: Axes, inverse: bool = False) -> None:
        """One more factor."""
        (self.below if inverse else self.above).append(node if axes == self.axes else transpose(node))

    def node(self, axes: Axes) -> Node:
        """All factors as one node along `axes`."""
        made = _quotient(self.above, self.below)
        assert made is not None
        return made if axes == self.axes else transpose(made)


class Graph:
    """Factors by the set of indices that they carry, and the scalar part that stands in front.

    `rowsum` says whether sums along rows have a name, or are products with a column of ones.
    """

    def __init__(self, axes: Axes, bound: Axes, rowsum: bool) -> None:
        if len(axes) > 2:
            raise NoForm("three or more free indices")
        self.axes, self.bound, self.rowsum = axes, bound, rowsum
        self.place = {index: place for place, index in enumerate((*axes, *bound))}
        self.scalar = Term()
        self.groups: dict[Key, Group] = {}

    def put(self, term: Term, axes: Axes, inverse: bool = False) -> None:
        """One more factor: its scalars go in front, its core to its vertex or edge."""
        front = term if not axes else Term(term.number, term.numerator, term.denominator)
        self.scalar = self.scalar.scaled(front.inverse() if inverse else front)
        if len(axes) > 2:
            raise NoForm("a factor with three or more indices")
        if axes and term.core is not None:
            self._group(axes).put(term.core, axes, inverse)

    def _group(self, axes: Axes) -> Group:
        return self.groups.setdefault(frozenset(axes), Group(axes))

    def _edges(self, vertex: Index) -> list[Group]:
        found = [group for key, group in self.groups.items() if len(key) == 2 and vertex in key]
        return sorted(found, key=lambda g: sorted(self.place[i] for i in g.axes))

    def term(self) -> Term:
        """The sum over the bound vertices, as one term on the free ones."""
        left = list(self.bound)
        while left:
            pair = self._lone_pair(left)
            if pair is not None:
                del self.groups[frozenset(pair.axes)]
                self.put(Term(core=_total(pair)), ())
                left = [v for v in left if v not in pair.axes]
                continue
            vertex = min(left, key=lambda v: (self._rank(v), self.place[v]))
            self._remove(vertex)
            left.remove(vertex)
        return self._assembled()

    def _rank(self, vertex: Index) -> int:
        """Ends with weights go first, so that A v comes before A 1."""
        degree = len(self._edges(vertex))
        return 0 if degree < 2 and frozenset((vertex,)) in self.groups else degree + 1

    def _lone_pair(self, left: list[Index]) -> Group | None:
        """An edge between two summed vertices that nothing else touches."""
        for vertex in left:
            for edge in self._edges(vertex):
                touched = (len(self._edges(v)) > 1 or frozenset((v,)) in self.groups for v in edge.axes)
                if set(edge.axes) <= set(left) and not any(touched):
                    return edge
        return None

    def _remove(self, vertex: Index) -> None:
        weight = self.groups.pop(frozenset((vertex,)), None)
        edges = self._edges(vertex)
        for edge in edges:
            del self.groups[frozenset(edge.axes)]
        others = [next(i for i in e.axes if i != vertex) for e in edges]
        if not edges:
            assert vertex.dim is not None, vertex
            column = (
                Term(numerator=(Size(vertex.dim),)) if weight is None else Term(core=_sum_of_column(weight, vertex))
            )
            self.put(column, ())
        elif len(edges) == 1:
            matrix = edges[0].node((others[0], vertex))
            end = product(matrix, weight.node((vertex,))) if weight else self._summed(matrix, ones(vertex))
            self._group((others[0],)).put(end, (others[0],))
        elif len(edges) == 2:
            middle = (Apply("diag", (weight.node((vertex,)),)),) if weight else ()
            ends = (others[0], others[1])
            joined = product(edges[0].node((ends[0], vertex)), *middle, edges[1].node((vertex, ends[1])))
            self._group(ends).put(joined, ends)
        else:
            raise NoForm("three or more factors meet in one summed index")

    def _summed(self, matrix: Node, column: Ones) -> Node:
        return row_sums(matrix, column) if self.rowsum else product(matrix, column)

    def _assembled(self) -> Term:
        core = _quotient(self._side("above"), self._side("below"))
        return self.scalar if core is None else Term(core=core).scaled(self.scalar)

    def _side(self, name: str) -> list[Node]:
        """All factors above (or below) the line, spread to both axes; two columns above make an outer product."""
        found: dict[Key, list[Node]] = {key: getattr(group, name) for key, group in self.groups.items()}
        if len(self.axes) < 2:
            return found.get(frozenset(self.axes), [])
        row, column = self.axes
        group = self.groups.get(frozenset(self.axes))
        matrices = [
            m if group and group.axes == self.axes else transpose(m) for m in found.get(frozenset(self.axes), [])
        ]
        left, right = (found.get(frozenset((i,)), []) for i in self.axes)
        if left or right:
            one, two = (hadamard(s) if s else ones(i) for s, i in ((left, row), (right, column)))
            matrices.append(product(one, transpose(two)))
        return matrices


def _quotient(above: list[Node], below: list[Node]) -> Node | None:
    if not below:
        return hadamard(above) if above else None
    return settle(Divide(hadamard(above) if above else ONE, hadamard(below)))


def _total(edge: Group) -> Node:
    """The sum over both ends of an edge; a trace where that saves transposes."""
    plain = total(edge.node(edge.axes))
    if len(edge.above) == 2 and not edge.below:
        trace = product(edge.above[0], transpose(edge.above[1]))
        if transposes(trace)[0] < transposes(plain)[0]:
            return Trace(_rotated(trace))
    return plain


def _rotated(trace: Node) -> Node:
    """A product under a trace may be turned in a circle; it starts with the first name."""
    args = trace.args if isinstance(trace, Product) else (trace,)
    turns = [product(*args[place:], *args[:place]) for place in range(len(args))]
    return min(turns, key=lambda p: (transposes(p), label(p)))


def _sum_of_column(weight: Group, vertex: Index) -> Node:
    """u^T v for two factors, a norm for twice the same, else the total."""
    if len(weight.above) == 2 and not weight.below:
        u, v = weight.above
        if u == v:
            return Norm(u, 2)
        return min((product(transpose(u), v), product(transpose(v), u)), key=transposes)
    column = weight.node((vertex,))
    return product(transpose(ones(vertex)), column) if isinstance(column, Product) else total(column)
