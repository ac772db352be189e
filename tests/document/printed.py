"""The gallery's derivations as documents."""

from __future__ import annotations

import importlib.util
import re
from functools import cache
from pathlib import Path
from types import ModuleType

from symbackprop.document.latex import article
from symbackprop.records import Derivation

ROOT = Path(__file__).resolve().parents[2]
SECTION = re.compile(r"(?=\\section\{)")


@cache
def gallery() -> ModuleType:
    spec = importlib.util.spec_from_file_location("gallery_of_examples", ROOT / "examples" / "gallery.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def derivation(name: str) -> Derivation:
    network, optimizer, _ = gallery().GALLERY[name]
    made: Derivation = network.derive(optimizer)
    return made


@cache
def whole(name: str, profile: str, level: str = "summary") -> str:
    """The LaTeX document."""
    return article(derivation(name).document(notation=profile, level=level))


def printed(name: str, profile: str, level: str = "summary") -> str:
    """The document without what holds in the other mode only, where other equations stand in the place of these."""
    sections = SECTION.split(whole(name, profile, level))
    return "".join(s for s in sections if not s.startswith((r"\section{Prediction}", r"\section{Running values}")))
