"""Bodies made ready for kernels: reads that cannot leave their axes are plain, guards are choices, deltas are gone."""

from __future__ import annotations

from sympy import Expr, Integer, Mul, Pow

from ..language.brackets import At, Inside
from ..language.indices import free_indices, make_sum, substitute
from ..language.nodes import Entry, Index, Over, Sum
from ..language.structure import asked
from .positions import ends, simplified, test_of, tests_of
from .program import Where


def settled(expr: Expr) -> Expr:
    """`expr` with everything decided that is known before the numbers are."""
    if isinstance(expr, Entry):
        return _read(expr)
    if not expr.args or (isinstance(expr, Over) and asked(_is_settled, expr)):
        return expr
    return _settled(expr)


def _is_settled(expr: Expr) -> bool:
    return _settled(expr) is expr


def _settled(expr: Expr) -> Expr:
    if isinstance(expr, Over):
        body = settled(expr.body)
        made = _without_deltas(body, expr.bound) if isinstance(expr, Sum) else None
        if made is None:
            return expr if body is expr.body else type(expr).raw(body, expr.bound)
        return made
    if isinstance(expr, Inside):
        return expr if tests_of(expr) else Integer(1)
    args = tuple(map(settled, expr.args))
    made = expr if all(a is b for a, b in zip(args, expr.args, strict=True)) else expr.func(*args)
    return _chosen(made) if isinstance(made, Mul) else made


def _read(e: Entry) -> Entry:
    """The entry, a plain one where nothing can be outside."""
    indices = tuple(_read(i) if isinstance(i, Entry) else simplified(i) for i in e.indices)
    if e.outside is not None and not tests_of(e):
        return Entry(e.args[0], *indices)
    return e if indices == e.indices else type(e)(e.args[0], *indices)


def _chosen(product: Mul) -> Expr:
    """A product with guards as the choice between the other factors and 0: what a guard shuts out may be infinite."""
    guards, others = [], []
    for factor in Mul.make_args(product):
        base = factor.base if isinstance(factor, Pow) and factor.exp.is_positive else factor
        if isinstance(base, Where):
            guards += base.args[1:]
            others.append(base.args[0] if base is factor else Pow(base.args[0], factor.exp))
        elif isinstance(base, Inside):
            guards.append(base)
        else:
            others.append(factor)
    if not guards:
        return product
    ordered = sorted(set(guards), key=lambda g: g.sort_key())
    return Where(Mul(*others), *ordered)


def _without_deltas(body: Expr, bound: tuple[Index, ...]) -> Expr | None:
    """The sum without a delta at a place read from data, which picks one term: Sum([k = t[n]] z[n, k]) = z[n, t[n]]."""
    for factor in Mul.make_args(body):
        if type(factor) is not At:
            continue
        for index, place in (factor.args, factor.args[::-1]):
            if index not in bound or index in free_indices(place) or not _is_whole(place):
                continue
            assert isinstance(index, Index) and index.dim is not None
            rest = tuple(i for i in bound if i != index)
            picked = substitute(Mul(*(f for f in Mul.make_args(body) if f is not factor)), {index: place})
            size = index.dim.size
            if size is not None and not test_of(place, size):
                return settled(make_sum(picked, rest))
    return None


def _is_whole(place: Expr) -> bool:
    """Whether a place is an entry of whole numbers whose range is known."""
    return isinstance(place, Entry) and place.tensor.levels is not None and ends(place) is not None
