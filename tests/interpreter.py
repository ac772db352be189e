"""Equations evaluated by their definition: every index a NumPy axis, every sum a sum over its whole range.

Nothing of derive/, simplify/, lower/ or emit/ is used, so this is a judge of what they make. It is slow and takes
memory in the product of all ranges: small shapes only.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import sympy
from sympy import Expr

from symbackprop.language import nodes
from symbackprop.language.tensor import Tensor
from symbackprop.records import Equation

Array = np.ndarray[Any, Any]
Values = Mapping[Tensor, Array]


def run(equations: Iterable[Equation], values: Values, rows: int, computed: bool = False) -> dict[Tensor, Array]:
    """`values` with the left sides of `equations` added in order; `computed` takes the forms that kernels evaluate."""
    known = dict(values)
    for eq in equations:
        expr = eq.evaluated if computed else eq.rhs
        known[eq.lhs] = evaluate(expr, eq.indices, known, rows)
        assert known[eq.lhs].shape == tuple(rows if d.size is None else d.size for d in eq.lhs.dims), eq
    return known


def evaluate(expr: Expr, indices: tuple[nodes.Index, ...], values: Values, rows: int) -> Array:
    """The array of `expr` over the ranges of `indices`."""
    with np.errstate(all="ignore"):
        return Walk(values, rows, indices).full(expr)


class Walk:
    """The evaluation of one expression; `axes` are the indices at hand, the last being the last axis."""

    def __init__(self, values: Values, rows: int, axes: tuple[nodes.Index, ...]) -> None:
        self.values, self.rows, self.axes = values, rows, axes
        assert len(set(axes)) == len(axes), f"an index is bound twice: {axes}"

    def size(self, dim: Any) -> int:
        """The size of a dimension; the batch is the only one without."""
        assert dim is not None, "an index without a dimension"
        return self.rows if dim.size is None else int(dim.size)

    def full(self, expr: Expr) -> Array:
        """The array over all axes, constants repeated."""
        shape = tuple(self.size(i.dim) for i in self.axes)
        return np.array(np.broadcast_to(self(expr), shape), dtype=float)

    def __call__(self, expr: Any) -> Any:
        """The array, which broadcasts to the axes."""
        for kind, visit in VISITS:
            if isinstance(expr, kind):
                return visit(self, expr)
        raise NotImplementedError(f"{type(expr).__name__}: {expr}")

    def all(self, args: Iterable[Any]) -> list[Any]:
        """Every one of several expressions."""
        return [self(a) for a in args]

    def index(self, index: nodes.Index) -> Array:
        """0, 1, ... along the index's own axis."""
        assert index in self.axes, f"{index} is free in an equation over {self.axes}"
        behind = len(self.axes) - 1 - self.axes.index(index)
        return np.arange(self.size(index.dim), dtype=float).reshape((-1,) + (1,) * behind)

    def entry(self, node: nodes.Entry) -> Array:
        """Read at positions that must be inside, unless the entry says what stands outside."""
        array = self.values[node.tensor]
        inside: Any = True
        places = []
        for position, size in zip(self.all(node.indices), array.shape, strict=True):
            fits = self.whole_inside(position, size)
            assert node.outside is not None or np.all(fits), f"{node} is read at {position} of {size}"
            inside = inside & fits
            places.append(np.where(fits, np.rint(position), 0).astype(int))
        found = array[tuple(np.broadcast_arrays(*places))] if places else array
        return found if node.outside is None else np.where(inside, found, float(node.outside))

    @staticmethod
    def whole_inside(position: Any, size: Any) -> Any:
        """Whether it is a whole number from 0 to size - 1; denominators are small, so the rounding is."""
        whole = np.abs(position - np.rint(position)) < 1e-9
        return whole & (np.rint(position) >= 0) & (np.rint(position) < size)

    def over(self, node: nodes.Over) -> Array:
        """The body with the bound indices as the first axis, flat in row-major order."""
        inner = Walk(self.values, self.rows, (*node.bound, *self.axes)).full(node.body)
        return inner.reshape((math.prod(inner.shape[: len(node.bound)]), *inner.shape[len(node.bound) :]))

    def piecewise(self, node: sympy.Piecewise) -> Any:
        """The first branch whose condition holds."""
        result: Any = math.nan
        for value, condition in reversed(node.args):
            result = np.where(self(condition), self(value), result)
        return result

    def fold(self, args: Iterable[Any], operation: Callable[[Any, Any], Any]) -> Any:
        """The operation between neighbors."""
        first, *rest = self.all(args)
        for value in rest:
            first = operation(first, value)
        return first


FUNCTIONS: dict[str, Callable[..., Any]] = {
    **{
        name: getattr(np, name) for name in ("exp", "log", "sin", "cos", "tan", "sinh", "cosh", "tanh", "sign", "floor")
    },
    "Abs": np.abs,
    "ceiling": np.ceil,
    "asinh": np.arcsinh,
    "acosh": np.arccosh,
    "atanh": np.arctanh,
    "asin": np.arcsin,
    "acos": np.arccos,
    "atan": np.arctan,
    "erf": np.vectorize(math.erf, otypes=[float]),
    "erfc": np.vectorize(math.erfc, otypes=[float]),
    "gamma": np.vectorize(math.gamma, otypes=[float]),
    "loggamma": np.vectorize(math.lgamma, otypes=[float]),
    "log1p": np.log1p,
    "expm1": np.expm1,
}
RELATIONS: dict[Any, Callable[[Any, Any], Any]] = {
    sympy.Eq: np.equal,
    sympy.Ne: np.not_equal,
    sympy.Ge: np.greater_equal,
    sympy.Gt: np.greater,
    sympy.Le: np.less_equal,
    sympy.Lt: np.less,
}


def _part(walk: Walk, node: nodes.Part) -> Any:
    flat, stride, size = walk.all(node.args)
    return np.floor(flat / stride) % size


def _function(walk: Walk, node: Any) -> Any:
    name = type(node).__name__
    if name not in FUNCTIONS:
        raise NotImplementedError(f"function {name}: {node}")
    return FUNCTIONS[name](*walk.all(node.args))


VISITS: tuple[tuple[Any, Callable[[Walk, Any], Any]], ...] = (
    (nodes.Index, Walk.index),
    (nodes.Size, lambda walk, e: float(walk.size(e.dim))),
    (nodes.Entry, Walk.entry),
    (nodes.Part, _part),
    (nodes.Inside, lambda walk, e: Walk.whole_inside(*walk.all(e.args)).astype(float)),
    (nodes.NotAt, lambda walk, e: 1.0 * np.not_equal(*walk.all(e.args))),
    (nodes.At, lambda walk, e: 1.0 * np.equal(*walk.all(e.args))),
    (nodes.Detached, lambda walk, e: walk(e.args[0])),
    (nodes.Sum, lambda walk, e: walk.over(e).sum(0)),
    (nodes.MaxOver, lambda walk, e: walk.over(e).max(0)),
    (nodes.ArgMax, lambda walk, e: walk.over(e).argmax(0).astype(float)),
    (nodes.Held, lambda walk, e: walk(e.body)),
    (sympy.Add, lambda walk, e: walk.fold(e.args, np.add)),
    (sympy.Mul, lambda walk, e: walk.fold(e.args, np.multiply)),
    (sympy.Pow, lambda walk, e: np.power(*np.broadcast_arrays(*map(np.float64, walk.all(e.args))))),
    (sympy.Max, lambda walk, e: walk.fold(e.args, np.maximum)),
    (sympy.Min, lambda walk, e: walk.fold(e.args, np.minimum)),
    (sympy.Piecewise, Walk.piecewise),
    (sympy.core.relational.Relational, lambda walk, e: RELATIONS[e.func](*walk.all(e.args))),
    (sympy.And, lambda walk, e: walk.fold(e.args, np.logical_and)),
    (sympy.Or, lambda walk, e: walk.fold(e.args, np.logical_or)),
    (sympy.Not, lambda walk, e: np.logical_not(walk(e.args[0]))),
    (sympy.logic.boolalg.BooleanAtom, lambda walk, e: bool(e)),
    (sympy.exp, lambda walk, e: np.exp(walk(e.args[0]))),
    (sympy.core.function.Function, _function),
    (sympy.Number, lambda walk, e: float(e)),
    (sympy.NumberSymbol, lambda walk, e: float(e)),
)
"""How each kind of node is evaluated; the first kind that fits counts."""
