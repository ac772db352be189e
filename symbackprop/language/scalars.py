"""The scalar skeleton of an index expression: entries and sums become plain symbols, and back.

SymPy's own algebra (differentiation, cancelling, factoring) only ever sees such skeletons.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sympy import Dummy, Expr

from .brackets import At, Inside, Part
from .indices import canonical, substitute
from .nodes import Detached, Entry, Index, Over, Size

NODES = (At, Detached, Entry, Index, Inside, Over, Part, Size)


@dataclass
class Skeleton:
    """A growing two-way table between nodes and symbols; equal nodes share one symbol."""

    symbols: dict[Expr, Dummy] = field(default_factory=dict)
    nodes: dict[Dummy, Expr] = field(default_factory=dict)

    def strip(self, expr: Expr) -> Expr:
        """`expr` with its outermost entries, sums and sizes replaced by real symbols."""
        if isinstance(expr, NODES):
            return self.symbol(expr)
        if not expr.args:
            return expr
        args = tuple(self.strip(a) for a in expr.args)
        return expr if all(a is b for a, b in zip(args, expr.args, strict=True)) else expr.func(*args)

    def symbol(self, node: Expr) -> Dummy:
        """The symbol that stands for one node."""
        node = canonical(node)
        if node not in self.symbols:
            positive = {"positive": True} if isinstance(node, Size) else {"real": True}
            name = node.tensor.name if isinstance(node, Entry) else "s"
            symbol = Dummy(name, **positive)
            self.symbols[node], self.nodes[symbol] = symbol, node
        return self.symbols[node]

    def restore(self, expr: Expr) -> Expr:
        """The nodes put back for their symbols."""
        return substitute(expr, {s: self.nodes[s] for s in expr.free_symbols if s in self.nodes})
