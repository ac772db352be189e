"""One exception class a stage; every one of them is a `SymbackpropError`.

A message says what went wrong, where, what was got and expected, and the likely cure.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class SymbackpropError(Exception):
    """Base of all errors that the library raises on purpose."""


class DeclarationError(SymbackpropError, ValueError):
    """A network, equation, loss or optimizer was declared wrongly."""


class ShapeError(DeclarationError):
    """Two axes that must agree do not; the message holds both shapes."""


class DerivationError(SymbackpropError):
    """An expression has no derivative that the library can take."""


class PresentationError(SymbackpropError, ValueError):
    """A document was asked for in a notation, language or format that does not exist, or cannot be written."""


class LoweringError(SymbackpropError):
    """An equation has no kernel, or a program violates the table of legal forms."""


class EmissionError(SymbackpropError):
    """A lowered expression has no spelling in the target language."""


class BuildError(SymbackpropError):
    """The C compiler is missing or failed; the message names the kept source."""


class DataError(SymbackpropError, ValueError):
    """Data given to a model has a wrong shape, type or value."""


class ModelFileError(SymbackpropError):
    """A saved model is corrupt, foreign or belongs to another network."""


class NonFiniteError(SymbackpropError, ArithmeticError):
    """Training met a NaN or an infinity; the model keeps its last finite parameters.

    Attributes: `step` (1-based) and `tensor` (where it began).
    """

    def __init__(self, message: str, step: int, tensor: str) -> None:
        super().__init__(message)
        self.step = step
        self.tensor = tensor


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """' Did you mean ...?' with the nearest of `known`, and the whole list after it."""
    names = sorted(known)
    near = difflib.get_close_matches(str(name), names, n=3, cutoff=0.5)
    hint = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
    return f"{hint} Known: {', '.join(names)}."
