"""Free indices, the one substitution, canonical bound names, and the smart constructor of sums."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache

from sympy import Add, Expr, Integer, Max, Min, Mul

from .nodes import Entry, Index, Over, Size, Sum, index_named


@lru_cache(maxsize=1 << 16)
def free_indices(expr: Expr) -> tuple[Index, ...]:
    """The free indices of an expression, in order of first appearance in its sorted arguments."""
    found: dict[Index, None] = {}
    _collect(expr, frozenset(), found)
    return tuple(found)


def _collect(expr: Expr, bound: frozenset[Index], found: dict[Index, None]) -> None:
    if isinstance(expr, Index):
        if expr not in bound:
            found.setdefault(expr)
    elif isinstance(expr, Over):
        _collect(expr.body, bound | set(expr.bound), found)
    elif isinstance(expr, (Add, Mul)):
        for arg in sorted(expr.args, key=lambda a: a.sort_key()):
            _collect(arg, bound, found)
    else:
        for arg in expr.args:
            _collect(arg, bound, found)


@lru_cache(maxsize=1 << 16)
def entries_of(expr: Expr) -> frozenset[Entry]:
    """All entries that stand in an expression."""
    return frozenset(expr.atoms(Entry))


def substitute(expr: Expr, mapping: Mapping[Expr, Expr]) -> Expr:
    """`expr` with indices (or entries, or other nodes) replaced, renaming bound indices that would capture."""
    if not mapping:
        return expr
    incoming: set[Index] = set()
    for value in mapping.values():
        incoming.update(free_indices(value))
    return _substitute(expr, mapping, incoming)


def _substitute(expr: Expr, mapping: Mapping[Expr, Expr], incoming: set[Index]) -> Expr:
    if expr in mapping:
        return mapping[expr]
    if not expr.args:
        return expr
    if isinstance(expr, Over):
        inner = {k: v for k, v in mapping.items() if k not in expr.bound}
        renamed = {b: b.fresh() for b in expr.bound if b in incoming}
        bound = tuple(renamed.get(b, b) for b in expr.bound)
        body = _substitute(expr.body, renamed, set()) if renamed else expr.body
        return type(expr).raw(_substitute(body, inner, incoming), bound)
    args = tuple(_substitute(a, mapping, incoming) for a in expr.args)
    if all(a is b for a, b in zip(args, expr.args, strict=True)):
        return expr
    if isinstance(expr, (Max, Min)):  # SymPy compares all arguments, which takes it milliseconds
        return expr.func(*args, evaluate=False)
    return expr.func(*args)


def refresh(expr: Expr) -> Expr:
    """`expr` with fresh identities for all its bound indices."""
    if isinstance(expr, Over):
        fresh: dict[Expr, Expr] = {b: b.fresh() for b in expr.bound}
        body = _substitute(refresh(expr.body), fresh, set())
        return type(expr).raw(body, tuple(fresh[b] for b in expr.bound))
    if not expr.args or not expr.has(Over):
        return expr
    return expr.func(*map(refresh, expr.args))


def make_sum(body: Expr, bound: Iterable[Index]) -> Expr:
    """A sum with independent factors pulled out, absent indices turned into sizes, nested sums merged."""
    indices = tuple(bound)
    if not indices or body == 0:
        return body
    free = set(free_indices(body))
    absent = [i for i in indices if i not in free]
    present = tuple(i for i in indices if i in free)
    factor: Expr = Integer(1)
    for index in absent:
        assert index.dim is not None, index
        factor *= Size(index.dim)
    if not present:
        return factor * body
    outside: list[Expr] = [factor]
    inside: list[Expr] = []
    for f in Mul.make_args(body):
        (inside if set(free_indices(f)) & set(present) else outside).append(f)
    if len(inside) == 1 and isinstance(inside[0], Sum):
        nested = refresh(inside[0])
        return Mul(*outside) * make_sum(nested.body, present + nested.bound)
    return Mul(*outside) * canonical(Sum.raw(Mul(*inside), present))


def flat_position(indices: Sequence[Index]) -> Expr:
    """The place of an entry when those of several indices are counted in order, the last index fastest."""
    total: Expr = Integer(0)
    for index in indices:
        if total != 0:
            assert index.dim is not None and index.dim.size is not None, index
            total *= index.dim.size
        total += index
    return total


def canonical(expr: Expr) -> Expr:
    """Equal expressions up to the names of bound indices become identical objects.

    A bound index gets the identity (height of its sum, position), where position is the order of first
    appearance in the body; names are kept for people and do not count in the identity's order.
    """
    if not expr.has(Over):
        return expr
    return _canonical(expr)[0]


@lru_cache(maxsize=1 << 16)
def _canonical(expr: Expr) -> tuple[Expr, int]:
    if not expr.args:
        return expr, 0
    if isinstance(expr, Over):
        body, height = _canonical(expr.body)
        order = [i for i in _by_place(body) if i in expr.bound] if isinstance(expr, Sum) else []
        order += [i for i in expr.bound if i not in order]  # of a maximum: the first place wins, so theirs counts
        around = {i.uid for i in free_indices(body) if i not in expr.bound}
        while any(("bound", height, p) in around for p in range(len(order))):
            height += 1  # the name is taken by an index of a sum further out
        named: dict[Expr, Expr] = {
            b: index_named(f"i{height}{p}" if p else f"i{height}", b.dim, ("bound", height, p))
            for p, b in enumerate(order)
        }
        bound = tuple(named[b] for b in order)
        return type(expr).raw(_substitute(body, named, set(bound)), bound), height + 1
    pairs = [_canonical(a) for a in expr.args]
    height = max(h for _, h in pairs)
    args = tuple(a for a, _ in pairs)
    return (expr if args == expr.args else expr.func(*args)), height


def _by_place(body: Expr) -> list[Index]:
    """Indices ordered by where they stand (tensor names, axes, factors), whatever they are called."""
    places: dict[Index, list[tuple[str, int, str]]] = {}

    def walk(e: Expr) -> None:
        if isinstance(e, Entry):
            for axis, position in enumerate(e.indices):
                for index in position.atoms(Index):
                    factor = "" if index is position else str(position.coeff(index))
                    places.setdefault(index, []).append((e.tensor.name, axis, factor))
        for a in e.args:
            walk(a)

    walk(body)
    return sorted(places, key=lambda i: sorted(places[i]))


def rewrite(expr: Expr, rule: Callable[[Expr], Expr]) -> Expr:
    """`rule` applied to every node from the leaves up; a rule must bind and free no index."""
    if not expr.args or isinstance(expr, Entry):
        return rule(expr)
    if isinstance(expr, Over):
        return rule(type(expr).raw(rewrite(expr.body, rule), expr.bound))
    args = tuple(rewrite(a, rule) for a in expr.args)
    return rule(expr if all(a is b for a, b in zip(args, expr.args, strict=True)) else expr.func(*args))
