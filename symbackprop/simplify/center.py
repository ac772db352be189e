"""Center a weighted mean, an identity on weights that sum to 1.

Where p_k = e^(f_k) / sum of e^(f), G_i - sum of G_k p_k = (G_i - C) - sum of (G_k - C) p_k for any C. With C = G at the
largest f, the term of the p_k that may round to 1 vanishes exactly, and the difference keeps its digits.
"""

from __future__ import annotations

from collections.abc import Mapping

from sympy import Expr, Mul, diff

from ..language.brackets import At
from ..language.indices import canonical, free_indices, substitute
from ..language.nodes import ArgMax, Entry, Held, Index, Sum
from ..language.scalars import Skeleton
from ..language.tensor import Tensor
from ..records import Equation
from .shift import exponent_of, outermost_sums
from .shorten import shorten


def center(expr: Expr, definitions: Mapping[Tensor, Equation]) -> Expr:
    """`expr` with the differences G_i - sum of G_k p_k that stand in it centered."""
    for node in sorted(outermost_sums(expr), key=lambda s: s.sort_key()):
        found = _weights(node, definitions)
        if found is not None:
            expr = _centered(expr, node, *found)
    return expr


def _weights(node: Sum, definitions: Mapping[Tensor, Equation]) -> tuple[Entry, Expr] | None:
    """A factor p_k of the summed product whose definition is a ratio of exponentials, and its exponent f_k."""
    if len(node.bound) != 1:
        return None
    (k,) = node.bound
    for factor in Mul.make_args(node.body):
        if type(factor) is Entry and "normalized" in factor.tensor.traits and factor.tensor in definitions:
            eq = definitions[factor.tensor]
            here = substitute(eq.rhs, dict(zip(eq.indices, factor.indices, strict=True)))
            sums = [s for s in outermost_sums(here) if exponent_of(s) is not None]
            if factor.indices[-1] == k and k not in factor.indices[:-1] and len(sums) == 1:
                exponent = exponent_of(sums[0])
                assert exponent is not None
                return factor, substitute(exponent, {sums[0].bound[0]: k})
    return None


def _centered(expr: Expr, node: Sum, p: Entry, exponent: Expr) -> Expr:
    (k,) = node.bound
    value = node.body / p
    for i in free_indices(expr):
        if i.dim != k.dim or i in free_indices(node):
            continue
        skeleton = Skeleton()
        scalar, mean = skeleton.strip(expr), skeleton.symbol(node)
        slope = diff(scalar, mean)
        here = skeleton.strip(substitute(value, {k: i}))
        if slope == 0 or slope.has(mean) or shorten(scalar.subs(mean, here), {}).expr != 0:
            continue
        return skeleton.restore(-slope) * _difference(value, i, k, p, exponent)
    return expr


def _difference(value: Expr, i: Index, k: Index, p: Entry, exponent: Expr) -> Expr:
    """(G_i - C) - sum of (G_k - C) p_k, where C is G at the first largest exponent."""
    held = value if isinstance(value, Entry) else Held.raw(value, ())
    first = canonical(ArgMax.raw(exponent, (k,)))
    reference = canonical(Sum.raw(At(k, first) * held, (k,)))
    centered = Held.raw(held - reference, ())
    mean = canonical(Sum.raw(centered * p, (k,)))
    return canonical(substitute(centered, {k: i})) - mean
