"""Losses of whole rows: likelihoods with a variance of their own, angles and distances between embeddings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from ...errors import DeclarationError, ShapeError
from ...language.functions import Sum, exp, log, maximum, sqrt, where
from ...language.tensor import Tensor
from ...records import Equation
from ..equation import equation
from .base import Loss, Terms, check_rows, places, signs
from .pointwise import positive


def _norm(x: Tensor, eps: float, name: str) -> Equation:
    """The length of every row of x, at least eps."""
    *lead, j = places(x)
    total = Sum(x[(*lead, j)] ** 2, j)
    least = float(f"{eps**2:.15g}")  # of 1e-8 1e-16, not 1.0000000000000001e-16, which is what would be printed
    return equation(Tensor(name, x.dims[:-1])[tuple(lead)], sqrt(maximum(least, total) if eps else total))


def _cosines(one: Tensor, two: Tensor, eps: float, tag: str) -> tuple[tuple[Equation, ...], Tensor]:
    """The cosine of the angle between rows of equal number."""
    *lead, j = places(one)
    at = tuple(lead)
    lengths = _norm(one, eps, f"r{tag}"), _norm(two, eps, f"s{tag}")
    inner = Sum(one[(*lead, j)] * two[(*lead, j)], j)
    cosine = Tensor(f"cosine{tag}", one.dims[:-1])
    made = equation(cosine[at], inner / (lengths[0].lhs[at] * lengths[1].lhs[at]))
    return (*lengths, made), cosine


@dataclass(frozen=True, slots=True)
class Cosine(Loss):
    """1 - the cosine of the angle between prediction and target, of one row."""

    def terms(self, predictions: tuple[Tensor, ...], target: Tensor | None, tag: str) -> Terms:
        """One number a row."""
        assert target is not None
        check_rows("the cosine loss", predictions[0])
        before, cosine = _cosines(predictions[0], target, dict(self.options)["eps"], tag)
        at = places(cosine)
        return Terms(before, self.entry(cosine[at]), at)


@dataclass(frozen=True, slots=True)
class CosineEmbedding(Loss):
    """Of two rows and a label: 1 - cosine for alike (1), max(0, cosine - margin) for unlike (-1)."""

    predictions: ClassVar[int] = 2

    def target(self, name: str, predictions: tuple[Tensor, ...]) -> Tensor | None:
        """A label 1 or -1 for every pair of rows."""
        return signs(name, predictions[0].dims[:-1])

    def terms(self, predictions: tuple[Tensor, ...], target: Tensor | None, tag: str) -> Terms:
        """One number a pair."""
        assert target is not None
        check_rows("the cosine embedding loss", *predictions)
        options = dict(self.options)
        before, cosine = _cosines(predictions[0], predictions[1], options["eps"], tag)
        at = places(cosine)
        return Terms(before, self.entry(cosine[at], target[at], options["margin"]), at)


@dataclass(frozen=True, slots=True)
class Gaussian(Loss):
    """(log v + (m - y)^2/v)/2 of a mean m and a variance v, entry by entry."""

    predictions: ClassVar[int] = 2

    def terms(self, predictions: tuple[Tensor, ...], target: Tensor | None, tag: str) -> Terms:
        """One number an entry."""
        assert target is not None
        mean, variance = predictions
        if mean.sizes != variance.sizes:
            raise ShapeError(
                f"gaussian_nll takes a mean and a variance of one shape; got {mean.name} {mean.shape_text} and "
                f"{variance.name} {variance.shape_text}"
            )
        at = places(mean)
        return Terms((), self.entry(mean[at], variance[at], target[at], **dict(self.options)), at)


@dataclass(frozen=True, slots=True)
class Triplet(Loss):
    """max(0, |a - p| - |a - n| + margin) of an anchor's row, one that is alike and one that is not."""

    predictions: ClassVar[int] = 3

    def target(self, name: str, predictions: tuple[Tensor, ...]) -> Tensor | None:
        """None: the three outputs say all."""
        return None

    def terms(self, predictions: tuple[Tensor, ...], target: Tensor | None, tag: str) -> Terms:
        """One number a triple."""
        check_rows("the triplet loss", *predictions)
        anchor, *others = predictions
        options = dict(self.options)
        *lead, j = places(anchor)
        at = tuple(lead)
        distances = []
        for name, other in zip(("near", "far"), others, strict=True):
            total = Sum((anchor[(*lead, j)] - other[(*lead, j)] + options["eps"]) ** 2, j)
            distances.append(equation(Tensor(f"{name}{tag}", anchor.dims[:-1])[at], sqrt(total)))
        near, far = (d.lhs[at] for d in distances)
        return Terms(tuple(distances), self.entry(near, far, options["margin"]), at)


@dataclass(frozen=True, slots=True)
class InfoNCE(Loss):
    """-log of the share of a query's own key among all keys of the batch, by similarity."""

    predictions: ClassVar[int] = 2
    least_rows: ClassVar[int] = 2

    def target(self, name: str, predictions: tuple[Tensor, ...]) -> Tensor | None:
        """None: the key of query n is row n."""
        return None

    def terms(self, predictions: tuple[Tensor, ...], target: Tensor | None, tag: str) -> Terms:
        """One number a query; all keys of the batch take part in it."""
        check_rows("info_nce", *predictions)
        queries, keys = predictions
        if len(queries.dims) != 2:
            raise ShapeError(f"info_nce takes rows (N, d); {queries.name} is {queries.shape_text}")
        options = dict(self.options)
        n, j = places(queries)
        m = n.fresh()
        before: tuple[Equation, ...] = ()
        one, two = queries, keys
        if options["normalize"]:
            made = [_unit(x, name + tag) for x, name in ((queries, "u"), (keys, "v"))]
            before = tuple(eq for pair in made for eq in pair)
            one, two = made[0][-1].lhs, made[1][-1].lhs
        s = Tensor(f"similarity{tag}", (queries.dims[0], queries.dims[0]))
        product = equation(s[n, m], Sum(one[n, j] * two[m, j], j) / options["temperature"])
        return Terms((*before, product), self.entry(lambda k: s[n, k], s[n, n], m), (n,))


def _unit(x: Tensor, name: str) -> tuple[Equation, Equation]:
    """Rows divided by their length."""
    length = _norm(x, 1e-8, f"{name}_length")
    *lead, j = places(x)
    at = (*lead, j)
    return length, equation(Tensor(name, x.dims)[at], x[at] / length.lhs[tuple(lead)])


def cosine_entry(cosine: Any) -> Any:
    """1 - cos."""
    return 1 - cosine


def cosine_embedding_entry(cosine: Any, target: Any, margin: float) -> Any:
    """1 - cos where the target is 1, else max(0, cos - margin)."""
    return where(target > 0, 1 - cosine, maximum(0, cosine - margin))


def gaussian_entry(mean: Any, variance: Any, target: Any, eps: float) -> Any:
    """(log v + (m - y)^2/v)/2."""
    v = maximum(eps, variance) if eps else variance
    return (log(v) + (mean - target) ** 2 / v) / 2


def triplet_entry(near: Any, far: Any, margin: float) -> Any:
    """max(0, near - far + margin)."""
    return maximum(0, near - far + margin)


def info_nce_entry(similarity: Any, own: Any, m: Any) -> Any:
    """-log(e^s of the own key / sum of e^s over all keys)."""
    return -log(exp(own) / Sum(exp(similarity(m)), m))


def cosine(eps: float = 1e-8, reduction: str = "mean") -> Cosine:
    """1 - p.y/(|p| |y|) along the last axis, as PyTorch's CosineSimilarity; a length below `eps` counts as eps."""
    return Cosine(cosine_entry, reduction, options=(("eps", positive(eps, "cosine's eps", zero=True)),))


def cosine_embedding(margin: float = 0.0, eps: float = 1e-8, reduction: str = "mean") -> CosineEmbedding:
    """Two outputs and labels 1 (alike), -1 (unlike); PyTorch's CosineEmbeddingLoss, whose eps is added to squares."""
    if not -1 <= margin <= 1:
        raise DeclarationError(f"cosine_embedding's margin must be in [-1, 1]; got {margin!r}")
    options = (("margin", float(margin)), ("eps", positive(eps, "cosine_embedding's eps", zero=True)))
    return CosineEmbedding(cosine_embedding_entry, reduction, options=options)


def gaussian_nll(eps: float = 1e-6, reduction: str = "mean") -> Gaussian:
    """Two outputs, mean and variance; PyTorch's GaussianNLLLoss with full=False.

    A variance below `eps` counts as eps and has gradient 0 there (PyTorch hands the gradient on).
    """
    return Gaussian(gaussian_entry, reduction, options=(("eps", positive(eps, "gaussian_nll's eps", zero=True)),))


def triplet(margin: float = 1.0, eps: float = 1e-6, reduction: str = "mean") -> Triplet:
    """Three outputs, anchor, positive, negative, and no target; PyTorch's TripletMarginLoss with p=2.

    `eps` is added to every difference of coordinates, as there.
    """
    options = (("margin", positive(margin, "triplet's margin", zero=True)), ("eps", positive(eps, "eps", zero=True)))
    return Triplet(triplet_entry, reduction, options=options)


def info_nce(temperature: float = 0.1, normalize: bool = True, reduction: str = "mean") -> InfoNCE:
    """Two outputs, queries and keys, and no target: the keys of other rows of the batch are the negatives.

    `normalize` divides rows by their length first, so that similarities are cosines over the temperature.
    """
    options = (("temperature", positive(temperature, "info_nce's temperature")), ("normalize", bool(normalize)))
    return InfoNCE(info_nce_entry, reduction, options=options)
