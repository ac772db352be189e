"""Whether an entry may be read at its indices: inside its axes, or by an entry that has a value beyond them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..errors import DeclarationError, ShapeError
from ..language.tensor import Dim

if TYPE_CHECKING:
    from sympy import Expr

    from ..language.nodes import Entry, Index


def check_reach(node: Entry, dims: Mapping[Index, Dim], text: object) -> None:
    """Raise `ShapeError` for an index that leaves its axis, `DeclarationError` for one that is no index."""
    from ..language.nodes import Index

    for axis, (index, dim) in enumerate(zip(node.indices, node.tensor.dims, strict=True)):
        if isinstance(index, Index) and (dim.size is None or node.outside is None):
            continue  # its dimension was compared with the axis
        _check_axis(node, axis, index, dims, text)


def _check_axis(node: Entry, axis: int, index: Expr, dims: Mapping[Index, Dim], text: object) -> None:
    from ..language.affine import coefficients, reach
    from ..language.brackets import Part
    from ..language.nodes import Entry, Index

    size = node.tensor.dims[axis].size
    where = f"{text}: {node} has the index {index} on axis {axis} of {node.tensor.name} {node.tensor.shape_text}"
    if isinstance(index, Entry) and index.tensor.levels is None:
        raise DeclarationError(
            f"{where}, but {index.tensor.name} holds real numbers; an index is a whole number: "
            "declare it with levels, as sb.Input(8, levels=100)"
        )
    inner = index.args[0] if isinstance(index, Part) else index
    parts = None if isinstance(index, Entry) else coefficients(inner)
    if parts is not None and node.outside is None and not all(c.is_integer for c in (*parts[0].values(), parts[1])):
        raise DeclarationError(
            f"{where}, which is not always whole; {node.tensor.name}.padded[...] reads 0 where it is not"
        )
    if not isinstance(index, Entry) and parts is None:
        raise DeclarationError(f"{where}; an index is a sum of indices times numbers, or an entry of whole numbers")
    for part in inner.atoms(Index):
        if part not in dims:
            raise DeclarationError(f'{where}, and {part} has no length; give it one, sb.indices("{part}", size=3)')
    ends = reach(index, dims)
    if size is None or ends is None:
        raise ShapeError(f"{where}; along the batch, whose size is known at run time only, an index stands alone")
    low, high = ends
    if node.outside is None and not (low >= 0 and high < size):
        cure = f"shift it, or read 0 there: {node.tensor.name}.padded[...]"
        if isinstance(index, Entry):
            cure = f"declare {index.tensor.name} with levels={size}"
        raise ShapeError(f"{where}, which runs from {low} to {high}; the axis has {size} entries. {cure}")
    if high < 0 or low >= size:
        raise ShapeError(f"{where}, which runs from {low} to {high}: always beyond the axis of {size} entries")
