"""The notations that a derivation can be written in: one `Profile` a community, chosen and adapted by a `Notation`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from ..errors import PresentationError, did_you_mean


@dataclass(frozen=True, slots=True)
class Profile:
    """How one community writes. Everything here is a choice of form: each profile prints the same mathematics.

    `samples` are the rows or the columns of a matrix. `kernels`: a dense layer's weight stands as (in, out).
    `implicit`: what is added to each sample is not spread by a column of ones. `axis_sums`: sums over an axis are
    written sum_0, not as products with a column of ones. `batch` and `loss` are letters; `layer` is how a layer's
    number stands above ("" for below). `letters` replaces names, `capitals` makes matrices of samples capital.
    `delta` is how dL/dz of a pre-activation is written: as a delta, or as any other `gradient`
    ("partial", "d", "nabla", "grad"). `per_sample`: derivatives by what belongs to a sample are those of the mean's
    summands, so that 1/N stands in the parameters' gradients. `products`: what comes back through a product, dL/da, is
    an equation of its own.
    """

    samples: str = "rows"
    kernels: bool = False
    implicit: bool = False
    axis_sums: bool = False
    batch: str = "N"
    loss: str = "L"
    layer: str = ""
    letters: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    capitals: bool = False
    delta: str = "delta"
    gradient: str = "partial"
    per_sample: bool = False
    products: bool = False


PROFILES: Mapping[str, Profile] = {
    "rows": Profile(),
    "columns": Profile(samples="columns", batch="n", loss="C", layer="{}", letters={"W": "w"}),
    "ng": Profile(
        samples="columns", implicit=True, batch="m", loss="J", layer="[{}]", capitals=True, delta="d", gradient="d",
        letters={"p": "yhat", "eta": "alpha", "m": "M"}, per_sample=True, products=True,
    ),
    "torch": Profile(implicit=True, axis_sums=True, delta="grad", gradient="grad"),
    "keras": Profile(kernels=True, implicit=True, axis_sums=True, delta="nabla", gradient="nabla"),
    "lecture-1": Profile(
        implicit=True, batch="n", letters={"z": "S", "a": "O", "eta": "alpha"}, capitals=True, delta="partial",
        products=True,
    ),
}  # fmt: skip
"""`columns` is lecture 2's notation, `ng` that of the deep-learning courses with dZ and dA, `torch` and `keras` have
the frameworks' storage and names."""

FONTS = ("plain", "bold")
LAYOUTS = ("denominator", "numerator")


@dataclass(frozen=True, slots=True)
class Notation:
    """A profile and a reader's own wishes, all of them optional.

    - `profile`: "rows" (samples are rows, W is (out, in)), "columns", "ng", "torch", "keras" or "lecture-1".
    - `symbols`: other names, of one tensor (`{"W1": "U"}`) or of a letter wherever it stands (`{"W": "Theta2"}`); a
      name is spelled as in Python: `xhat`, `omega`, `U3`, `s_in`.
    - `fonts`: "plain" letters, or "bold" ones for vectors and matrices.
    - `layout`: a parameter's gradient has its shape ("denominator"), or the transposed one ("numerator").
    - `shapes=True` writes under every factor which shape it has.

    Raises `PresentationError` for what is none of these.
    """

    profile: str = "rows"
    symbols: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    fonts: str = "plain"
    layout: str = "denominator"
    shapes: bool = False

    def __post_init__(self) -> None:
        for what, value, known in (
            ("notation", self.profile, PROFILES),
            ("fonts", self.fonts, FONTS),
            ("layout", self.layout, LAYOUTS),
        ):
            if value not in known:
                raise PresentationError(f"unknown {what} {value!r}.{did_you_mean(value, known)}")
        if not isinstance(self.shapes, bool):
            raise PresentationError(f"shapes is True or False; got {self.shapes!r}")
        object.__setattr__(self, "symbols", MappingProxyType(_checked(self.symbols)))

    @property
    def choices(self) -> Profile:
        """The profile's record."""
        return PROFILES[self.profile]

    def __hash__(self) -> int:
        return hash((self.profile, tuple(self.symbols.items()), self.fonts, self.layout, self.shapes))


def as_notation(value: Any) -> Notation:
    """A notation from itself or from a profile's name."""
    return value if isinstance(value, Notation) else Notation(value)


def _checked(symbols: Any) -> dict[str, str]:
    if not isinstance(symbols, Mapping):
        raise PresentationError(f'symbols is a dict of names, as {{"W1": "U"}}; got {symbols!r}')
    for old, new in symbols.items():
        for name in (old, new):
            if not isinstance(name, str) or not name.isidentifier() or name.startswith("_"):
                raise PresentationError(
                    f"symbols={{{old!r}: {new!r}}}: {name!r} is no name; names are spelled as in Python, "
                    "as W1, xhat, omega"
                )
    return dict(symbols)
