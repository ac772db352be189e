"""What a loss is: a formula of predictions and target, and how the losses of a batch become one number.

A loss of one entry each is a function `entry(prediction, target)` in a `Loss`; a loss of whole rows is a class of
its own whose `terms` writes the loss of one sample. All take sample weights and every reduction.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar

from ...errors import DeclarationError, ShapeError
from ...language.functions import Sum
from ...language.tensor import BATCH, Dim, Tensor
from ...records import Equation
from ..activations import ACTIVATIONS, ROW_ACTIVATIONS, activate, apply_function
from ..equation import equation

if TYPE_CHECKING:
    from sympy import Expr

    from ...language.nodes import Index

REDUCTIONS = ("mean", "batch_mean", "sum", "none")
LETTERS = "njkmpq"


@dataclass(frozen=True, slots=True)
class LossParts:
    """Equations to compute first, the data part of the objective, and the losses before it with `reduction="none"`."""

    equations: tuple[Equation, ...]
    objective: Expr
    unreduced: Tensor | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """The losses of a batch: `Sum(body, inner)` for all values of `outer`, whose first index is the sample.

    `divisor` is what "mean" and "batch_mean" divide by, where it is not a number of entries or of samples.
    """

    equations: tuple[Equation, ...]
    body: Expr
    outer: tuple[Index, ...]
    inner: tuple[Index, ...] = ()
    divisor: Expr | None = None


@dataclass(frozen=True, slots=True)
class Loss:
    """`entry(prediction, target)` summed over all entries and divided as `reduction` says.

    `mean` divides by all entries, `batch_mean` by the samples, `sum` by nothing; with `none` the objective is the
    sum and the losses have a name of their own, `losses`. `squash` names an activation that turns the prediction
    (logits) into what the formula takes. `traits` are the target's ("unit", "normalized"); `metric` is "argmax",
    "threshold:T" or None; `options` are named numbers of the formula.
    """

    entry: Any
    reduction: str = "mean"
    squash: str | None = None
    traits: tuple[str, ...] = ()
    metric: str | None = None
    options: tuple[tuple[str, Any], ...] = ()

    predictions: ClassVar[int] = 1
    least_rows: ClassVar[int] = 1

    @property
    def key(self) -> str | None:
        """Text that is equal for equal losses; None where a user's own formula is part of it. Needs no SymPy."""
        squash = ACTIVATIONS.get(self.squash or "") or ROW_ACTIVATIONS.get(self.squash or "")
        if not _is_ours(self.entry) or not _is_ours(type(self)) or not (squash is None or _is_ours(squash)):
            return None
        values = [(f.name, getattr(self, f.name)) for f in fields(self) if f.name != "entry"]
        return f"{type(self).__name__}:{self.entry.__module__}.{self.entry.__qualname__}:{values}"

    def target(self, name: str, predictions: tuple[Tensor, ...]) -> Tensor | None:
        """The target tensor, of the prediction's shape; None for a loss without a target."""
        return Tensor(name, predictions[0].dims, "target", traits=frozenset(self.traits))

    def build(
        self, predictions: tuple[Tensor, ...], target: Tensor | None, weight: Tensor | None = None, tag: str = ""
    ) -> LossParts:
        """The equations and the objective. `weight` (N,) multiplies each sample's loss; `tag` ends every name.

        Raises `ShapeError` where the predictions do not fit the loss.
        """
        if len(predictions) != self.predictions:
            raise DeclarationError(
                f"this loss takes {self.predictions} output(s) of the network; got {len(predictions)}: "
                f"{', '.join(p.name for p in predictions)}"
            )
        return _reduced(self, self.terms(predictions, target, tag), weight, tag)

    def terms(self, predictions: tuple[Tensor, ...], target: Tensor | None, tag: str) -> Terms:
        """The loss of every entry."""
        assert target is not None
        before, prediction = squashed(self.squash, predictions[0], tag)
        at = places(prediction)
        entry = self.formula(prediction[at], target[at])
        check_depends(entry, prediction)
        return Terms(before, entry, at)

    def formula(self, prediction: Any, target: Any) -> Any:
        """The loss of one entry."""
        options = dict(self.options)
        function: Callable[..., Any] = (lambda p, t: self.entry(p, t, **options)) if options else self.entry
        return apply_function(function, (prediction, target), ("prediction", "target"), "loss")


def signs(name: str, dims: tuple[Dim, ...]) -> Tensor:
    """A target whose entries are -1 or 1, which the data are checked for."""
    return Tensor(name, dims, "target", traits=frozenset({"sign"}))


@dataclass(frozen=True, slots=True)
class SignLoss(Loss):
    """A loss of entries whose target is -1 or 1."""

    def target(self, name: str, predictions: tuple[Tensor, ...]) -> Tensor | None:
        """The target tensor, of the prediction's shape."""
        return signs(name, predictions[0].dims)


def places(tensor: Tensor) -> tuple[Index, ...]:
    """A fresh index for every axis of a tensor."""
    from ...language.nodes import Index

    return tuple(Index(c, d) for c, d in zip(LETTERS, tensor.dims, strict=False))


def squashed(activation: str | None, z: Tensor, tag: str) -> tuple[tuple[Equation, ...], Tensor]:
    """The equation of p = activation(z) (logp, if that is its logarithm) and its left side; z itself without one."""
    if activation is None:
        return (), z
    made = activate(activation, z, ("logp" if activation.startswith("log_") else "p") + tag)
    return (made,), made.lhs


def check_depends(entry: Expr, prediction: Tensor) -> None:
    """Raise `DeclarationError` where a formula leaves out the prediction."""
    from ...language.nodes import Entry

    if not any(e.tensor is prediction for e in entry.atoms(Entry)):
        raise DeclarationError(f"the loss {entry} does not depend on the prediction, so there is nothing to learn from")


def check_rows(what: str, *tensors: Tensor) -> None:
    """Raise `ShapeError` unless all tensors have one shape (N, ..., d)."""
    first = tensors[0]
    for t in tensors:
        if len(t.dims) < 2 or t.sizes != first.sizes:
            shapes = ", ".join(f"{o.name} {o.shape_text}" for o in tensors)
            raise ShapeError(f"{what} takes rows of one length, (N, ..., d) each; got {shapes}")


def sample_weights(name: str = "w") -> Tensor:
    """The tensor of the samples' weights, (N,), which the data give beside the targets."""
    return Tensor(name, (BATCH,), "target", traits=frozenset({"sample_weight"}))


def _is_ours(item: Any) -> bool:
    """Whether a formula is the library's own, whose text is part of every key by the package's fingerprint."""
    ours = __name__.partition(".")[0] + "."
    return str(getattr(item, "__module__", "")).startswith(ours) and "<lambda>" not in str(item.__qualname__)


def _reduced(loss: Loss, terms: Terms, weight: Tensor | None, tag: str) -> LossParts:
    """Every sample's loss times its weight, summed over the batch and divided as the reduction says."""
    from ...language.nodes import Size

    body = terms.body if weight is None else weight[terms.outer[0]] * terms.body
    if loss.reduction == "none":
        losses = Tensor(f"losses{tag}", tuple(_dim(i) for i in terms.outer))
        made = equation(losses[terms.outer], Sum(body, *terms.inner) if terms.inner else body)
        return LossParts((*terms.equations, made), Sum(losses[terms.outer], *terms.outer), losses)
    total = Sum(body, *terms.outer, *terms.inner)
    if loss.reduction == "sum":
        return LossParts(terms.equations, total)
    if terms.divisor is not None:
        return LossParts(terms.equations, total / terms.divisor)
    divisor: Any = 1
    for index in (*terms.outer, *terms.inner) if loss.reduction == "mean" else terms.outer[:1]:
        divisor = divisor * Size(_dim(index))
    return LossParts(terms.equations, total / divisor)


def _dim(index: Index) -> Any:
    assert index.dim is not None, index
    return index.dim
