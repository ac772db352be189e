"""Random equations as plain data, evaluated by broadcasting in JAX and declared to symbackprop.

An expression is a tree of the records below. Its reference value is an array with one axis for every index of the
equation, of length 1 where the expression does not depend on that index: SymPy has no part in it.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import symbackprop as sb
from tests.calculus import reference_jax as ref

jnp, jax = ref.jnp, ref.jax
Array = Any


@dataclass(frozen=True)
class Number:
    """A constant."""

    value: int | float


@dataclass(frozen=True)
class Entry:
    """An entry of a tensor; an index is a letter or a whole number."""

    tensor: str
    indices: tuple[str | int, ...]


@dataclass(frozen=True)
class Add:
    """A sum of terms."""

    terms: tuple[Tree, ...]


@dataclass(frozen=True)
class Mul:
    """A product of factors."""

    factors: tuple[Tree, ...]


@dataclass(frozen=True)
class Div:
    """A quotient."""

    top: Tree
    bottom: Tree


@dataclass(frozen=True)
class Call:
    """An elementwise function of `FUNCTIONS`."""

    function: str
    argument: Tree


@dataclass(frozen=True)
class Total:
    """The sum over one index, which hides an index of the same letter outside."""

    body: Tree
    over: str


Tree = Number | Entry | Add | Mul | Div | Call | Total


@dataclass(frozen=True)
class Equation:
    """lhs[indices] = rhs; `axes` names the dimension of every letter used in it."""

    lhs: str
    indices: tuple[str, ...]
    rhs: Tree
    axes: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class System:
    """Equations in order of computation from `x` on; the last one gives the output.

    `sizes` are the dimensions' sizes (None: the samples), `tensors` the dimensions of input, parameters and results.
    """

    equations: tuple[Equation, ...]
    sizes: tuple[tuple[str, int | None], ...]
    tensors: tuple[tuple[str, tuple[str, ...]], ...]
    parameters: tuple[str, ...]


KINKS = {"absolute": 0.0, "ramp": 0.0, "jump": 0.25}
"""Arguments at which a function has no derivative."""

_FORMULAS: dict[str, tuple[Callable[[Any], Any], Callable[[Array], Array]]] = {
    "tanh": (sb.tanh, jnp.tanh),
    "sin": (sb.sin, jnp.sin),
    "cos": (sb.cos, jnp.cos),
    "erf": (sb.erf, jax.scipy.special.erf),
    "square": (lambda u: u**2, lambda u: u * u),
    "cube": (lambda u: u**3, lambda u: u * u * u),
    "exp_of_minus_square": (lambda u: sb.exp(-(u**2)), lambda u: jnp.exp(-u * u)),
    "exp_of_tanh": (lambda u: sb.exp(sb.tanh(u)), lambda u: jnp.exp(jnp.tanh(u))),
    "softplus": (lambda u: sb.log(1 + sb.exp(u)), lambda u: jnp.logaddexp(0.0, u)),
    "sigmoid": (lambda u: 1 / (1 + sb.exp(-u)), lambda u: (1 + jnp.tanh(u / 2)) / 2),
    "log_of_square": (lambda u: sb.log(2 + u**2), lambda u: jnp.log(2 + u * u)),
    "root": (lambda u: sb.sqrt(1 + u**2), lambda u: jnp.sqrt(1 + u * u)),
    "absolute": (sb.absolute, jnp.abs),
    "ramp": (lambda u: sb.maximum(0, u), lambda u: jnp.where(u > 0, u, 0.0)),
    "jump": (lambda u: sb.where(u > KINKS["jump"], u**2, -u), lambda u: jnp.where(u > KINKS["jump"], u * u, -u)),
    "hump": (lambda u: u**2 + sb.exp(-(u**2)) + 0.5, lambda u: u * u + jnp.exp(-u * u) + 0.5),
}
FUNCTIONS = tuple(_FORMULAS)
AWAY_FROM_ZERO = ("root", "hump", "exp_of_tanh")
"""Functions that can stand in a denominator."""


@dataclass
class Values:
    """The values of trees, each with one axis for every letter of its equation; `margin`: the way to the next kink."""

    tensors: dict[str, Array]
    letters: tuple[str, ...] = ()
    sizes: Mapping[str, int] = field(default_factory=dict)
    margin: Array = jnp.inf

    def of(self, tree: Tree) -> Array:
        """The value of a tree."""
        match tree:
            case Number(value):
                return jnp.full((1,) * len(self.letters), float(value))
            case Entry(name, indices):
                return _entry(self.tensors[name], indices, self.letters)
            case Add(terms):
                return sum(map(self.of, terms))
            case Mul(factors):
                return functools.reduce(operator.mul, map(self.of, factors))
            case Div(top, bottom):
                return self.of(top) / self.of(bottom)
            case Call(function, argument):
                return self._call(function, self.of(argument))
            case Total(body, over):
                values, axis = self.of(body), self.letters.index(over)
                return values.sum(axis, keepdims=True) if values.shape[axis] > 1 else values * self.sizes[over]
        raise AssertionError(tree)

    def _call(self, function: str, argument: Array) -> Array:
        if function in KINKS:
            self.margin = jnp.minimum(self.margin, jnp.abs(argument - KINKS[function]).min())
        return _FORMULAS[function][1](argument)


def _entry(tensor: Array, indices: tuple[str | int, ...], letters: tuple[str, ...]) -> Array:
    """A tensor with its axes where its indices stand: constants picked out, equal indices along the diagonal."""
    for axis in reversed(range(len(indices))):
        if isinstance(indices[axis], int):
            tensor = jnp.take(tensor, indices[axis], axis=axis)
    named = [i for i in indices if isinstance(i, str)]
    plain = sorted(set(named), key=letters.index)
    spelling = {letter: "abcdefgh"[place] for place, letter in enumerate(plain)}
    subscripts = "".join(spelling[i] for i in named) + "->" + "".join(spelling[i] for i in plain)
    diagonal = jnp.einsum(subscripts, tensor)
    return diagonal.reshape([diagonal.shape[plain.index(x)] if x in plain else 1 for x in letters])


def forward(system: System, tensors: Mapping[str, Array]) -> tuple[Array, Array]:
    """The output, from input and parameters by name, and the distance to the next kink."""
    lengths = {name: size for name, size in system.sizes if size is not None}
    lengths |= {name: tensors["x"].shape[axis] for axis, name in enumerate(dict(system.tensors)["x"])}
    values = Values(dict(tensors))
    for eq in system.equations:
        axes, free = dict(eq.axes), len(eq.indices)
        values.letters = eq.indices + tuple(x for x in axes if x not in eq.indices)
        values.sizes = {letter: lengths[dim] for letter, dim in axes.items()}
        made = values.of(eq.rhs)
        assert all(size == 1 for size in made.shape[free:]), "an index that nothing binds"
        shape = [values.sizes[i] for i in eq.indices]
        values.tensors[eq.lhs] = jnp.broadcast_to(made.reshape(made.shape[:free]), shape)
    return values.tensors[system.equations[-1].lhs], values.margin


def layer(system: System, x: sb.Tensor) -> sb.Block:
    """The same equations in symbackprop's words, on the input tensor `x`."""
    dims: dict[str, Any] = {name: sb.Dim(name, size) for name, size in system.sizes if size is not None}
    shapes = dict(system.tensors)
    dims |= {name: x.dim(axis) for axis, name in enumerate(shapes["x"])}
    tensors: dict[str, Any] = {"x": x}
    for name in system.parameters:
        tensors[name] = sb.parameter(name, [dims[d] for d in shapes[name]])
    equations = []
    for eq in system.equations:
        letters = {letter: sb.indices(letter) for letter, _ in eq.axes}
        tensors[eq.lhs] = sb.tensor(eq.lhs, [dims[d] for d in shapes[eq.lhs]])
        lhs = tensors[eq.lhs][tuple(letters[i] for i in eq.indices)]
        equations.append(sb.equation(lhs, _declare(eq.rhs, tensors, letters)))
    return sb.layer(tensors[system.equations[-1].lhs], *equations)


def _declare(tree: Tree, tensors: Mapping[str, Any], letters: Mapping[str, Any]) -> Any:
    def inner(t: Tree) -> Any:
        return _declare(t, tensors, letters)

    match tree:
        case Number(value):
            return value
        case Entry(name, indices):
            return tensors[name][tuple(letters[i] if isinstance(i, str) else i for i in indices)]
        case Add(terms):
            return sum(inner(t) for t in terms)
        case Mul(factors):
            return functools.reduce(operator.mul, map(inner, factors))
        case Div(top, bottom):
            return inner(top) / inner(bottom)
        case Call(function, argument):
            return _FORMULAS[function][0](inner(argument))
        case Total(body, over):
            return sb.Sum(inner(body), letters[over])
    raise AssertionError(tree)


def text(tree: Tree) -> str:
    """The tree as people write it, for messages."""
    match tree:
        case Number(value):
            return str(value)
        case Entry(name, indices):
            return f"{name}[{', '.join(map(str, indices))}]"
        case Add(terms):
            return f"({' + '.join(map(text, terms))})"
        case Mul(factors):
            return "*".join(map(text, factors))
        case Div(top, bottom):
            return f"({text(top)})/({text(bottom)})"
        case Call(function, argument):
            return f"{function}({text(argument)})"
        case Total(body, over):
            return f"Sum({text(body)}, {over})"
    raise AssertionError(tree)
