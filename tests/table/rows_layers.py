"""The rows of the layers: each layer in its variants, and its forward formula written by hand for JAX.

A forward takes the layer's own arrays by stem (W, b, gamma, running_mean, u, ...), its inputs, and whether the network
trains. The formulas are PyTorch's definitions; where there is none, the usual textbook's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import symbackprop as sb
from symbackprop.declare import layers as of
from tests.table.harness import Array, GradientRow

Forward = Callable[..., Array]


@dataclass(frozen=True)
class Case:
    """One layer in one variant. `shapes` are its inputs' without the batch; `levels`: the input is of whole numbers."""

    name: str
    variant: str
    shapes: tuple[tuple[int, ...], ...]
    make: Callable[[], Any]
    forward: Forward
    levels: int = 0
    rows: int = 5

    @property
    def title(self) -> str:
        """Name and variant."""
        return f"{self.name} {self.variant}".strip()


def dense(v: Mapping[str, Array], x: Array) -> Array:
    """z = x W^T + b along the last axis."""
    z = jnp.einsum("...k,jk->...j", x, v["W"])
    return z + v["b"] if "b" in v else z


def softmax(x: Array) -> Array:
    """Along the last axis."""
    e = jnp.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def dropout(scaling: str, p: float) -> Forward:
    def forward(v: Mapping[str, Array], x: Array, training: bool) -> Array:
        if not training:
            return x if scaling == "inverted" else (1 - p) * x
        kept = jnp.where(v["u"] >= p, x, 0)
        return kept / (1 - p) if scaling == "inverted" else kept

    return forward


def over_channels(v: Array, x: Array) -> Array:
    """A vector of the channels, shaped for axis 1 of x."""
    return v.reshape((1, -1) + (1,) * (x.ndim - 2))


def affine(v: Mapping[str, Array], xhat: Array, shape: tuple[int, ...]) -> Array:
    """gamma*xhat + beta, both reshaped; without them xhat."""
    if "gamma" not in v:
        return xhat
    scaled = v["gamma"].reshape(shape) * xhat
    return scaled + v["beta"].reshape(shape) if "beta" in v else scaled


def batch_norm(v: Mapping[str, Array], x: Array, training: bool, eps: float = 1e-5) -> Array:
    axes = (0, *range(2, x.ndim))
    mean = x.mean(axes) if training else v["running_mean"]
    variance = x.var(axes) if training else v["running_var"]
    xhat = (x - over_channels(mean, x)) / jnp.sqrt(over_channels(variance, x) + eps)
    return affine(v, xhat, (1, -1) + (1,) * (x.ndim - 2))


def batch_statistics(v: Mapping[str, Array], x: Array, momentum: float = 0.1) -> dict[str, Array]:
    """The running statistics after a step."""
    axes = (0, *range(2, x.ndim))
    return {
        "running_mean": (1 - momentum) * v["running_mean"] + momentum * x.mean(axes),
        "running_var": (1 - momentum) * v["running_var"] + momentum * x.var(axes, ddof=1),
    }


def layer_norm(axes: tuple[int, ...]) -> Forward:
    def forward(v: Mapping[str, Array], x: Array, _: bool) -> Array:
        mean, variance = x.mean(axes, keepdims=True), x.var(axes, keepdims=True)
        shape = tuple(s if a in axes else 1 for a, s in enumerate(x.shape))
        return affine(v, (x - mean) / jnp.sqrt(variance + 1e-5), shape)

    return forward


def rms_norm(axes: tuple[int, ...]) -> Forward:
    def forward(v: Mapping[str, Array], x: Array, _: bool) -> Array:
        shape = tuple(s if a in axes else 1 for a, s in enumerate(x.shape))
        return affine(v, x / jnp.sqrt((x**2).mean(axes, keepdims=True) + 1e-5), shape)

    return forward


def group_norm(groups: int) -> Forward:
    def forward(v: Mapping[str, Array], x: Array, _: bool) -> Array:
        parts = x.reshape(x.shape[0], groups, -1)
        normal = (parts - parts.mean(2, keepdims=True)) / jnp.sqrt(parts.var(2, keepdims=True) + 1e-5)
        return affine(v, normal.reshape(x.shape), (1, -1) + (1,) * (x.ndim - 2))

    return forward


def conv(
    stride: Sequence[int],
    padding: Any,
    dilation: Sequence[int],
    groups: int = 1,
    f: Callable[[Array], Array] | None = None,
) -> Forward:
    def forward(v: Mapping[str, Array], x: Array, _: bool) -> Array:
        form = ("NCH", "OIH", "NCH") if x.ndim == 3 else ("NCHW", "OIHW", "NCHW")
        z = jax.lax.conv_general_dilated(
            x, v["W"], stride, padding, rhs_dilation=dilation, dimension_numbers=form, feature_group_count=groups
        )
        z = z + over_channels(v["b"], z) if "b" in v else z
        return z if f is None else f(z)

    return forward


def conv_transpose(stride: tuple[int, int], padding: int, extra: int, dilation: int = 1) -> Forward:
    """The kernel turned around over x with stride - 1 zeros between its entries."""

    def forward(v: Mapping[str, Array], x: Array, _: bool) -> Array:
        reach = [dilation * (k - 1) for k in v["W"].shape[2:]]
        pads = [(r - padding, r - padding + extra) for r in reach]
        turned = v["W"].transpose(1, 0, 2, 3)[:, :, ::-1, ::-1]
        z = jax.lax.conv_general_dilated(
            x, turned, (1, 1), pads, lhs_dilation=stride, rhs_dilation=(dilation, dilation),
            dimension_numbers=("NCHW", "OIHW", "NCHW"),
        )  # fmt: skip
        return z + over_channels(v["b"], z) if "b" in v else z

    return forward


def max_pool(size: tuple[int, ...], stride: tuple[int, ...], padding: int = 0) -> Forward:
    def forward(v: Mapping[str, Array], x: Array, _: bool) -> Array:
        pads = [(0, 0), (0, 0), *[(padding, padding)] * len(size)]
        return jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, (1, 1, *size), (1, 1, *stride), pads)

    return forward


def avg_pool(size: tuple[int, ...], stride: tuple[int, ...], padding: int = 0) -> Forward:
    def forward(v: Mapping[str, Array], x: Array, _: bool) -> Array:
        pads = [(0, 0), (0, 0), *[(padding, padding)] * len(size)]
        total = jax.lax.reduce_window(x, 0.0, jax.lax.add, (1, 1, *size), (1, 1, *stride), pads)
        return total / np.prod(size)

    return forward


def bilinear(v: Mapping[str, Array], x1: Array, x2: Array, _: bool) -> Array:
    z = jnp.einsum("...j,ojk,...k->...o", x1, v["W"], x2)
    return z + v["b"] if "b" in v else z


def rbf(v: Mapping[str, Array], x: Array, _: bool) -> Array:
    distances = ((x[:, None, :] - v["C"]) ** 2).sum(-1)
    return jnp.exp(-distances / (2 * v["sigma"] ** 2))


def maxout(pieces: int) -> Forward:
    def forward(v: Mapping[str, Array], x: Array, _: bool) -> Array:
        z = dense(v, x)
        return z.reshape((*z.shape[:-1], -1, pieces)).max(-1)

    return forward


def prelu(v: Mapping[str, Array], x: Array, _: bool) -> Array:
    slope = over_channels(v["alpha"], x) if v["alpha"].ndim else v["alpha"]
    return jnp.where(x > 0, x, slope * x)


SIGNAL, PICTURE = ((3, 7),), ((2, 5, 6),)

CASES: tuple[Case, ...] = (
    Case("Dense", "", ((4,),), lambda: of.Dense(3), lambda v, x, _: dense(v, x)),
    Case(
        "Dense",
        "tanh, of a sequence, no bias",
        ((3, 4),),
        lambda: of.Dense(2, "tanh", bias=False),
        lambda v, x, _: jnp.tanh(dense(v, x)),
    ),
    Case("Activation", "sin", ((4,),), lambda: of.Activation("sin"), lambda v, x, _: jnp.sin(x)),
    Case(
        "Activation", "softmax of a sequence", ((3, 4),), lambda: of.Activation("softmax"), lambda v, x, _: softmax(x)
    ),
    Case("Dropout", "inverted", ((4,),), lambda: of.Dropout(0.3), dropout("inverted", 0.3)),
    Case("Dropout", "at inference", ((4,),), lambda: of.Dropout(0.6, "at_inference"), dropout("at_inference", 0.6)),
    Case("Dropout", "of pictures", PICTURE, lambda: of.Dropout(0.5), dropout("inverted", 0.5)),
    Case("BatchNorm1d", "", ((4,),), of.BatchNorm1d, batch_norm),
    Case("BatchNorm1d", "of signals", SIGNAL, of.BatchNorm1d, batch_norm),
    Case(
        "BatchNorm1d",
        "without scale, eps 0.1",
        ((4,),),
        lambda: of.BatchNorm1d(affine=False, eps=0.1),
        lambda v, x, t: batch_norm(v, x, t, 0.1),
    ),
    Case("BatchNorm2d", "", PICTURE, of.BatchNorm2d, batch_norm),
    Case("LayerNorm", "", ((4,),), of.LayerNorm, layer_norm((1,))),
    Case("LayerNorm", "of a sequence", ((3, 4),), of.LayerNorm, layer_norm((2,))),
    Case("LayerNorm", "over two axes", ((2, 3, 4),), lambda: of.LayerNorm((-2, -1)), layer_norm((2, 3))),
    Case("LayerNorm", "without scale", ((4,),), lambda: of.LayerNorm(affine=False), layer_norm((1,))),
    Case("RMSNorm", "", ((4,),), of.RMSNorm, rms_norm((1,))),
    Case("RMSNorm", "over two axes", ((3, 4),), lambda: of.RMSNorm((1, 2)), rms_norm((1, 2))),
    Case("GroupNorm", "2 groups", ((4, 3, 2),), lambda: of.GroupNorm(2), group_norm(2)),
    Case("GroupNorm", "1 group, of features", ((6,),), lambda: of.GroupNorm(1), group_norm(1)),
    Case("GroupNorm", "a group a channel", ((3, 4),), lambda: of.GroupNorm(3, affine=False), group_norm(3)),
    Case("Conv1d", "", SIGNAL, lambda: of.Conv1d(2, 3), conv((1,), "VALID", (1,))),
    Case(
        "Conv1d",
        "stride 2, padding 1, dilation 2",
        SIGNAL,
        lambda: of.Conv1d(2, 3, 2, 1, 2),
        conv((2,), [(1, 1)], (2,)),
    ),
    Case(
        "Conv1d",
        "same, even kernel, tanh",
        SIGNAL,
        lambda: of.Conv1d(2, 4, padding="same", activation="tanh"),
        conv((1,), [(1, 2)], (1,), f=jnp.tanh),
    ),
    Case(
        "Conv1d", "stride 3 past a rest", ((2, 9),), lambda: of.Conv1d(2, 2, 3, bias=False), conv((3,), "VALID", (1,))
    ),
    Case("Conv2d", "", PICTURE, lambda: of.Conv2d(3, 3), conv((1, 1), "VALID", (1, 1))),
    Case(
        "Conv2d",
        "padding 1, relu-like",
        PICTURE,
        lambda: of.Conv2d(3, 3, padding=1, activation="softplus"),
        conv((1, 1), [(1, 1)] * 2, (1, 1), f=jax.nn.softplus),
    ),
    Case("Conv2d", "stride 2, padding 1", PICTURE, lambda: of.Conv2d(3, 3, 2, 1), conv((2, 2), [(1, 1)] * 2, (1, 1))),
    Case(
        "Conv2d",
        "unequal axes",
        PICTURE,
        lambda: of.Conv2d(2, (2, 3), (1, 2), (0, 2), (2, 1)),
        conv((1, 2), [(0, 0), (2, 2)], (2, 1)),
    ),
    Case("Conv2d", "same", PICTURE, lambda: of.Conv2d(2, 3, padding="same", bias=False), conv((1, 1), "SAME", (1, 1))),
    Case(
        "Conv2d",
        "2 groups",
        ((4, 4, 5),),
        lambda: of.Conv2d(6, 3, padding=1, groups=2),
        conv((1, 1), [(1, 1)] * 2, (1, 1), 2),
    ),
    Case(
        "Conv2d",
        "depthwise",
        ((3, 4, 5),),
        lambda: of.Conv2d(3, 3, padding=1, groups=3),
        conv((1, 1), [(1, 1)] * 2, (1, 1), 3),
    ),
    Case(
        "Conv2d",
        "depthwise, two filters each, stride 2",
        ((3, 4, 5),),
        lambda: of.Conv2d(6, 2, 2, groups=3),
        conv((2, 2), "VALID", (1, 1), 3),
    ),
    Case("Conv2d", "1 x 1", PICTURE, lambda: of.Conv2d(3, 1), conv((1, 1), "VALID", (1, 1))),
    Case("ConvTranspose2d", "", ((2, 3, 4),), lambda: of.ConvTranspose2d(3, 2), conv_transpose((1, 1), 0, 0)),
    Case(
        "ConvTranspose2d",
        "stride 2, padding 1, output_padding 1",
        ((2, 3, 4),),
        lambda: of.ConvTranspose2d(3, 3, 2, 1, 1),
        conv_transpose((2, 2), 1, 1),
    ),
    Case(
        "ConvTranspose2d",
        "unequal strides, dilation 2",
        ((2, 3, 4),),
        lambda: of.ConvTranspose2d(2, 2, (1, 3), dilation=2, bias=False),
        conv_transpose((1, 3), 0, 0, 2),
    ),
    Case("MaxPool1d", "", ((2, 6),), lambda: of.MaxPool1d(2), max_pool((2,), (2,))),
    Case("MaxPool1d", "overlapping, padding 1", SIGNAL, lambda: of.MaxPool1d(3, 2, 1), max_pool((3,), (2,), 1)),
    Case("MaxPool2d", "", ((2, 4, 6),), lambda: of.MaxPool2d(2), max_pool((2, 2), (2, 2))),
    Case("MaxPool2d", "a rest left out", PICTURE, lambda: of.MaxPool2d((2, 3), (2, 2)), max_pool((2, 3), (2, 2))),
    Case("MaxPool2d", "overlapping, padding 1", PICTURE, lambda: of.MaxPool2d(3, 2, 1), max_pool((3, 3), (2, 2), 1)),
    Case("AvgPool1d", "", SIGNAL, lambda: of.AvgPool1d(3), avg_pool((3,), (3,))),
    Case("AvgPool1d", "overlapping, padding 1", SIGNAL, lambda: of.AvgPool1d(3, 2, 1), avg_pool((3,), (2,), 1)),
    Case("AvgPool2d", "", ((2, 4, 6),), lambda: of.AvgPool2d(2), avg_pool((2, 2), (2, 2))),
    Case(
        "AvgPool2d", "overlapping, padding 1", PICTURE, lambda: of.AvgPool2d((3, 2), 1, 1), avg_pool((3, 2), (1, 1), 1)
    ),
    Case("GlobalAvgPool", "of signals", SIGNAL, of.GlobalAvgPool, lambda v, x, _: x.mean(2)),
    Case("GlobalAvgPool", "of pictures", PICTURE, of.GlobalAvgPool, lambda v, x, _: x.mean((2, 3))),
    Case("Flatten", "", PICTURE, of.Flatten, lambda v, x, _: x.reshape(x.shape[0], -1)),
    Case("Flatten", "one channel", ((1, 3, 4),), of.Flatten, lambda v, x, _: x.reshape(x.shape[0], -1)),
    Case(
        "Reshape",
        "to a picture",
        ((12,),),
        lambda: of.Reshape((1, 3, 4)),
        lambda v, x, _: x.reshape(x.shape[0], 1, 3, 4),
    ),
    Case("Reshape", "across axes", ((4, 6),), lambda: of.Reshape((3, -1)), lambda v, x, _: x.reshape(x.shape[0], 3, 8)),
    Case(
        "Reshape",
        "the last two joined",
        ((2, 3, 4),),
        lambda: of.Reshape((2, 12)),
        lambda v, x, _: x.reshape(x.shape[0], 2, 12),
    ),
    Case("Transpose", "", ((3, 4),), lambda: of.Transpose((0, 2, 1)), lambda v, x, _: x.transpose(0, 2, 1)),
    Case(
        "Transpose", "of pictures", PICTURE, lambda: of.Transpose((0, 2, 3, 1)), lambda v, x, _: x.transpose(0, 2, 3, 1)
    ),
    Case("Embedding", "", ((5,),), lambda: of.Embedding(7, 3), lambda v, x, _: v["E"][x.astype(int)], levels=7),
    Case(
        "Embedding",
        "fewer tokens than rows",
        ((2, 3),),
        lambda: of.Embedding(9, 2),
        lambda v, x, _: v["E"][x.astype(int)],
        levels=7,
    ),
    Case("Bilinear", "", ((3,), (4,)), lambda: of.Bilinear(2), bilinear),
    Case("Bilinear", "of sequences, no bias", ((2, 3), (2, 3)), lambda: of.Bilinear(4, bias=False), bilinear),
    Case("RBF", "", ((3,),), lambda: of.RBF(4, radius=1.5), rbf),
    Case("Maxout", "", ((4,),), lambda: of.Maxout(3, 2), maxout(2)),
    Case("Maxout", "3 pieces, of a sequence, no bias", ((2, 4),), lambda: of.Maxout(2, 3, bias=False), maxout(3)),
    Case("PReLU", "", ((4,),), of.PReLU, prelu),
    Case("PReLU", "of channels", PICTURE, lambda: of.PReLU(channelwise=True), prelu),
)
"""Every layer in its variants."""
NOTES = {
    "RMSNorm": "eps is 1e-5; PyTorch's is the machine's",
    "LayerNorm": "axes in place of normalized_shape",
    "PReLU": "channelwise in place of num_parameters",
    "RBF": "not in PyTorch",
    "Maxout": "not in PyTorch",
    "ConvTranspose2d": "no groups",
}
"""Where PyTorch's definition or its arguments differ."""


def network(case: Case) -> Any:
    """The layer on tanh(x W^T + b) of each of its real inputs, and the mean squared error."""
    names = ["x"] if len(case.shapes) == 1 else [f"x{k}" for k in range(1, len(case.shapes) + 1)]
    inputs = tuple(sb.Input(s, n, case.levels or None) for s, n in zip(case.shapes, names, strict=True))
    fed = inputs if case.levels else tuple(sb.Dense(x.sizes[-1], "tanh")(x) for x in inputs)
    return sb.Network(inputs=inputs, outputs=case.make()(*fed), loss="mse")


def output(case: Case, arrays: Mapping[str, Array], inputs: Sequence[Array], training: bool) -> Array:
    """The same in jax.numpy, from all arrays by name."""
    fed = list(inputs)
    if not case.levels:
        fed = [jnp.tanh(x @ arrays[f"W{k}"].T + arrays[f"b{k}"]) for k, x in enumerate(inputs, 1)]
    number = str(1 if case.levels else 1 + len(inputs))
    own = {name.removesuffix(number): v for name, v in arrays.items() if name.endswith(number)}
    return case.forward(own, *fed, training)


def batch_of(case: Case, draw: np.random.Generator) -> dict[str, Array]:
    """Data for the inputs by name."""
    names = ["x"] if len(case.shapes) == 1 else ["x1", "x2"]
    shapes = [(case.rows, *s) for s in case.shapes]
    if case.levels:
        return {"x": draw.integers(0, case.levels, shapes[0]).astype(float)}
    return {name: draw.normal(size=shape) for name, shape in zip(names, shapes, strict=True)}


def _row(case: Case) -> GradientRow:
    names = ["x"] if len(case.shapes) == 1 else ["x1", "x2"]

    def forward(p: Any, d: Any) -> Array:
        h = output(case, {**{k: v for k, v in d.items() if k not in names}, **p}, [d[n] for n in names], True)
        return ((h - d["y"]) ** 2).mean()

    def data(draw: np.random.Generator) -> dict[str, Array]:
        y = draw.normal(size=network(case).system.targets[0].sizes[1:])
        return {**batch_of(case, draw), "y": y + draw.normal(size=(case.rows, *y.shape))}

    def start(draw: np.random.Generator, name: str, shape: tuple[int, ...]) -> Array:
        return draw.random(shape) + 0.5 if name.startswith("sigma") else draw.normal(size=shape)

    note = NOTES.get(case.name, "")
    return GradientRow("layer", case.name, lambda: network(case), forward, data, case.variant, note, start)


ROWS = [_row(case) for case in CASES]
