"""Targets with a meaning: classes (role "one_hot"), probabilities (role "unit") and signs (role "sign")."""

from __future__ import annotations

import numpy as np

from ..errors import DataError
from ..runtime import Port
from .blocks import Array

ROW_SUM_TOLERANCE = 1e-3


def one_hot(array: Array, port: Port, argument: str) -> Array:
    """Rows of class probabilities from integer labels, or from such rows after checking them.

    Labels have the port's shape without its last axis, for K classes 0..K-1; bools are the classes 0 and 1.
    Rows must have entries in [0, 1] and sum to 1 within 1e-3; they are used as they are. The port's `ignore` is a
    label that counts as none: its row is all zero, and such rows are taken too.
    """
    if array.ndim == len(port.shape) and array.shape[1:] == port.shape[:-1]:
        return _expand(array, port, argument)
    if array.ndim == len(port.shape) + 1 and array.shape[1:] == (*port.shape[:-1], 1) and port.shape[-1] > 1:
        raise DataError(
            f"{argument} has shape {array.shape}; integer labels have no last axis: pass {argument}[..., 0] as integers"
        )
    if array.shape[1:] == port.shape:
        _check_rows(array, argument, empty=port.ignore is not None)
    return array


def _expand(labels: Array, port: Port, argument: str) -> Array:
    classes = port.shape[-1]
    if labels.dtype.kind == "f":
        if (labels == np.floor(labels)).all():
            cure = f"if these are labels, pass {argument}.astype(int)"
        else:
            cure = f"these are not whole numbers; expected integer labels or rows of {classes} probabilities"
        raise DataError(f"{argument} has shape {labels.shape} and dtype {labels.dtype}; {cure}")
    counted = np.ones(labels.shape, bool) if port.ignore is None else labels != port.ignore
    _check_range(labels, counted, port, argument)
    rows = np.zeros((labels.size, classes), np.uint8)
    places = np.flatnonzero(counted)
    rows[places, labels.reshape(-1)[places].astype(np.int64)] = 1
    return rows.reshape(len(labels), *port.shape)


def _check_range(labels: Array, counted: Array, port: Port, argument: str) -> None:
    classes = port.shape[-1]
    bad = counted & ((labels < 0) | (labels >= classes))
    if not bad.any():
        return
    at = [int(i) for i in np.argwhere(bad)[0]]
    kept = labels[counted]
    cure = f"; labels count from 0: pass {argument} - 1" if kept.min() == 1 and kept.max() == classes else ""
    if port.ignore is not None:
        cure += f"; {port.ignore} is the label that counts as none"
    raise DataError(
        f"{argument}{at} is {int(labels[tuple(at)])}, out of range: the {classes} classes are 0..{classes - 1}{cure}"
    )


def _check_rows(rows: Array, argument: str, empty: bool) -> None:
    unit(rows, argument)
    sums = rows.sum(axis=-1, dtype=np.float64)
    bad = np.abs(sums - 1.0) > ROW_SUM_TOLERANCE
    if empty:
        bad &= sums != 0.0
    if bad.any():
        at = [int(i) for i in np.argwhere(bad)[0]]
        raise DataError(
            f"{argument}{at} sums to {float(sums[tuple(at)]):.6g}; one-hot or soft labels must sum to 1 over "
            "the classes (for several classes at once take a binary cross-entropy)"
        )


def unit(array: Array, argument: str) -> None:
    """Raise `DataError` unless all entries are in [0, 1]."""
    if array.dtype.kind == "b":
        return
    low, high = float(array.min()), float(array.max())
    if low >= 0.0 and high <= 1.0:
        return
    at = [int(i) for i in np.argwhere((array < 0) | (array > 1))[0]]
    cure = ""
    if low == -1.0 and high == 1.0:
        cure = f"; for -1 and 1 pass ({argument} + 1) / 2"
    elif low >= 0.0 and high == 255.0:
        cure = f"; for bytes pass {argument} / 255"
    raise DataError(f"{argument}{at} is {array[tuple(at)]}; this loss needs targets in [0, 1]{cure}")


def sign(array: Array, argument: str) -> None:
    """Raise `DataError` unless all entries are -1 or 1."""
    wrong = np.abs(array.astype(np.float64)) != 1.0
    if not wrong.any():
        return
    at = [int(i) for i in np.argwhere(wrong)[0]]
    signed = argument if array.dtype.kind in "if" else f"{argument}.astype(int)"  # 2*0 - 1 is 255 in bytes
    raise DataError(
        f"{argument}{at} is {array[tuple(at)]}; this loss needs targets of -1 or 1; for 0 and 1 pass 2*{signed} - 1"
    )
