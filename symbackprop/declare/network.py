"""A network: layers in a row, a loss, regularizers; its equations are built on first use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ..errors import DeclarationError
from ..language.tensor import BATCH, Tensor
from ..records import Equation, System
from .activations import ACTIVATIONS, ROW_ACTIVATIONS
from .equation import Block, equation
from .layers import Activation, Dense, Input
from .layers.base import Names
from .losses import Loss, as_loss, loss_equations
from .regularizers import L2, Regularizer, check_strength, penalty

if TYPE_CHECKING:
    from sympy import Expr

    from ..records import Derivation
    from ..runtime import Source

RESERVED = ("L", "N", "t", "theta", "g")


class Network:
    """Layers in a row, from an `Input` on.

    `loss` is a name, a function of one entry of (prediction, target) or an expression; `reduction` overrides its
    default. `weight_decay` is the lam of an L2 penalty on the weights; other penalties stand in `regularizers`.
    A function of a tensor that returns `sb.layer(...)` is a layer too.
    """

    def __init__(
        self,
        layers: Sequence[Any],
        loss: Any = None,
        *,
        reduction: str | None = None,
        weight_decay: float = 0.0,
        regularizers: Sequence[Regularizer] = (),
    ) -> None:
        self.layers = tuple(layers)
        self._check_layers()
        if loss is None:
            raise DeclarationError('a network needs a loss, as in loss="mse"')
        self.loss: Loss = as_loss(loss, reduction)
        self._loss_name = loss if isinstance(loss, str) else None
        decay = (L2(weight_decay),) if check_strength(weight_decay, "weight_decay") else ()
        for r in regularizers:
            if not isinstance(r, Regularizer):
                raise DeclarationError(f"a regularizer is sb.L1 or sb.L2; got {type(r).__name__} {r!r}")
            check_strength(r.lam, f"{type(r).__name__}'s lam")
        self.regularizers: tuple[Regularizer, ...] = (*decay, *regularizers)

    def _check_layers(self) -> None:
        if not self.layers or not isinstance(self.layers[0], Input):
            first = repr(self.layers[0]) if self.layers else "nothing"
            raise DeclarationError(f"a network starts with sb.Input(size); it starts with {first}")
        if len(self.layers) == 1:
            raise DeclarationError("a network needs at least one layer after its Input")
        for place, item in enumerate(self.layers[1:], 2):
            if isinstance(item, Input):
                raise DeclarationError(f"layer {place} is an Input; only the first may be one")
            if isinstance(item, type) or not (hasattr(item, "build") or callable(item)):
                raise DeclarationError(
                    f"layer {place} is {item!r}; a layer is sb.Dense(...), sb.Activation(...) or a function of a tensor"
                )

    @property
    def strengths(self) -> dict[str, float]:
        """Run-time values of the penalties' strengths by name: lam, lam1, ..."""
        named: dict[str, float] = {}
        for r in self.regularizers:
            named[_free_name(r.name, named)] = float(r.lam)
        return named

    @cached_property
    def system(self) -> System:
        """The equations; imports SymPy."""
        x: Tensor = self.layers[0].tensor(BATCH)
        names, h = Names(), x
        equations: list[Equation] = []
        for place, item in enumerate(self.layers[1:], 2):
            block = item.build(names, h) if hasattr(item, "build") else item(h)
            if not isinstance(block, Block):
                raise DeclarationError(
                    f"layer {place}, a function of a tensor, must return sb.layer(output, equation, ...); "
                    f"got {type(block).__name__}"
                )
            equations += block.equations
            h = block.output
        if not h.dims or h.dims[0] != BATCH or BATCH in h.dims[1:]:
            raise DeclarationError(
                f"the output {h.name} {h.shape_text} must have the batch axis N first, and nowhere else"
            )
        self._warn_of_two_squashes()
        target = Tensor("y", h.dims, "target", traits=frozenset(self.loss.traits))
        before, data = loss_equations(self.loss, h, target)
        forward = (*equations, *before)
        parameters = _parameters([*(eq.rhs for eq in forward), data])
        total, strengths = self._objective(data, parameters)
        objective = equation(Tensor("L")[()], total)
        system = System(forward, objective, (x,), (target,), (h,), parameters, strengths, self.loss.metric)
        _check_system(system)
        return system

    def _objective(self, data: Expr, parameters: tuple[Tensor, ...]) -> tuple[Expr, tuple[Tensor, ...]]:
        total, strengths = data, []
        for r, name in zip(self.regularizers, self.strengths, strict=True):
            lam, term = penalty(r, parameters, BATCH, name)
            strengths.append(lam)
            total = total if term is None else total + term
        return total, tuple(strengths)

    def _warn_of_two_squashes(self) -> None:
        last = self.layers[-1]
        activation = last.activation if isinstance(last, Dense) else getattr(last, "function", None)
        if self.loss.squash is not None and activation == self.loss.squash:
            raise DeclarationError(
                f"the loss takes logits and applies {activation} itself, but the last layer ends in {activation} too; "
                f"drop that activation, or use the loss that takes probabilities"
            )

    def derive(self, optimizer: Any = None) -> Derivation:
        """The derivation of this network, see `pipeline.derive`."""
        from ..pipeline import derive

        return derive(self, optimizer)

    def emit(self, target: str = "c", optimizer: Any = None, dtype: str = "float32") -> Source:
        """The generated source of this network's training program, see `pipeline.emit`."""
        from ..pipeline import emit

        return emit(self, target, optimizer, dtype)

    @property
    def key(self) -> str:
        """The canonical declaration: equal keys mean equal generated code. Imports SymPy only for user formulas."""
        regularizers = [
            (type(r).__name__, *((f.name, getattr(r, f.name)) for f in fields(r) if f.name != "lam"))
            for r in self.regularizers
        ]
        plain = all(_is_plain(item) for item in self.layers) and self._loss_name is not None
        plain = plain and _is_ours(self.loss.entry) and all(_is_ours(type(r).entry) for r in self.regularizers)
        body = f"{self.layers}|{self._loss_name}|{self.loss.reduction}" if plain else _text(self.system)
        return f"{body}|{regularizers}"

    def __repr__(self) -> str:
        inner = ", ".join(map(repr, self.layers))
        return f"Network([{inner}], loss={self._loss_name or self.loss!r}, regularizers={list(self.regularizers)})"


def _is_plain(item: Any) -> bool:
    """Whether a layer's record says all about it: our own kind, with an activation of our own by name."""
    if type(item) not in (Input, Dense, Activation):
        return False
    activation = getattr(item, "activation", None) or getattr(item, "function", None)
    if activation is None or not isinstance(activation, str):
        return activation is None
    return _is_ours(ACTIVATIONS.get(activation) or ROW_ACTIVATIONS[activation])


def _is_ours(function: Any) -> bool:
    """Whether a formula is the library's own, whose text is part of every key by the package's fingerprint."""
    return str(getattr(function, "__module__", "")).startswith(__name__.partition(".")[0] + ".")


def _free_name(name: str, taken: dict[str, float]) -> str:
    if name not in taken:
        return name
    number = 2
    while f"{name}_{number}" in taken:
        number += 1
    return f"{name}_{number}"


def _parameters(forms: Sequence[Expr]) -> tuple[Tensor, ...]:
    """Parameters in order of first use."""
    found: dict[Tensor, None] = {}
    for form in forms:
        for tensor in tensors_of(form):
            if tensor.kind == "parameter":
                found.setdefault(tensor)
    return tuple(found)


def tensors_of(expr: Expr) -> tuple[Tensor, ...]:
    """The tensors in an expression, sorted by name (weights before biases, W1 before W2)."""
    from ..language.nodes import TensorRef

    return tuple(sorted((ref.tensor for ref in expr.atoms(TensorRef)), key=lambda t: t.name))


def _check_system(system: System) -> None:
    """Every tensor defined once before its use, and no name used twice."""
    known: dict[str, Tensor] = {}

    def claim(tensor: Tensor) -> None:
        if tensor.name in RESERVED and tensor.kind != "hyper" and tensor is not system.objective.lhs:
            raise DeclarationError(f"the name {tensor.name} is reserved ({', '.join(RESERVED)}); choose another")
        if known.setdefault(tensor.name, tensor) is not tensor:
            raise DeclarationError(
                f"the name {tensor.name} is used twice: a {known[tensor.name].kind} {known[tensor.name].shape_text} "
                f"and a {tensor.kind} {tensor.shape_text}; give one of them another name"
            )

    for tensor in (*system.inputs, *system.targets, *system.hypers, *system.parameters):
        claim(tensor)
    for eq in (*system.forward, system.objective):
        for tensor in tensors_of(eq.rhs):
            if known.get(tensor.name) is not tensor:
                claim(tensor)
                raise DeclarationError(f"{tensor.name} {tensor.shape_text} is used before an equation defines it")
        if known.get(eq.lhs.name) is eq.lhs:
            raise DeclarationError(f"{eq.lhs.name} is defined twice")
        claim(eq.lhs)
    if not system.parameters:
        raise DeclarationError(
            "the network has no parameters, so there is nothing to train; add a layer that has some, such as sb.Dense"
        )


def _text(system: System) -> str:
    from sympy import srepr

    from ..language.indices import substitute
    from ..language.nodes import Index

    lines = []
    for eq in (*system.forward, system.objective):
        places = {i: Index(f"p{a}", i.dim, ("place", a)) for a, i in enumerate(eq.indices)}
        dims = ",".join(f"{d.name}={d.size}" for d in eq.lhs.dims)
        known = f"{sorted(eq.lhs.traits)}{eq.lhs.adjoint or ''}"
        lines.append(f"{eq.lhs.name}({dims}){known}={srepr(substitute(eq.rhs, places))}")
    described = [(t.name, t.kind, t.sizes, t.init, sorted(t.traits)) for t in (*system.inputs, *system.targets)]
    described += [(t.name, t.kind, t.sizes, t.init, sorted(t.traits)) for t in system.parameters]
    return f"{lines}|{described}|{[t.name for t in system.outputs]}|{system.metric}"
