"""What layers check of their arguments and of the tensors that they are given."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from types import NoneType
from typing import Any

from ...errors import DeclarationError, ShapeError
from ...language.tensor import Tensor
from ...records import Initializer


def take(layer: Any, inputs: Sequence[Tensor], *forms: str) -> Tensor:
    """The one real input of a layer, in one of the forms such as `(N, channels, length)`; `...` is any axes."""
    if len(inputs) != 1:
        raise DeclarationError(f"{layer!r} takes one tensor; got {len(inputs)}")
    check_form(layer, inputs[0], *forms)
    return inputs[0]


def check_form(layer: Any, x: Tensor, *forms: str) -> None:
    """Raise `ShapeError` unless x has the batch first and the axes of a form; `DeclarationError` for whole numbers."""
    batch_first = bool(x.dims) and x.dims[0].size is None and all(d.size is not None for d in x.dims[1:])
    if not batch_first or not any(_fits(len(x.dims), form) for form in forms):
        raise ShapeError(f"{layer!r} takes {' or '.join(forms)}; {x.name} is {x.shape_text}")
    if x.levels is not None:
        raise DeclarationError(
            f"{layer!r} needs real numbers, but {x.name} {x.shape_text} holds whole numbers 0 to {x.levels - 1}; "
            "put sb.layers.Embedding(vocabulary, width) before it"
        )


def _fits(axes: int, form: str) -> bool:
    named = form.count(",") + 1
    return axes >= named - 1 if "..." in form else axes == named


def whole(value: Any, what: str, least: int = 1) -> int:
    """`value` as an integer of at least `least`, else a `DeclarationError`."""
    try:
        number = None if isinstance(value, bool) else operator.index(value)
    except TypeError:
        number = None
    if number is None or number < least:
        raise DeclarationError(f"{what} is an integer >= {least}; got {value!r}")
    return number


def wholes(value: Any, axes: int, what: str, least: int = 1) -> tuple[int, ...]:
    """One integer for every axis, from one integer or a tuple of `axes` of them."""
    given = value if isinstance(value, (tuple, list)) else (value,) * axes
    if len(given) != axes:
        raise DeclarationError(f"{what} is an integer or a tuple of {axes}; got {value!r}")
    return tuple(whole(v, what, least) for v in given)


def check_initializers(*given: Any) -> None:
    """Raise `DeclarationError` for what is neither an initializer nor None."""
    for init in given:
        if not isinstance(init, (Initializer, NoneType)):
            raise DeclarationError(f"an initializer is made by sb.init, as sb.init.he_normal(); got {init!r}")


def positive(value: Any, what: str) -> float:
    """`value` as a finite number > 0, else a `DeclarationError`."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not 0 < value < float("inf"):
        raise DeclarationError(f"{what} is a finite number > 0; got {value!r}")
    return float(value)
