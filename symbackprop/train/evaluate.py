"""Predictions and accuracy, in batches of bounded memory."""

from __future__ import annotations

import math

import numpy as np

from ..runtime import Module
from .blocks import Array, Blocks
from .metrics import hits

BATCH = 1024
"""Rows of one call where nothing else is said."""


def predictions(module: Module, blocks: Blocks, inputs: tuple[Array, ...], batch: int = BATCH) -> tuple[Array, ...]:
    """The network's outputs, each (N, ...) in the manifest's order, computed `batch` rows at a time."""
    manifest, rows = module.manifest, len(inputs[0])
    outputs = tuple(np.empty((rows, *port.shape), manifest.dtype) for port in manifest.outputs)
    for first in range(0, rows, batch):
        part = slice(first, first + batch)
        with np.errstate(all="ignore"):
            made = module.predict(blocks.params, blocks.hypers, tuple(a[part] for a in inputs))
        for output, values in zip(outputs, made, strict=True):
            output[part] = values
    return outputs


def accuracy(module: Module, blocks: Blocks, data: tuple[Array, ...]) -> float | None:
    """The share of right decisions, first output against first target; None where there is no metric.

    Every sample counts alike, whatever its weight. NaN where no label counts.
    """
    manifest = module.manifest
    if manifest.metric is None:
        return None
    inputs, targets = data[: len(manifest.inputs)], data[len(manifest.inputs) :]
    target = next(a for a, port in zip(targets, manifest.targets, strict=True) if port.role != "weight")
    right = total = 0
    for first in range(0, len(target), BATCH):
        part = slice(first, first + BATCH)
        made = predictions(module, blocks, tuple(a[part] for a in inputs))
        counted = hits(manifest.metric, made[0], target[part])
        right, total = right + counted[0], total + counted[1]
    return right / total if total else math.nan
