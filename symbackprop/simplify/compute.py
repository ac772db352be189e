"""The form that kernels compute: equal to the printed one, and right in floating point at any magnitude."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sympy import Dummy, Expr, Piecewise, Pow
from sympy.core.function import Function

from ..language.indices import canonical, refresh, substitute
from ..language.nodes import Entry, Over, Sum
from ..language.scalars import Skeleton
from ..language.tensor import Tensor
from ..records import Equation, Note, Step
from .center import center
from .share import own_share
from .shift import Shifted, shift_exponentials
from .stabilize import stabilize

Definitions = Mapping[Tensor, Equation]
STABLE = Note("stable")
"""The first rule of the step from the printed form to the one that is computed."""


def definitions_of(forward: tuple[Equation, ...]) -> dict[Tensor, Equation]:
    """The equations that may be written in place of their outputs: activations, not products."""
    return {eq.lhs: eq for eq in forward if eq.rhs.has(Function) and _is_local(eq)}


def _is_local(eq: Equation) -> bool:
    sums = [s for s in eq.rhs.atoms(Over) if isinstance(s, Sum)]
    return all(s.body.has(Function) for s in sums)


def with_computed(eq: Equation, definitions: Definitions) -> tuple[Equation, tuple[Step, ...]]:
    """The equation with its `computed` form, and the step that shows it (none where the printed form will do)."""
    rules = [STABLE]
    form = canonical(_compute(eq.rhs, {t: d for t, d in definitions.items() if t is not eq.lhs}, rules))
    if form == eq.rhs:
        return eq, ()
    return replace(eq, computed=form), (Step(eq.lhs.name, tuple(dict.fromkeys(rules)), eq.rhs, form),)


def _compute(expr: Expr, definitions: Definitions, rules: list[Note]) -> Expr:
    if not expr.has(Function, Pow, Piecewise) and not any(e.tensor in definitions for e in expr.atoms(Entry)):
        return expr
    centered = center(expr, definitions)
    rules += [Note("centered")] if centered != expr else []
    expr = _bodies(centered, definitions, rules)
    share = own_share(expr)
    if share is not None:
        own = _stable(share.own, definitions, rules)
        if own != share.own:
            rules.append(Note("own_share"))
            return _stable(share.slope, definitions, rules) * share.others + own
    return _stable(expr, definitions, rules)


def _stable(expr: Expr, definitions: Definitions, rules: list[Note]) -> Expr:
    shifted = Shifted(Skeleton())
    scalar = shifted.skeleton.strip(shift_exponentials(expr, shifted))
    known, domains = _surroundings(scalar, shifted, definitions)
    stable = stabilize(scalar, known, domains)
    rules += [Note("shift")] if stable.expr.free_symbols & (shifted.below | shifted.rest) else []
    rules += map(Note, stable.rules)
    return shifted.skeleton.restore(stable.expr)


def _bodies(expr: Expr, definitions: Definitions, rules: list[Note]) -> Expr:
    if isinstance(expr, Over):
        node = refresh(expr)  # what is built inside must not meet the sum's own index
        assert isinstance(node, Over)
        return type(node).raw(_compute(node.body, definitions, rules), node.bound)
    if not expr.args or isinstance(expr, Entry) or not expr.has(Over):
        return expr
    args = tuple(_bodies(a, definitions, rules) for a in expr.args)
    return expr if args == expr.args else expr.func(*args)


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
