"""Write a partial derivative in the outputs of the equation it came from: sigma' = a(1 - a)."""

from __future__ import annotations

from sympy import Add, Expr, Piecewise, Pow
from sympy.core.function import Function

from ..language.indices import free_indices, substitute
from ..language.nodes import Entry
from ..language.scalars import Skeleton
from ..records import Equation
from .shorten import shorten

TERMS = 4  # an output that sums up more than this does not stand in its own derivative


def reuse_outputs(eq: Equation, factor: Expr) -> Expr:
    """`factor`, a partial derivative of `eq`, with the equation's output put in where that is shorter."""
    if factor.is_Number or isinstance(factor, Entry) or not eq.rhs.has(Function, Piecewise, Pow):
        return factor  # nothing to reuse: the equation is linear in what it reads
    skeleton = Skeleton()
    definitions = {}
    for renaming in _instances(eq, factor) if len(Add.make_args(eq.rhs)) <= TERMS else ():
        output = substitute(Entry(eq.lhs, *eq.indices), renaming)
        definitions[skeleton.symbol(output)] = skeleton.strip(substitute(eq.rhs, renaming))
    return skeleton.restore(shorten(skeleton.strip(factor), definitions).expr)


def _instances(eq: Equation, factor: Expr) -> list[dict[Expr, Expr]]:
    """The equation as it stands, and at every other index of the factor that an index of it could be."""
    foreign = [i for i in free_indices(factor) if i not in eq.indices]
    renamings: list[dict[Expr, Expr]] = [{}]
    renamings += [{own: other} for own in eq.indices for other in foreign if own.dim == other.dim]
    return renamings
