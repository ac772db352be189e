"""The words of the equation language: indices, sums and elementwise functions.

SymPy is imported when one of them is first called, not before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import DeclarationError
from .tensor import Dim, Tensor

if TYPE_CHECKING:
    from sympy import Expr

    from .nodes import Index


def indices(names: str, size: int | None = None) -> Any:
    """Indices by name, `n, j, k = sb.indices("n j k")`; one name gives one index.

    An index takes its dimension from the axes it stands on alone; one that never does (a place in a window,
    `x[n, 2*i + u]`) needs its `size`.
    """
    from .nodes import Index
    from .tensor import as_dim, check_name

    def dim(name: str) -> Dim | None:
        return None if size is None else Dim(f"size_{name}", as_dim(size).size)

    made = tuple(Index(check_name(n, "index"), dim(n)) for n in names.replace(",", " ").split())
    if not made:
        raise DeclarationError('sb.indices needs at least one name, as in sb.indices("n j k")')
    return made if len(made) > 1 else made[0]


def Sum(body: Any, *over: Index) -> Expr:
    """Sum of `body` over one or several indices: `sb.Sum(W[j, k]*x[n, k], k)`."""
    from . import nodes

    if not over:
        raise DeclarationError("sb.Sum needs the indices that it runs over, as in sb.Sum(W[j, k]*x[n, k], k)")
    if len(set(over)) < len(over):
        raise DeclarationError(f"sb.Sum runs over {', '.join(map(str, over))}: an index stands there twice")
    return nodes.Sum(body, *over)


def MaxOver(body: Any, *over: Index) -> Expr:
    """The largest `body` over one or several indices; of equal ones the first is differentiated."""
    from . import nodes

    if not over or len(set(over)) < len(over):
        raise DeclarationError("sb.MaxOver needs the different indices that it runs over, as in sb.MaxOver(x[n, k], k)")
    return nodes.MaxOver(body, *over)


def stop_gradient(x: Any) -> Expr:
    """`x`, taken for a constant when derivatives are."""
    from .nodes import Detached, sympify_number

    return Detached(sympify_number(x))


def size(dim: Dim) -> Expr:
    """The size of a dimension as a symbol: `sb.size(x.dim(0))` is the number N of samples of the batch."""
    from .nodes import Size

    return Size(dim)


def part(flat: Any, stride: int, size: int) -> Expr:
    """One digit of a flat index, floor(flat/stride) modulo size: `x[n, part(j, 4, 3), part(j, 1, 4)]` reshapes."""
    from .brackets import Part

    return Part(flat, stride, size)


def _call(name: str, *args: Any) -> Expr:
    import sympy

    from .nodes import sympify_number

    return getattr(sympy, name)(*map(sympify_number, args))


def exp(x: Any) -> Expr:
    """Exponential of a scalar expression."""
    return _call("exp", x)


def log(x: Any) -> Expr:
    """Natural logarithm."""
    return _call("log", x)


def tanh(x: Any) -> Expr:
    """Hyperbolic tangent."""
    return _call("tanh", x)


def cosh(x: Any) -> Expr:
    """Hyperbolic cosine."""
    return _call("cosh", x)


def sinh(x: Any) -> Expr:
    """Hyperbolic sine."""
    return _call("sinh", x)


def sin(x: Any) -> Expr:
    """Sine."""
    return _call("sin", x)


def cos(x: Any) -> Expr:
    """Cosine."""
    return _call("cos", x)


def sqrt(x: Any) -> Expr:
    """Square root."""
    return _call("sqrt", x)


def erf(x: Any) -> Expr:
    """Error function."""
    return _call("erf", x)


def absolute(x: Any) -> Expr:
    """Absolute value; its derivative is sign, with sign(0) = 0."""
    return _call("Abs", x)


def sign(x: Any) -> Expr:
    """1, 0 or -1; the derivative is 0."""
    return _call("sign", x)


def maximum(a: Any, b: Any) -> Expr:
    """The larger of two; a number wins a tie, so that max(0, z) has derivative 0 at 0."""
    return _call("Max", a, b)


def minimum(a: Any, b: Any) -> Expr:
    """The smaller of two; a number wins a tie."""
    return _call("Min", a, b)


def where(condition: Any, yes: Any, no: Any) -> Expr:
    """`yes` where the condition holds, else `no`; at the border the branch taken there is differentiated."""
    import sympy

    from .nodes import sympify_number

    return sympy.Piecewise((sympify_number(yes), condition), (sympify_number(no), True))


def next(tensor: Any) -> Any:  # noqa: A001  (the language's own word: sb.next)
    """The value that a tensor gets in the update being written, rather than its old one."""
    from .nodes import Entry, NextEntry

    if isinstance(tensor, Entry):
        return NextEntry(*tensor.args)
    if isinstance(tensor, Tensor) and not tensor.dims:
        return NextEntry(tensor)
    raise DeclarationError(f"sb.next takes one entry of a tensor, as in sb.next(v); got {tensor!r}")
