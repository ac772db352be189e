"""A label's own share of a sum of labels, an identity that keeps the digits of what nearly cancels.

With s = sum of w_k y_k and o = s - w_i y_i, A s + B = A o + (A w_i y_i + B). Labels are nearly always 0 or 1 and few of
them are not 0, so that o is exact; the bracket has no sum any more, and what cancels in it is seen.
"""

from __future__ import annotations

from dataclasses import dataclass

from sympy import Expr, diff, factor

from ..language.indices import canonical, free_indices, substitute
from ..language.nodes import Entry, Held, Index, Sum
from ..language.scalars import Skeleton
from .shift import outermost_sums


@dataclass(frozen=True, slots=True)
class Share:
    """slope * others + own, where `own` has no sum of labels any more."""

    slope: Expr
    others: Expr
    own: Expr


def own_share(expr: Expr) -> Share | None:
    """The parts of an expression that is affine in a sum of labels, one of which stands beside it."""
    for node in sorted(outermost_sums(expr), key=lambda s: s.sort_key()):
        if len(node.bound) != 1 or not _labels(node.body, node.bound[0]):
            continue
        (k,) = node.bound
        for i in free_indices(expr):
            own = substitute(node.body, {k: i})
            if i.dim == k.dim and i not in free_indices(node) and _labels(own, i) & _labels(expr, i):
                parts = _parts(expr, node, own)
                if parts is not None:
                    return parts
    return None


def _labels(expr: Expr, index: Index) -> set[Expr]:
    """The labels at an index that stand outside sums."""
    if type(expr) is Entry:
        tensor = expr.tensor
        return {expr} if tensor.kind == "target" and "unit" in tensor.traits and index in expr.indices else set()
    if isinstance(expr, Sum):
        return set()
    return set().union(*(_labels(a, index) for a in expr.args)) if expr.args else set()


def _parts(expr: Expr, node: Sum, own: Expr) -> Share | None:
    skeleton = Skeleton()
    scalar, whole = skeleton.strip(expr), skeleton.symbol(node)
    slope = diff(scalar, whole)
    if slope == 0 or slope.has(whole):
        return None
    share = skeleton.restore(factor(substitute(scalar, {whole: skeleton.strip(own)})))
    return Share(skeleton.restore(slope), canonical(Held.raw(node - own, ())), share)
