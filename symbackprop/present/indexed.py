"""The index form: every expression has one. Bound indices get letters that clash with nothing in sight."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce

from sympy import Expr, Mul, Rational, expand, ilcm

from ..language.affine import coefficients, reach
from ..language.brackets import Inside, Part
from ..language.nodes import ArgMax, Entry, Held, Index, MaxOver, Over, TensorRef
from .build import Axes, Builder, NoForm, split_power
from .terms import Term, is_plain, scalar_order
from .tree import ZERO, Add, Apply, Bracket, Constant, Letter, Node, Relation, Running, Subscript
from .view import View

LETTERS = "kjmpqrsuvwihdfabc"
KINDS = {MaxOver: "max", ArgMax: "argmax"}


class IndexBuilder(Builder):
    """Terms in index form. `letters` names the indices in scope, `taken` the letters that mean something else."""

    def __init__(self, free: Iterable[Index], expr: Expr, name: str, view: View) -> None:
        super().__init__(view)
        self.letters: dict[Index, str] = {}
        self.taken = {name, *(ref.tensor.name for ref in expr.atoms(TensorRef))}
        for index in free:
            self.letters[index] = self._letter(index)

    def _letter(self, index: Index) -> str:
        used = {*self.taken, *self.letters.values()}
        named = [index.name] if len(index.name) == 1 and index.name not in "LNt" else []
        sample = index.dim is not None and index.dim.size is None
        wish = ["n"] if sample else []
        if self.view.batch in LETTERS + "n":  # the number of samples has a letter that an index could have
            used.add(self.view.batch)
            named = ["i", *named] if sample else named
        spare = (f"k{number}" for number in range(1, len(used) + 2))
        choices: tuple[str, ...] = (*named, *wish, *LETTERS, *spare)
        return next(c for c in choices if c not in used)

    def axes(self, expr: Expr, within: Axes) -> Axes:
        """Nothing: entries are scalars."""
        return ()

    def spread(self, term: Term, have: Axes, want: Axes) -> Term:
        """The term itself."""
        return term

    def atom(self, expr: Expr) -> Term:
        """A number, a size or an index; anything unknown as SymPy prints it."""
        if isinstance(expr, Index):
            return Term(numerator=(self._place(expr),))
        if isinstance(expr, Inside):
            position, size = (self.term(a, ()).node() for a in expr.args)
            return Term(numerator=(Bracket(Relation("<=", ZERO, Relation("<", position, size))),))
        if isinstance(expr, Part):
            return Term(numerator=(self._digit(expr),))
        try:
            return super().atom(expr)
        except NoForm:
            return Term(numerator=(Constant(str(expr)),))

    def entry(self, entry: Entry, axes: Axes) -> Term:
        """An entry with its letters."""
        places = tuple(entry.indices[axis] for axis in self.view.order(entry.tensor))
        return Term(numerator=(Subscript(entry.tensor, tuple(map(self._place, places))),))

    def _place(self, index: Expr) -> Node:
        if isinstance(index, Index):
            return Letter(self.letters[index])
        parts = coefficients(index)
        below = ilcm(1, *(c.q for c in (*parts[0].values(), parts[1]))) if parts is not None else 1
        if below > 1:
            index = Mul(Rational(1, below), expand(index * below), evaluate=False)
        return self.term(index, ()).node()

    def _digit(self, part: Part) -> Node:
        """A digit of a flat index: floor(flat/stride) mod size, without what changes nothing."""
        flat, stride, size = part.args
        node = self._place(flat / stride)
        node = node if stride == 1 else Apply("floor", (node,))
        ends = reach(flat)
        if ends is not None and ends[1] < stride * size:
            return node
        return Relation("mod", node, self.term(size, ()).node())

    def over(self, node: Over, axes: Axes) -> Term:
        """A running sum or maximum; signs and numbers, and what does not run, stand in front of a sum."""
        if isinstance(node, Held):
            return self.term(node.body, axes)
        outside = dict(self.letters)
        for index in node.bound:
            self.letters[index] = self._letter(index)
        bound = tuple(self.letters[index] for index in node.bound)
        body = self.term(node.body, ())
        on_axes = {i for e in node.body.atoms(Entry) for i in e.indices}
        alone = [i for i in node.bound if i not in on_axes]
        windows = tuple((self.letters[i], i.dim.size) for i in alone if i.dim is not None and i.dim.size is not None)
        self.letters = outside
        kind = KINDS.get(type(node), "sum")
        if kind != "sum":
            return Term(core=Running(kind, bound, body.node(), windows))
        front = Term(body.number, body.front.numerator, body.front.denominator)
        return Term(core=Running(kind, bound, body.rest.unsigned(), windows)).scaled(front)

    def product(self, expr: Expr, axes: Axes) -> Term:
        """Factors side by side, a running sum last."""
        terms = []
        for factor in Mul.make_args(expr):
            base, exponent, inverse = split_power(factor)
            term = self.term(base, ()) if exponent == 1 else self.power(base, exponent, ())
            terms.append(term.inverse() if inverse else term)
        terms.sort(key=lambda t: (not isinstance(t.core, Running), t.core is None))
        made = reduce(Term.scaled, terms, Term())
        if not isinstance(made.core, Add) or all(map(is_plain, made.numerator)):
            return made
        return Term(made.number, tuple(sorted((*made.numerator, made.core), key=scalar_order)), made.denominator)


def index_form(name: str, indices: Axes, rhs: Expr, view: View) -> tuple[tuple[str, ...], Node]:
    """The letters of the left side, called `name`, and the right side; bound indices never hide a free one."""
    builder = IndexBuilder(indices, rhs, name, view)
    return tuple(builder.letters[i] for i in indices), builder.term(rhs, ()).node()
