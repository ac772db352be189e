"""Normalizations: over the batch, a sample's axes, or groups of channels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ...errors import DeclarationError, ShapeError
from ...language.functions import Sum, sqrt
from ...language.tensor import Dim, Tensor
from ...records import Equation
from .. import initializers
from ..equation import Block, equation
from .base import Layer, Names
from .checks import check_form, positive, take, whole
from .shape import reshaped

LETTERS = "njkmpqrs"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Norm(Layer):
    """A normalization: `eps` stands inside the root; `affine` adds a trained scale gamma and shift beta."""

    eps: float = 1e-5
    affine: bool = True
    trainable: bool = True

    def __post_init__(self) -> None:
        positive(self.eps, f"{type(self).__name__}'s eps")

    def scaled(
        self, names: Names, xhat: Tensor, axes: Sequence[int], number: int, shift: bool = True
    ) -> list[Equation]:
        """h = gamma*xhat + beta, both along `axes` of xhat; nothing without `affine`."""
        if not self.affine:
            return []
        i = _indices(xhat)
        dims, along = [xhat.dims[a] for a in axes], tuple(i[a] for a in axes)
        total = names.parameter(self, "gamma", dims, initializers.constant(1))[along] * xhat[i]
        if shift:
            total = total + names.parameter(self, "beta", dims, initializers.constant(0))[along]
        return [equation(Tensor(f"h{number}", xhat.dims)[i], total)]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class BatchNorm(Norm):
    """mu and var over the batch and all axes but the channels', xhat = (x - mu)/sqrt(var + eps), h = gamma xhat + beta.

    PyTorch's definition: var is the biased variance. At inference mu and var are running statistics, kept as states:
    running = (1 - momentum)*running + momentum*batch after every step, of the unbiased variance. It stands before the
    activation, or after it, as the lectures have it: `[sb.Dense(64, "relu"), sb.layers.BatchNorm1d()]`.
    """

    momentum: float = 0.1

    def __post_init__(self) -> None:
        Norm.__post_init__(self)
        if not 0 < positive(self.momentum, "momentum") <= 1:
            raise DeclarationError(f"momentum is the weight of the new batch, 0 < momentum <= 1; got {self.momentum!r}")

    def normalize(self, names: Names, x: Tensor) -> Block:
        """The equations of mu, var, s, xhat and h, in both modes, and those of the running statistics."""
        number, channels = names.layer(), x.dims[1]
        mu, var, *rest = standardized(x, (1,), number, self.eps)
        scaled = self.scaled(names, rest[-1].lhs, (1,), number)
        old_mu = names.state(self, "running_mean", (channels,), initializers.constant(0))
        old_var = names.state(self, "running_var", (channels,), initializers.constant(1))
        j = _indices(x)[1]
        count, m = _count([x.dims[0], *x.dims[2:]]), self.momentum
        updates = (
            equation(old_mu[j], (1 - m) * old_mu[j] + m * mu.lhs[j]),
            equation(old_var[j], (1 - m) * old_var[j] + m * var.lhs[j] * count / (count - 1)),
        )
        inference = (equation(mu.lhs[j], old_mu[j]), equation(var.lhs[j], old_var[j]))
        equations = (mu, var, *rest, *scaled)
        alone = all(d.size == 1 for d in x.dims[2:])
        return Block(equations[-1].lhs, equations, inference, updates, least_rows=2 if alone else 1)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class BatchNorm1d(BatchNorm):
    """Batch normalization of (N, features), or of (N, channels, length) over batch and length; see `BatchNorm`."""

    def build(self, names: Names, *inputs: Tensor) -> Block:
        """The equations."""
        return self.normalize(names, take(self, inputs, "(N, features)", "(N, channels, length)"))


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class BatchNorm2d(BatchNorm):
    """Batch normalization of (N, channels, height, width) over all axes but the channels'; see `BatchNorm`."""

    def build(self, names: Names, *inputs: Tensor) -> Block:
        """The equations."""
        return self.normalize(names, take(self, inputs, "(N, channels, height, width)"))


@dataclass(frozen=True, slots=True, repr=False)
class LayerNorm(Norm):
    """mu, var of each sample over `axes` (default: the last), xhat = (x - mu)/sqrt(var + eps), h = gamma xhat + beta.

    `axes` count the batch as axis 0, which is not among them; gamma and beta have the shape of these axes. PyTorch's
    `normalized_shape` are the last axes.
    """

    axes: int | tuple[int, ...] = -1

    def build(self, names: Names, *inputs: Tensor) -> Block:
        """The equations of mu, var, s, xhat and h."""
        x = take(self, inputs, "(N, ...)")
        axes, number = _axes(self, x, self.axes), names.layer()
        kept = tuple(a for a in range(len(x.dims)) if a not in axes)
        equations = list(standardized(x, kept, number, self.eps))
        equations += self.scaled(names, equations[-1].lhs, axes, number)
        return Block(equations[-1].lhs, tuple(equations))


@dataclass(frozen=True, slots=True, repr=False)
class RMSNorm(Norm):
    """s = sqrt(mean of x^2 over `axes` + eps), xhat = x/s, h = gamma xhat; axes as `LayerNorm`'s.

    PyTorch's eps is by default the machine's (1.2e-7 in float32); here it is 1e-5 in both precisions.
    """

    axes: int | tuple[int, ...] = -1

    def build(self, names: Names, *inputs: Tensor) -> Block:
        """The equations of s, xhat and h."""
        x = take(self, inputs, "(N, ...)")
        axes, number, i = _axes(self, x, self.axes), names.layer(), _indices(x)
        over = tuple(i[a] for a in axes)
        rest = tuple(k for k in i if k not in over)
        s = Tensor(f"s{number}", tuple(d for a, d in enumerate(x.dims) if a not in axes))
        xhat = Tensor(f"xhat{number}", x.dims)
        equations = [
            equation(s[rest], sqrt(Sum(x[i] ** 2, *over) / _count([x.dims[a] for a in axes]) + self.eps)),
            equation(xhat[i], x[i] / s[rest]),
        ]
        equations += self.scaled(names, xhat, axes, number, shift=False)
        return Block(equations[-1].lhs, tuple(equations))


@dataclass(frozen=True, slots=True, repr=False)
class GroupNorm(Norm):
    """The channels of (N, channels, ...) in `groups` of equal size, each normalized by itself in each sample.

    mu and var are over a group's channels and all further axes; gamma and beta are per channel. One group is layer
    normalization over all axes, as many groups as channels is instance normalization.
    """

    groups: int

    def __post_init__(self) -> None:
        Norm.__post_init__(self)
        whole(self.groups, "groups")

    def build(self, names: Names, *inputs: Tensor) -> Block:
        """The equations of the channels in groups, of mu, var, s, xhat, and of h with the channels in a row."""
        x = take(self, inputs, "(N, channels, ...)")
        channels = x.dims[1]
        assert channels.size is not None
        if channels.size % self.groups:
            raise ShapeError(
                f"{self!r}: {channels.size} channels of {x.name} {x.shape_text} are not divisible by {self.groups}"
            )
        number = names.layer()
        split = Dim(f"g{number}", self.groups), Dim(f"m{number}", channels.size // self.groups)
        grouped = reshaped(x, (x.dims[0], *split, *x.dims[2:]), f"x{number}g")
        normal = standardized(grouped.lhs, (0, 1), number, self.eps, f"xhat{number}g")
        together = reshaped(normal[-1].lhs, x.dims, f"xhat{number}")
        equations = [grouped, *normal, together]
        equations += self.scaled(names, together.lhs, (1,), number)
        return Block(equations[-1].lhs, tuple(equations))


def standardized(
    x: Tensor, kept: Sequence[int], number: int, eps: float, name: str = ""
) -> tuple[Equation, Equation, Equation, Equation]:
    """The equations of mu and var over all axes but `kept`, s = sqrt(var + eps) and xhat = (x - mu)/s."""
    i = _indices(x)
    rest = tuple(i[a] for a in kept)
    over = tuple(k for k in i if k not in rest)
    dims = tuple(x.dims[a] for a in kept)
    mu, var, s = (Tensor(f"{stem}{number}", dims) for stem in ("mu", "var", "s"))
    xhat = Tensor(name or f"xhat{number}", x.dims)
    count = _count([d for a, d in enumerate(x.dims) if a not in kept])
    return (
        equation(mu[rest], Sum(x[i], *over) / count),
        equation(var[rest], Sum((x[i] - mu[rest]) ** 2, *over) / count),
        equation(s[rest], sqrt(var[rest] + eps)),
        equation(xhat[i], (x[i] - mu[rest]) / s[rest]),
    )


def _indices(x: Tensor) -> tuple[Any, ...]:
    from ...language.nodes import Index

    return tuple(Index(letter) for letter in LETTERS[: len(x.dims)])


def _count(dims: Sequence[Dim]) -> Any:
    from sympy import Integer

    from ...language.nodes import Size

    total: Any = Integer(1)
    for dim in dims:
        total = total * Size(dim)
    return total


def _axes(layer: Any, x: Tensor, axes: Any) -> tuple[int, ...]:
    """The axes counted from 0, in order."""
    check_form(layer, x, "(N, ...)")
    given = [whole(a, "an axis", -len(x.dims)) for a in (axes if isinstance(axes, (tuple, list)) else (axes,))]
    found = tuple(sorted({whole(a + len(x.dims) if a < 0 else a, "an axis") for a in given}))
    if len(found) < len(given) or not found or found[-1] >= len(x.dims):
        raise ShapeError(f"{layer!r}: axes are different ones of 1 to {len(x.dims) - 1} for {x.name} {x.shape_text}")
    return found
