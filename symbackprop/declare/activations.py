"""Activations: forward formulas only; SymPy takes their derivatives.

To add one, write its formula as a function of one entry `z` and list it in `ACTIVATIONS`. One that needs a
whole row (softmax) takes `z` as a function of its last index, and that index; list it in `ROW_ACTIVATIONS`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Real
from typing import Any

from ..errors import DeclarationError, did_you_mean
from ..language.functions import Sum, absolute, erf, exp, log, maximum, minimum, sin, sqrt, tanh, where
from ..language.tensor import Dim, Tensor
from ..records import Equation
from .equation import equation


@dataclass(frozen=True, slots=True)
class Formula:
    """An activation whose numbers are chosen: `sb.activations.leaky_relu(slope=0.2)`; a function of one entry."""

    function: Callable[..., Any]
    options: tuple[tuple[str, float], ...]

    def __call__(self, z: Any) -> Any:
        """The formula of one entry."""
        return self.function(z, **dict(self.options))


def _chosen(function: Callable[..., Any], **options: object) -> Formula:
    chosen = []
    for name, value in options.items():
        if isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(value):
            raise DeclarationError(f"{function.__name__}: {name} must be a finite number; got {value!r}")
        chosen.append((name, float(value)))
    return Formula(function, tuple(chosen))


def identity(z: Any) -> Any:
    """z."""
    return z


def sigmoid(z: Any) -> Any:
    """1/(1 + e^-z)."""
    return 1 / (1 + exp(-z))


def relu(z: Any) -> Any:
    """max(0, z); derivative 0 at 0."""
    return maximum(0, z)


def relu6(z: Any) -> Any:
    """min(6, max(0, z)); derivative 0 at 0 and at 6."""
    return minimum(6, maximum(0, z))


def leaky_relu(z: Any = None, slope: float = 0.01) -> Any:
    """z where z > 0, else slope*z (slope 0.01); derivative `slope` at 0."""
    if z is None:
        return _chosen(leaky_relu, slope=slope)
    return where(z > 0, z, slope * z)


def elu(z: Any = None, alpha: float = 1.0) -> Any:
    """z where z > 0, else alpha*(e^z - 1) (alpha 1); derivative alpha at 0."""
    if z is None:
        return _chosen(elu, alpha=alpha)
    scale = int(alpha) if alpha == int(alpha) else alpha
    return where(z > 0, z, scale * (exp(z) - 1))


def selu(z: Any) -> Any:
    """1.0507 times (z where z > 0, else 1.6733*(e^z - 1)), both numbers to double precision; left derivative at 0."""
    return where(z > 0, SELU_SCALE * z, SELU_SCALE * SELU_ALPHA * (exp(z) - 1))


def gelu(z: Any) -> Any:
    """z Phi(z) = z (1 + erf(z/sqrt 2))/2."""
    return z * (1 + erf(z / sqrt(2))) / 2


def gelu_tanh(z: Any) -> Any:
    """z (1 + tanh(sqrt(2/pi) (z + 0.044715 z^3)))/2, PyTorch's approximate="tanh"."""
    return z * (1 + tanh(math.sqrt(2 / math.pi) * (z + 0.044715 * z**3))) / 2


def silu(z: Any) -> Any:
    """z sigmoid(z), also called swish."""
    return z / (1 + exp(-z))


def mish(z: Any) -> Any:
    """z tanh(log(1 + e^z))."""
    return z * tanh(log(1 + exp(z)))


def softplus(z: Any) -> Any:
    """log(1 + e^z). (PyTorch takes z itself above 20.)"""
    return log(1 + exp(z))


def softsign(z: Any) -> Any:
    """z/(1 + |z|)."""
    return z / (1 + absolute(z))


def hard_sigmoid(z: Any) -> Any:
    """z/6 + 1/2 clipped to [0, 1]; derivative 0 at -3 and 3."""
    return minimum(1, maximum(0, (z + 3) / 6))


def hard_tanh(z: Any) -> Any:
    """z clipped to [-1, 1]; derivative 0 at -1 and 1."""
    return minimum(1, maximum(-1, z))


def hard_swish(z: Any) -> Any:
    """z hard_sigmoid(z); derivative 0 at -3 and 1 at 3."""
    return z * hard_sigmoid(z)


def gaussian(z: Any) -> Any:
    """e^(-z^2)."""
    return exp(-(z**2))


def softmax(z: Callable[[Any], Any], j: Any) -> Any:
    """e^z_j / sum over k of e^z_k, along the last axis."""
    k = j.fresh()
    return exp(z(j)) / Sum(exp(z(k)), k)


def log_softmax(z: Callable[[Any], Any], j: Any) -> Any:
    """log(e^z_j / sum over k of e^z_k), along the last axis."""
    return log(softmax(z, j))


SELU_SCALE, SELU_ALPHA = 1.0507009873554804934193349852946, 1.6732632423543772848170429916717
ACTIVATIONS: dict[str, Callable[[Any], Any]] = {
    "identity": identity,
    "sigmoid": sigmoid,
    "tanh": tanh,
    "relu": relu,
    "relu6": relu6,
    "leaky_relu": leaky_relu,
    "elu": elu,
    "selu": selu,
    "gelu": gelu,
    "gelu_tanh": gelu_tanh,
    "silu": silu,
    "swish": silu,
    "mish": mish,
    "softplus": softplus,
    "softsign": softsign,
    "hard_sigmoid": hard_sigmoid,
    "hard_tanh": hard_tanh,
    "hard_swish": hard_swish,
    "sin": sin,
    "gaussian": gaussian,
}
ROW_ACTIVATIONS: dict[str, Callable[[Callable[[Any], Any], Any], Any]] = {
    "softmax": softmax,
    "log_softmax": log_softmax,
}
TRAITS: dict[str, tuple[str, ...]] = {"softmax": ("normalized", "unit"), "sigmoid": ("unit",)}


def check_activation(activation: object) -> None:
    """Raise `DeclarationError` unless `activation` is a known name, a function or an expression (or None)."""
    if activation is None or callable(activation):
        return
    if isinstance(activation, str):
        if activation not in ACTIVATIONS and activation not in ROW_ACTIVATIONS:
            known = [*ACTIVATIONS, *ROW_ACTIVATIONS]
            raise DeclarationError(f"unknown activation {activation!r}.{did_you_mean(activation, known)}")
        return
    if not is_expression(activation):
        raise DeclarationError(
            f"an activation is a name, a function of one expression, or a SymPy expression in one symbol; "
            f"got {type(activation).__name__} {activation!r}"
        )


def is_expression(value: object) -> bool:
    """Whether `value` is a SymPy expression, told without importing SymPy."""
    return hasattr(value, "free_symbols") and hasattr(value, "as_base_exp")


def activate(activation: Any, z: Tensor, name: str) -> Equation:
    """The equation `name = activation(z)`, elementwise or along the last axis."""
    from ..language.nodes import Index

    traits = TRAITS.get(activation, ()) if isinstance(activation, str) else ()
    a = Tensor(name, z.dims, traits=frozenset(traits))
    indices = tuple(Index(letter) for letter in _letters(z.dims))
    if isinstance(activation, str) and activation in ROW_ACTIVATIONS:
        lead = indices[:-1]
        return equation(a[indices], ROW_ACTIVATIONS[activation](lambda i: z[(*lead, i)], indices[-1]))
    function = ACTIVATIONS[activation] if isinstance(activation, str) else activation
    return equation(a[indices], apply_function(function, (z[indices],), ("z",), "activation"))


def apply_function(function: Any, entries: tuple[Any, ...], names: tuple[str, ...], what: str) -> Any:
    """A user's function, or SymPy expression in as many symbols, applied to entries."""
    from sympy import Expr, Symbol

    from ..language.nodes import sympify_number

    if isinstance(function, Expr):
        return _apply_expression(function, entries, names, what)
    if isinstance(function, Symbol) or not callable(function):
        raise DeclarationError(f"{what}: a function or an expression was expected; got {function!r}")
    try:
        result = function(*entries)
    except (TypeError, AttributeError, ValueError) as error:
        raise DeclarationError(
            f"{what}: the function failed on a symbolic argument: {error}. Build it from sb.exp, sb.log, sb.where and "
            "arithmetic; NumPy and math functions, and `if` on values, do not work on expressions"
        ) from error
    return sympify_number(result)


def _apply_expression(expr: Any, entries: tuple[Any, ...], names: tuple[str, ...], what: str) -> Any:
    from ..language.indices import substitute

    symbols = sorted(expr.free_symbols, key=lambda s: s.name)
    if len(entries) == 1 and len(symbols) == 1:
        return substitute(expr, {symbols[0]: entries[0]})
    by_name = dict(zip(names, entries, strict=True))
    if {s.name for s in symbols} <= set(names) and symbols and len(names) > 1:
        return substitute(expr, {s: by_name[s.name] for s in symbols})
    want = "one symbol" if len(entries) == 1 else f"the symbols {', '.join(names)}"
    got = ", ".join(s.name for s in symbols) or "none"
    raise DeclarationError(f"{what}: an expression in {want} was expected; {expr} has the symbols: {got}")


def _letters(dims: tuple[Dim, ...]) -> tuple[str, ...]:
    return tuple("njkmpqrs"[: len(dims)])
