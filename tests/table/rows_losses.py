"""One row a loss, and more where its numbers choose another formula."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np

import symbackprop as sb
from symbackprop.declare import losses
from tests.table.harness import Array, GradientRow

ROWS_OF_DATA, INPUTS, WIDTH = 5, 3, 4
Entries = Callable[..., Array]


def _sigmoid(z: Array) -> Array:
    return 1 / (1 + jnp.exp(-z))


def _softmax(z: Array) -> Array:
    e = jnp.exp(z)
    return e / e.sum(-1, keepdims=True)


def _log_softmax(z: Array) -> Array:
    return jnp.log(_softmax(z))


def _bce(p: Array, y: Array) -> Array:
    return -(y * jnp.log(p) + (1 - y) * jnp.log(1 - p))


def _huber(p: Array, y: Array, delta: float = 1.0) -> Array:
    d = jnp.abs(p - y)
    return jnp.where(d < delta, d**2 / 2, delta * (d - delta / 2))


def _smooth_l1(p: Array, y: Array, beta: float = 1.0) -> Array:
    d = jnp.abs(p - y)
    return jnp.where(d < beta, d**2 / 2 / beta, d - beta / 2)


def _multi_hinge(z: Array, y: Array, margin: float = 1.0) -> Array:
    label = y.argmax(-1)
    right = jnp.take_along_axis(z, label[:, None], 1)
    wrong = jnp.arange(z.shape[1])[None] != label[:, None]
    return jnp.where(wrong, jnp.maximum(0, margin - right + z), 0) / z.shape[1]


def _binary_focal(z: Array, y: Array, gamma: float = 2.0, alpha: float = 0.25) -> Array:
    p = _sigmoid(z)
    right = p * y + (1 - p) * (1 - y)
    return (alpha * y + (1 - alpha) * (1 - y)) * _bce(p, y) * (1 - right) ** gamma


def _cosine(a: Array, b: Array) -> Array:
    norm = lambda v: jnp.sqrt((v**2).sum(-1))  # noqa: E731
    return (a * b).sum(-1) / (norm(a) * norm(b))


def _cosine_embedding(a: Array, b: Array, y: Array, margin: float = 0.0) -> Array:
    return jnp.where(y == 1, 1 - _cosine(a, b), jnp.maximum(0, _cosine(a, b) - margin))


def _gaussian(mean: Array, variance: Array, y: Array) -> Array:
    return (jnp.log(variance) + (y - mean) ** 2 / variance) / 2


def _triplet(a: Array, p: Array, n: Array, margin: float = 1.0) -> Array:
    distance = lambda u, v: jnp.linalg.norm(u - v + 1e-6, axis=-1)  # noqa: E731
    return jnp.maximum(distance(a, p) - distance(a, n) + margin, 0)


def _info_nce(q: Array, k: Array, temperature: float = 0.1, normalize: bool = True) -> Array:
    if normalize:
        q, k = (v / jnp.linalg.norm(v, axis=-1, keepdims=True) for v in (q, k))
    s = q @ k.T / temperature
    top = s.max(1, keepdims=True)
    return jnp.log(jnp.exp(s - top).sum(1)) + top[:, 0] - jnp.diagonal(s)


def _weighted_classes(z: Array, y: Array) -> Array:
    """PyTorch's definition for integer labels: the mean is weighted by the labels' weights."""
    c = jnp.array(CLASS_WEIGHTS)
    return -(c * y * _log_softmax(z)) / (c * y).sum() * len(y)


def _smoothed(z: Array, y: Array, s: float = 0.1) -> Array:
    return -((1 - s) * y + s / z.shape[1]) * _log_softmax(z)


def _ignoring(z: Array, y: Array) -> Array:
    kept = y.sum(-1, keepdims=True)
    return -(y * _log_softmax(z)) / kept.sum() * len(y)


def _all_options(z: Array, y: Array, s: float = 0.1) -> Array:
    """PyTorch: (1 - s) nll + s/K sum over the classes of weighted log-probabilities, over the weights of the labels."""
    c, logp = jnp.array(CLASS_WEIGHTS), _log_softmax(z)
    kept = y.sum(-1, keepdims=True)
    smooth = -(c * logp * kept) * s / z.shape[1]
    return ((1 - s) * -(c * y * logp) + smooth) / (c * y).sum() * len(y)


CLASS_WEIGHTS = (0.5, 2.0, 1.0, 3.0)


@dataclass(frozen=True)
class Case:
    """A loss as declared, its unreduced entries (N, ...) in JAX, the activation before it, and its targets' kind."""

    block: str
    entries: Entries
    variant: str = ""
    declared: Any = None
    activation: str | None = None
    targets: str = "real"
    note: str = ""
    scaled: bool = False

    @property
    def loss(self) -> Any:
        """What a network takes."""
        return self.block if self.declared is None else self.declared


CASES = [
    Case("mse", lambda p, y: (p - y) ** 2),
    Case("half_mse", lambda p, y: (p - y) ** 2 / 2, note="PyTorch has no half"),
    Case("mae", lambda p, y: jnp.abs(p - y)),
    Case("huber", _huber),
    Case("huber", lambda p, y: _huber(p, y, 0.3), "delta=0.3", losses.huber(0.3)),
    Case("smooth_l1", _smooth_l1),
    Case("smooth_l1", lambda p, y: _smooth_l1(p, y, 0.3), "beta=0.3", losses.smooth_l1(beta=0.3)),
    Case("log_cosh", lambda p, y: jnp.log(jnp.cosh(p - y)), note="not in PyTorch"),
    Case(
        "cross_entropy",
        lambda p, y: -y * jnp.log(p),
        activation="softmax",
        targets="class",
        note="of probabilities; PyTorch takes scores",
    ),
    Case(
        "softmax_cross_entropy", lambda z, y: -y * _log_softmax(z), targets="class", note="divided by N, see reduction"
    ),
    Case("softmax_cross_entropy", lambda z, y: -y * _log_softmax(z), "soft labels", targets="rows"),
    Case(
        "softmax_cross_entropy",
        _weighted_classes,
        "class_weights",
        losses.softmax_cross_entropy(class_weights=CLASS_WEIGHTS),
        targets="class",
        scaled=True,
    ),
    Case(
        "softmax_cross_entropy",
        _smoothed,
        "label_smoothing=0.1",
        losses.softmax_cross_entropy(label_smoothing=0.1),
        targets="class",
    ),
    Case(
        "softmax_cross_entropy",
        _ignoring,
        "ignore_index",
        losses.softmax_cross_entropy(ignore_index=-100),
        targets="ignored",
        scaled=True,
    ),
    Case(
        "softmax_cross_entropy",
        _all_options,
        "class_weights, label_smoothing, ignore_index",
        losses.softmax_cross_entropy(CLASS_WEIGHTS, 0.1, -100),
        targets="ignored",
        scaled=True,
    ),
    Case("binary_cross_entropy", _bce, activation="sigmoid", targets="unit", note="PyTorch cuts logarithms at -100"),
    Case("sigmoid_cross_entropy", lambda z, y: _bce(_sigmoid(z), y), targets="unit"),
    Case(
        "sigmoid_cross_entropy",
        lambda z, y: -3 * y * jnp.log(_sigmoid(z)) - (1 - y) * jnp.log(1 - _sigmoid(z)),
        "pos_weight=3",
        losses.sigmoid_cross_entropy(pos_weight=3),
        targets="unit",
    ),
    Case("multilabel", lambda z, y: _bce(_sigmoid(z), y), targets="binary"),
    Case(
        "hinge", lambda z, y: jnp.maximum(0, 1 - z * y), targets="sign", note="PyTorch's HingeEmbeddingLoss is another"
    ),
    Case("squared_hinge", lambda z, y: jnp.maximum(0, 1 - z * y) ** 2, targets="sign", note="not in PyTorch"),
    Case("multi_hinge", _multi_hinge, targets="class"),
    Case(
        "kl",
        lambda z, y: y * (jnp.log(y) - z),
        activation="log_softmax",
        targets="rows",
        note="batch_mean by default, PyTorch's recommendation; its default is mean",
    ),
    Case("poisson_nll", lambda z, y: jnp.exp(z) - y * z, targets="count", note="full=False"),
    Case(
        "poisson_nll",
        lambda z, y: z - y * jnp.log(z + 1e-8),
        "log_input=False",
        losses.poisson_nll(log_input=False),
        activation="softplus",
        targets="count",
    ),
    Case("gaussian_nll", _gaussian, activation="softplus", note="gradient 0 where the variance is below eps"),
    Case("cosine", lambda p, y: 1 - _cosine(p, y)),
    Case("cosine", lambda p, y: 1 - _cosine(p, y), "eps=0", losses.cosine(eps=0)),
    Case("cosine_embedding", _cosine_embedding, targets="pairs", note="eps bounds lengths; PyTorch adds it to squares"),
    Case(
        "cosine_embedding",
        lambda a, b, y: _cosine_embedding(a, b, y, 0.2),
        "margin=0.2",
        losses.cosine_embedding(margin=0.2),
        targets="pairs",
    ),
    Case("focal", lambda z, y: -((1 - _softmax(z)) ** 2) * y * _log_softmax(z), targets="class", note="not in PyTorch"),
    Case(
        "focal",
        lambda z, y: -((1 - _softmax(z)) ** 1.5) * y * _log_softmax(z),
        "gamma=1.5",
        losses.focal(1.5),
        targets="class",
    ),
    Case(
        "binary_focal", _binary_focal, targets="binary", note="torchvision's sigmoid_focal_loss; its reduction is none"
    ),
    Case(
        "binary_focal",
        lambda z, y: _binary_focal(z, y, 1.5, 0.4),
        "gamma=1.5, alpha=0.4",
        losses.binary_focal(1.5, 0.4),
        targets="binary",
    ),
    Case("triplet", _triplet, targets="none"),
    Case(
        "triplet",
        lambda a, p, n: _triplet(a, p, n, 3.0),
        "margin=3",
        losses.triplet(margin=3),
        targets="none",
    ),
    Case("info_nce", _info_nce, targets="none", note="not in PyTorch"),
    Case(
        "info_nce",
        lambda q, k: _info_nce(q, k, 0.5, False),
        "temperature=0.5, normalize=False",
        losses.info_nce(0.5, normalize=False),
        targets="none",
    ),
]
ACTIVATIONS: dict[str | None, Any] = {
    None: lambda z: z,
    "softmax": _softmax,
    "sigmoid": _sigmoid,
    "log_softmax": _log_softmax,
    "softplus": lambda z: jnp.log(1 + jnp.exp(z)),
}


def targets(kind: str, draw: np.random.Generator) -> Array:
    """Targets of a loss, (N, WIDTH) or (N,)."""
    shape = (ROWS_OF_DATA, WIDTH)
    classes = np.eye(WIDTH)[draw.integers(0, WIDTH, ROWS_OF_DATA)]
    soft = draw.uniform(0.1, 1, shape)
    return {
        "real": draw.normal(size=shape),
        "unit": draw.uniform(size=shape),
        "binary": draw.integers(0, 2, shape).astype(float),
        "sign": 2.0 * draw.integers(0, 2, shape) - 1,
        "class": classes,
        "rows": soft / soft.sum(1, keepdims=True),
        "ignored": classes * np.array([1, 1, 0, 1, 1])[:, None],
        "count": draw.poisson(2, shape).astype(float),
        "pairs": np.array([1.0, -1, 1, -1, -1]),
    }[kind]


def data(case: Case, draw: np.random.Generator) -> dict[str, Array]:
    """x, the target where there is one, and weights of the samples."""
    made = {"x": draw.normal(size=(ROWS_OF_DATA, INPUTS)), "w": draw.uniform(0.5, 2, ROWS_OF_DATA)}
    return made if case.targets == "none" else made | {"y": targets(case.targets, draw)}


def objective(case: Case, p: Any, d: Any, reduction: str, weighted: bool) -> Array:
    """The loss of all samples, reduced."""
    count = losses.as_loss(case.loss, None).predictions
    made = [ACTIVATIONS[case.activation](d["x"] @ p[f"W{i}"].T + p[f"b{i}"]) for i in range(1, count + 1)]
    entries = case.entries(*made, *([d["y"]] if "y" in d else []))
    if weighted:
        entries = entries * d["w"].reshape((-1,) + (1,) * (entries.ndim - 1))
    divisor = {"mean": entries.size, "batch_mean": len(entries), "sum": 1, "none": 1}[reduction]
    return entries.sum() / divisor


def declared(case: Case, reduction: str | None, weighted: bool) -> sb.Network:
    """One output after the other from the same input, each with weights of its own."""
    x = sb.Input(INPUTS)
    count = losses.as_loss(case.loss, None).predictions
    made = tuple(sb.Dense(WIDTH, case.activation)(x) for _ in range(count))
    outputs = made if count > 1 else made[0]
    return sb.Network(inputs=x, outputs=outputs, loss=case.loss, reduction=reduction, sample_weights=weighted)


def row(case: Case, reduction: str | None = None, weighted: bool = False) -> GradientRow:
    """The row of one case."""
    made = losses.as_loss(case.loss, reduction)
    told = [case.variant, *([f"reduction={reduction}"] if reduction else []), *(["sample weights"] if weighted else [])]
    return GradientRow(
        "loss",
        case.block,
        lambda: declared(case, reduction, weighted),
        lambda p, d: objective(case, p, d, made.reduction, weighted),
        lambda draw: data(case, draw),
        ", ".join(t for t in told if t),
        case.note,
    )


ROWS = [row(case) for case in CASES]
