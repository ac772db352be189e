"""Adjoints of small intermediates (a mean, a variance) put into the equations that read them, where that is shorter."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache

from sympy import Add, Expr

from ..language.indices import canonical, entries_of, make_sum, refresh, rewrite, substitute
from ..language.nodes import Entry, Index, Over, Sum
from ..language.structure import Form, asked, instance_of, tensors_of
from ..language.tensor import Tensor
from ..records import Derivation, Equation, Note, Step
from .alike import Names
from .facts import Facts, poles, put_in, scalar_form
from .lengths import length
from .samples import agree
from .tidy import tidy

MOST_SOLUTIONS = 3
"""How many equations may be solved for an entry, one after the other."""

MOST_TOGETHER = 4
"""How many adjoints are taken out together: those of a mean, a variance and a scale are."""

Equations = tuple[Equation, ...]


def inline(derivation: Derivation) -> Derivation:
    """The derivation with small adjoints written out wherever the backward equations become shorter.

    Small is an adjoint without a name of its own by convention that some equation spreads over more axes.
    """
    named = {eq.lhs.adjoint for eq in derivation.forward}
    derivation = _without_unread(derivation, named)
    readers = _readers((*derivation.adjoints, *derivation.gradients))
    small = [eq for eq in derivation.adjoints if eq.lhs.name not in named and _is_small(eq, readers)]
    for group in _groups(small, readers):
        derivation = _without_some([eq.lhs for eq in group], derivation)
    return derivation


def _without_some(group: list[Tensor], derivation: Derivation) -> Derivation:
    """The derivation without a group of adjoints or, where that is no shorter, without neighbors among them."""
    for size in range(min(len(group), MOST_TOGETHER), 0, -1):
        for start in range(len(group) - size + 1):
            end = start + size
            shorter = _without(set(group[start:end]), derivation)
            if shorter is not derivation:
                for rest in (group[:start], group[end:]):
                    shorter = _without_some(rest, shorter)
                return shorter
    return derivation


def _without_unread(derivation: Derivation, named: set[str | None]) -> Derivation:
    """The derivation without adjoints that nothing reads: of what no parameter has a part in."""
    kept: list[Equation] = []
    read = set[Tensor]().union(*(tensors_of(eq.right) for eq in derivation.gradients))
    for eq in reversed(derivation.adjoints):
        if eq.lhs in read or eq.lhs.name in named:
            kept.append(eq)
            read.update(tensors_of(eq.right))
    return replace(derivation, adjoints=tuple(reversed(kept)))


def _readers(equations: Sequence[Equation]) -> dict[Tensor, list[Equation]]:
    readers: dict[Tensor, list[Equation]] = {}
    for eq in equations:
        for tensor in tensors_of(eq.right):
            readers.setdefault(tensor, []).append(eq)
    return readers


def _is_small(eq: Equation, readers: dict[Tensor, list[Equation]]) -> bool:
    """Whether some reader spreads the adjoint over more axes than it has."""
    return asked(_has_sum, eq.right) and any(
        set(indices) < set(reader.indices)
        for reader in readers.get(eq.lhs, ())
        for tensor, indices in _reads(reader.right)
        if tensor is eq.lhs
    )


def _reads(form: Form) -> Iterator[tuple[Tensor, tuple[Index, ...]]]:
    """The entries in an expression that stand at indices alone."""
    _, tensors, indices, _ = instance_of(form)
    for tensor, places in asked(_places, form):
        yield tensors[tensor], tuple([indices[k] for k in places])


def _places(expr: Expr) -> tuple[tuple[int, tuple[int, ...]], ...]:
    """`_reads` with the numbers of tensors and indices."""
    _, tensors, indices, _ = instance_of(expr)
    entries = [e for e in entries_of(expr) if type(e) is Entry and all(isinstance(i, Index) for i in e.indices)]
    return tuple((tensors.index(e.tensor), tuple(map(indices.index, e.indices))) for e in entries)


def _has_sum(expr: Expr) -> bool:
    return bool(expr.has(Sum))


def _has_over(expr: Expr) -> bool:
    return bool(expr.has(Over))


def _groups(small: list[Equation], readers: dict[Tensor, list[Equation]]) -> Iterator[list[Equation]]:
    """Small adjoints with those of them that read each other, in order of computation."""
    left = list(small)
    while left:
        group, rest = [left[0]], []
        reading = {id(r) for r in readers.get(group[0].lhs, ())}
        for eq in left[1:]:
            if id(eq) in reading:
                group.append(eq)
                reading |= {id(r) for r in readers.get(eq.lhs, ())}
            else:
                rest.append(eq)
        left = rest
        yield group


def _without(gone: set[Tensor], derivation: Derivation) -> Derivation:
    """The derivation without some adjoints, if it is shorter than with them."""
    everything = (*derivation.adjoints, *derivation.gradients)
    touched = [eq for eq in everything if eq.lhs in gone or not gone.isdisjoint(tensors_of(eq.right))]
    pairs = [tidy(eq) for eq in touched]
    group = [eq for eq, _ in pairs if eq.lhs in gone]
    readers = [eq for eq, _ in pairs if eq.lhs not in gone]
    names = Names()
    plain = (tuple(map(names.plain, part)) for part in (group, readers, _definitions(touched, derivation.forward)))
    found = _shorter(*plain)
    if found is None:
        return derivation
    made = {
        eq.lhs: replace(eq, rhs=names.restored(short.rhs, short.indices, eq.indices))
        for eq, short in zip(readers, found, strict=True)
    }
    rule = Note("put_in", tuple(sorted(gone, key=lambda t: t.name)))
    done = [Step(eq.lhs.name, (rule,), eq.rhs, made[eq.lhs].rhs) for eq in readers]
    return replace(
        derivation,
        adjoints=tuple(made.get(eq.lhs, eq) for eq in derivation.adjoints if eq.lhs not in gone),
        gradients=tuple(made.get(eq.lhs, eq) for eq in derivation.gradients),
        steps=(*derivation.steps, *(step for _, steps in pairs for step in steps), *done),
    )


def _definitions(touched: Sequence[Equation], forward: Equations) -> Equations:
    """The forward equations that say something of the tensors in some others: what they are made of, what of them."""
    known = set[Tensor]().union(*(tensors_of(eq.right) for eq in touched))
    for eq in reversed(forward):
        if eq.lhs in known and not asked(_has_over, eq.right):
            known.update(tensors_of(eq.right))
    return tuple(eq for eq in forward if tensors_of(eq.right) and known.issuperset(tensors_of(eq.right)))


@lru_cache(maxsize=1024)
def _shorter(group: Equations, readers: Equations, definitions: Equations) -> Equations | None:
    """The readers with the group put in; None where that is no shorter, or cannot be shown to be right."""
    facts = Facts(definitions)
    made = tuple(replace(eq, rhs=_shortest(written_out(eq.rhs, group), facts)) for eq in readers)
    left = set[Tensor]().union(*(tensors_of(eq.right) for eq in made)) & {eq.lhs for eq in group}
    if left or sum(length(eq.rhs) for eq in made) >= sum(length(eq.rhs) for eq in (*group, *readers)):
        return None
    known = (*definitions, *group)
    return made if all(agree(one, two, known) for one, two in zip(readers, made, strict=True)) else None


def written_out(expr: Expr, group: Equations) -> Expr:
    """`expr` with the group's right sides for its left sides; the last of them may read those before."""
    for eq in reversed(group):

        def rule(node: Expr, eq: Equation = eq) -> Expr:
            if type(node) is not Entry or node.tensor is not eq.lhs:
                return node
            return refresh(substitute(eq.rhs, dict(zip(eq.indices, node.indices, strict=True))))

        expr = rewrite(expr, rule)
    return canonical(expr)


def _shortest(expr: Expr, facts: Facts) -> Expr:
    """The shortest form of `expr` with entries written in outputs that are at hand, and sums that are known."""
    best = _settled(expr, facts)
    for _ in range(MOST_SOLUTIONS):
        candidates = [best]
        for solution in facts.solutions(best):
            form = _settled(put_in(best, solution), facts)
            if poles(form) <= poles(best) | poles(solution.equation.rhs):
                candidates.append(form)
        shortest = min(candidates, key=length)
        if shortest == best:
            break
        best = shortest
    return best


def _settled(expr: Expr, facts: Facts) -> Expr:
    """The shorter one of two forms: sums of sums taken apart, or left together."""
    forms = (canonical(scalar_form(_sums(expr, facts, apart))) for apart in (False, True))
    return min(forms, key=length)


def _sums(expr: Expr, facts: Facts, apart: bool) -> Expr:
    """`expr` with known sums put in and constants taken out of sums; `apart`: summand by summand."""
    if isinstance(expr, Sum):
        node = refresh(expr)
        assert isinstance(node, Sum)
        body = scalar_form(_sums(node.body, facts, apart))
        terms = Add.make_args(body.expand()) if apart else (body,)
        return Add(*(_known(make_sum(t, node.bound), facts) for t in terms))
    if not expr.args or isinstance(expr, Entry) or not expr.has(Over):
        return expr
    return expr.func(*(_sums(a, facts, apart) for a in expr.args))


def _known(expr: Expr, facts: Facts) -> Expr:
    """A sum times what stands before it, or the value that definitions give the sum."""
    if isinstance(expr, Sum):
        value = facts.value_of(expr)
        return expr if value is None else value
    if expr.is_Mul:
        return expr.func(*(_known(a, facts) for a in expr.args))
    return expr
