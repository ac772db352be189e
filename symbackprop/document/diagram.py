"""The network drawn as its computational graph."""

from __future__ import annotations

from ..present.view import View
from ..records import Derivation
from .records import Diagram


def diagram(derivation: Derivation, view: View) -> Diagram:
    """The drawing of a derivation."""
    return Diagram((), ())
