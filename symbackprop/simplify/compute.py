"""The form that kernels compute: equal to the printed one, and right in floating point at any magnitude."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from sympy import Add, Dummy, Expr, Mul, Piecewise, Pow
from sympy.core.function import Function

from ..language.indices import canonical, free_indices, refresh, substitute
from ..language.memo import Memo
from ..language.nodes import Entry, Over, Size, Sum
from ..language.scalars import Skeleton
from ..language.structure import Form, asked, expression_of, tensors_of
from ..language.tensor import Tensor
from ..records import Equation, Note, Step
from .center import center
from .share import own_share
from .shift import Shifted, exponent_of, shift_exponentials
from .stabilize import stabilize

Definitions = Mapping[Tensor, Equation]
STABLE = Note("stable")
"""The first rule of the step from the printed form to the one that is computed."""


def definitions_of(forward: tuple[Equation, ...]) -> dict[Tensor, Equation]:
    """The equations that may be written in place of their outputs: activations, not products."""
    return {eq.lhs: eq for eq in forward if asked(_is_local, eq.right)}


def _is_local(expr: Expr) -> bool:
    sums = [s for s in expr.atoms(Over) if isinstance(s, Sum)]
    return bool(expr.has(Function)) and all(s.body.has(Function) for s in sums)


def with_computed(eq: Equation, definitions: Definitions, memo: Memo) -> tuple[Equation, tuple[Step, ...]]:
    """The equation with its `computed` form, and the step that shows it (none where the printed form will do)."""
    others = {t: d for t, d in definitions.items() if t is not eq.lhs}
    work = _Computing(others, memo)
    form = canonical(work.form(eq.rhs))
    if form == eq.rhs:
        return eq, ()
    rules = tuple(dict.fromkeys((STABLE, *work.rules)))
    return replace(eq, computed=form), (Step(eq.lhs.name, rules, eq.rhs, form),)


def defining(tensors: Iterable[Tensor], definitions: Definitions) -> list[Form | Tensor]:
    """The definitions of some tensors, as a `Memo` is given them."""
    known = [definitions[t] for t in sorted(tensors, key=lambda t: t.name) if t in definitions]
    return [part for d in known for part in (d.right, d.lhs, *d.indices)]


def is_plain(expr: Expr) -> bool:
    """Whether nothing in an expression can lose digits, unless a definition does."""
    return not expr.has(Function, Pow, Piecewise)


def is_calm(term: Expr) -> bool:
    """Whether a term is a sum over all of its indices, but not of exponentials, times run-time numbers and sizes.

    Nothing can be lost, and nothing is gained by what stands beside it: a hundred weights' penalties are such terms.
    """
    factors = Mul.make_args(term)
    sums = [f for f in factors if isinstance(f, Sum)]
    numbers = [f.base if f.is_Pow and f.exp == -1 else f for f in factors if not isinstance(f, Sum)]
    if len(sums) != 1 or free_indices(sums[0]) or exponent_of(sums[0]) is not None:
        return False
    hypers = {f for f in numbers if isinstance(f, Entry) and f.tensor.kind == "hyper"}
    return all(f.is_Number or isinstance(f, Size) or f in hypers for f in numbers)


@dataclass
class _Computing:
    """The computed form of one equation's parts; sums of one structure have one of one structure."""

    definitions: Definitions
    memo: Memo
    rules: list[Note] = field(default_factory=list)

    def form(self, expr: Expr) -> Expr:
        """The form to compute, not yet canonical."""
        definitions = self.definitions
        if asked(is_plain, expr) and not any(t in definitions for t in tensors_of(expr)):
            return expr
        if all(asked(is_calm, term) for term in Add.make_args(expr)):
            return self._bodies(expr)
        centered = center(expr, definitions)
        self.rules += [Note("centered")] if centered != expr else []
        expr = self._bodies(centered)
        share = own_share(expr)
        if share is not None:
            own = self._stable(share.own)
            if own != share.own:
                self.rules.append(Note("own_share"))
                return self._stable(share.slope) * share.others + own
        return self._stable(expr)

    def _stable(self, expr: Expr) -> Expr:
        shifted = Shifted(Skeleton())
        scalar = shifted.skeleton.strip(shift_exponentials(expr, shifted))
        known, domains = _surroundings(scalar, shifted, self.definitions)
        stable = stabilize(scalar, known, domains)
        self.rules += [Note("shift")] if stable.expr.free_symbols & (shifted.below | shifted.rest) else []
        self.rules += map(Note, stable.rules)
        return shifted.skeleton.restore(stable.expr)

    def _bodies(self, expr: Expr) -> Expr:
        if isinstance(expr, Over):
            known = defining(tensors_of(expr), self.definitions)
            made, rules = self.memo("body", (expr, *known), lambda: self._body(expr))
            self.rules += rules
            return expression_of(made)
        if not expr.args or isinstance(expr, Entry) or not expr.has(Over):
            return expr
        args = tuple(map(self._bodies, expr.args))
        return expr if args == expr.args else expr.func(*args)

    def _body(self, expr: Over) -> tuple[Expr, tuple[Note, ...]]:
        """The computed form of a sum by itself, and the rules that it took."""
        node = refresh(expr)  # what is built inside must not meet the sum's own index
        assert isinstance(node, Over)
        work = _Computing(self.definitions, self.memo)
        return canonical(type(node).raw(work.form(node.body), node.bound)), tuple(work.rules)


def _surroundings(
    scalar: Expr, shifted: Shifted, definitions: Definitions
) -> tuple[dict[Dummy, Expr], dict[Dummy, str]]:
    """What is known of the symbols of a scalar: definitions that may be inlined, and ranges of values."""
    known: dict[Dummy, Expr] = {}
    for symbol in sorted(scalar.free_symbols, key=lambda s: s.name):
        node = shifted.skeleton.nodes.get(symbol)
        if type(node) is Entry and node.tensor in definitions:  # a padded one is no value of the tensor beyond its end
            eq = definitions[node.tensor]
            body = substitute(eq.rhs, dict(zip(eq.indices, node.indices, strict=True)))
            known[symbol] = shifted.skeleton.strip(shift_exponentials(body, shifted))
    symbols = scalar.free_symbols.union(*(d.free_symbols for d in known.values()))
    return known, {s: _domain(s, shifted) for s in symbols}


def _domain(symbol: Dummy, shifted: Shifted) -> str:
    if symbol in shifted.below:
        return "nonpositive"
    if symbol in shifted.rest:
        return "nonnegative"
    node = shifted.skeleton.nodes.get(symbol)
    if isinstance(node, Entry) and "unit" in node.tensor.traits:
        return "unit" if node.tensor.kind == "target" else "probability"
    return "positive" if symbol.is_positive else "real"
