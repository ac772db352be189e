"""Data given to a model: checked in full, then converted for the kernels, before any of them runs.

Lists, pandas and polars objects, integers and bools, big-endian, non-contiguous, unaligned and read-only
arrays are converted; an array that is right already is used as it stands, without a copy.
"""

from __future__ import annotations

import operator
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..errors import DataError, did_you_mean
from ..runtime import Manifest, Port
from .blocks import Array
from .labels import one_hot, sign, unit

CURES = {
    "O": "convert it to numbers, e.g. np.asarray({0}, dtype=float)",
    "U": "turn strings into integer labels with np.unique({0}, return_inverse=True)[1]",
    "S": "turn strings into integer labels with np.unique({0}, return_inverse=True)[1]",
    "T": "turn strings into integer labels with np.unique({0}, return_inverse=True)[1]",
    "c": "pass {0}.real and {0}.imag as columns of their own",
    "M": "convert times to numbers, e.g. seconds as floats",
    "m": "convert durations to numbers, e.g. {0} / np.timedelta64(1, 's')",
    "V": "convert it to a plain array of numbers, e.g. one column a field",
}


def number_array(value: Any, argument: str) -> Array:
    """`value` as a NumPy array of bools, integers or floats; `DataError` for anything else."""
    if value is None:
        raise DataError(f"{argument} is missing: got None, expected an array")
    if hasattr(value, "toarray"):
        raise DataError(f"{argument} is a sparse matrix; pass {argument}.toarray()")
    if isinstance(value, np.ma.MaskedArray) and np.ma.getmaskarray(value).any():
        raise DataError(f"{argument} has masked entries; fill them first, e.g. {argument}.filled(0), or drop the rows")
    try:
        array = np.asarray(value)
    except (ValueError, TypeError, RuntimeError, OverflowError) as error:
        raise DataError(f"{argument} cannot be made an array: {error}; are all rows of one length?") from error
    kind = array.dtype.kind
    if kind not in "biuf":
        cure = CURES.get(kind, "convert it to numbers").format(argument)
        raise DataError(f"{argument} has dtype {array.dtype}, expected numbers (bool, int or float); {cure}")
    if kind == "f":
        _check_finite(array, argument)
    return array


def place(bad: Array) -> str:
    """The first True of a mask, as '[3, 5]'."""
    return str([int(i) for i in np.unravel_index(int(np.argmax(bad)), bad.shape)])


def _check_finite(array: Array, argument: str) -> None:
    finite = np.isfinite(array)
    if finite.all():
        return
    where = place(~finite)
    value = array[tuple(np.argwhere(~finite)[0])]
    raise DataError(
        f"{argument}{where} is {value} ({np.count_nonzero(~finite)} of {array.size} entries are not finite); "
        "drop those rows or fill the entries"
    )


def convert(array: Array, dtype: str, argument: str) -> Array:
    """`array` in the model's dtype: native, contiguous, writable; `DataError` if a value does not fit it."""
    with np.errstate(over="ignore"):
        made = np.require(array, np.dtype(dtype), ["C", "A", "W"])
    if array.dtype.kind == "f" and array.dtype.itemsize > made.dtype.itemsize:
        finite = np.isfinite(made)
        if not finite.all():
            value = array.reshape(-1)[int(np.argmin(finite))]
            raise DataError(
                f"{argument}{place(~finite)} = {value:.6g} does not fit {dtype} "
                f"(largest {np.finfo(made.dtype).max:.6g}); scale the data or compile with dtype='float64'"
            )
    return made


def _axes(shape: tuple[int, ...]) -> str:
    return "(N" + "".join(f", {n}" for n in shape) + ("," if not shape else "") + ")"


def _cure(array: Array, port: Port, argument: str) -> str:
    """The likely cure of a wrong shape, as a clause; '' when none comes to mind."""
    got, wanted = array.shape, port.shape
    if got == wanted:
        return f"; for one sample pass {argument}[None]"
    if got[1:] == (*wanted, 1):
        return f"; pass {argument}[..., 0]"
    if (*got[1:], 1) == wanted:
        return f"; pass {argument}[..., None]"
    if len(got) == 2 and got[:1] == wanted:
        return f"; rows are samples: pass {argument}.T"
    if len(got) == len(wanted) + 1 > 2 and (got[-1], *got[1:-1]) == wanted and got[-1] > 1:
        return f"; channels come first: pass np.moveaxis({argument}, -1, 1)"
    flat, same_order = len(got) == 2 or len(wanted) == 1, _without_ones(got[1:]) == _without_ones(wanted)
    if array.ndim > 1 and np.prod(got[1:]) == np.prod(wanted) and (flat or same_order):
        return f"; pass {argument}.reshape((-1, {', '.join(map(str, wanted))}))"
    return ""


def _without_ones(sizes: tuple[int, ...]) -> list[int]:
    return [size for size in sizes if size != 1]


def _check_shape(array: Array, port: Port, argument: str) -> None:
    if array.ndim == 0 or array.shape[1:] != port.shape:
        raise DataError(
            f"{argument} has shape {array.shape}, expected {_axes(port.shape)} for {port.name!r}, "
            f"one row a sample{_cure(array, port, argument)}"
        )


def _prepare(value: Any, port: Port, dtype: str, argument: str, target: bool) -> Array:
    array = number_array(value, argument)
    if array.size == 0:
        raise DataError(f"{argument} is empty: shape {array.shape}, expected {_axes(port.shape)} with N >= 1")
    if target and port.role == "one_hot":
        array = one_hot(array, port, argument)
    elif port.role == "index":
        whole(array, port, argument)
    elif target and array.ndim == 1 and port.shape == (1,):
        array = array[:, None]
    _check_shape(array, port, argument)
    if port.role == "unit":
        unit(array, argument)
    elif port.role == "sign":
        sign(array, argument)
    return convert(array, dtype, argument)


def _by_port(value: Any, ports: tuple[Port, ...], argument: str) -> list[tuple[str, Any]]:
    """(name in messages, value) for each port, from one array, a tuple or list, or a dict by name."""
    names = [p.name for p in ports]
    if isinstance(value, Mapping):
        for name in value:
            if name not in names:
                raise DataError(f"{argument} has an entry {name!r}, not of this network.{did_you_mean(name, names)}")
        if missing := [n for n in names if n not in value]:
            raise DataError(f"{argument} lacks {', '.join(map(repr, missing))}; it needs {', '.join(names)}")
        return [(f"{argument}[{n!r}]", value[n]) for n in names]
    if len(ports) == 1:
        return [(argument, value)]
    if not isinstance(value, (tuple, list)) or len(value) != len(ports):
        got = f"{len(value)} of them" if isinstance(value, (tuple, list)) else type(value).__name__
        raise DataError(
            f"{argument} must be a tuple of {len(ports)} arrays ({', '.join(names)}) or a dict by name; got {got}"
        )
    return [(f"{argument}[{i}]", v) for i, v in enumerate(value)]


def _arrays(value: Any, ports: tuple[Port, ...], dtype: str, argument: str, target: bool) -> dict[str, Array]:
    if not ports:
        if value is not None:
            raise DataError(f"{argument} is given, but this network has no targets; pass None")
        return {}
    named = _by_port(value, ports, argument)
    return {name: _prepare(v, port, dtype, name, target) for (name, v), port in zip(named, ports, strict=True)}


def whole(array: Array, port: Port, argument: str) -> None:
    """Raise `DataError` unless all entries are whole numbers from 0 to the port's levels - 1."""
    bad = (array < 0) | (array >= port.levels)
    if array.dtype.kind == "f":
        bad |= array != np.floor(array)
    if bad.any():
        value = array[tuple(np.argwhere(bad)[0])]
        raise DataError(
            f"{argument}{place(bad)} is {value}; {port.name!r} takes whole numbers from 0 to {port.levels - 1} "
            f"({np.count_nonzero(bad)} of {array.size} entries are none of them)"
        )


def _weights(value: Any, manifest: Manifest, argument: str, rows: int) -> Array | None:
    """The samples' weights (N,), 1 where none are given; None for a network that takes none."""
    port = next((p for p in manifest.targets if p.role == "weight"), None)
    if port is None:
        if value is not None:
            raise DataError(
                f"{argument} is given, but this network's loss has no weights; declare it with sample_weights=True"
            )
        return None
    if value is None:
        return np.ones((rows, *port.shape), manifest.dtype)
    array = _prepare(value, port, manifest.dtype, argument, target=False)
    if (bad := array < 0).any():
        raise DataError(f"{argument}{place(bad)} is {array[tuple(np.argwhere(bad)[0])]}; a weight is at least 0")
    return array


def _check_rows(arrays: dict[str, Array]) -> None:
    rows = {name: len(array) for name, array in arrays.items()}
    if len(set(rows.values())) > 1:
        told = ", ".join(f"{name} has {count}" for name, count in rows.items())
        raise DataError(f"all arrays need the same number of rows, one a sample; {told}")


def prepare_inputs(manifest: Manifest, X: Any, argument: str = "X") -> tuple[Array, ...]:
    """The network's inputs, each (N, ...), checked and converted."""
    arrays = _arrays(X, manifest.inputs, manifest.dtype, argument, target=False)
    _check_rows(arrays)
    return tuple(arrays.values())


def prepare(manifest: Manifest, X: Any, y: Any, prefix: str = "", sample_weight: Any = None) -> tuple[Array, ...]:
    """Inputs, then targets, each (N, ...), checked and converted; messages say `prefix` before X and y.

    `sample_weight` (N,) is the target of role "weight"; without it every sample weighs 1.
    """
    arrays = _arrays(X, manifest.inputs, manifest.dtype, prefix + "X", target=False)
    labels = tuple(p for p in manifest.targets if p.role != "weight")
    targets = _arrays(y, labels, manifest.dtype, prefix + "y", target=True)
    rows = len(next(iter(arrays.values())))
    weights = _weights(sample_weight, manifest, prefix + "sample_weight", rows)
    named = arrays | targets | ({} if weights is None else {prefix + "sample_weight": weights})
    _check_rows(named)
    by_port = dict(zip((p.name for p in labels), targets.values(), strict=True))
    ordered = (by_port.get(p.name, weights) for p in manifest.targets)
    return (*arrays.values(), *(a for a in ordered if a is not None))


def check_count(value: Any, argument: str) -> int:
    """`value` as a whole number of at least 1."""
    try:
        count = operator.index(value)
    except TypeError:
        count = 0
    if count < 1 or isinstance(value, (bool, np.bool_)):
        raise DataError(f"{argument} must be a whole number of at least 1; got {value!r}")
    return count


def check_least_rows(least: int, rows: int, batch: int, drop_last: bool) -> None:
    """Raise `DataError` when a batch of an epoch would have fewer than `least` rows."""
    last = rows % batch
    if batch >= least and (drop_last or not last or last >= least):
        return
    why = f"this network needs at least {least} samples in a training batch (it takes statistics over the batch)"
    if rows < least:
        raise DataError(f"X has {rows} rows, but {why}")
    near = min(
        (b for b in range(least, rows + 1) if not 0 < rows % b < least), key=lambda b: (abs(b - batch), b)
    )  # rows themselves are such a size
    if batch < least:
        raise DataError(f"batch_size is {batch}, but {why}; pass batch_size={near}")
    raise DataError(
        f"the last batch of an epoch has {last} of the {rows} rows, but {why}; pass drop_last=True or batch_size={near}"
    )


def check_batch_size(value: Any, rows: int) -> int:
    """`value` as a batch size for `rows` rows of training data."""
    batch = check_count(value, "batch_size")
    if batch > rows:
        raise DataError(f"batch_size is {batch}, but X has only {rows} rows; pass batch_size={rows} or less")
    return batch
