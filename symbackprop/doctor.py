"""What is there, what is missing, how to get it."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .errors import SymbackpropError
from .pdf import GET_ENGINE, find_engine

LIBRARIES = ("numpy", "sympy", "jinja2", "cffi", "safetensors")
OPTIONAL = {
    "matplotlib": ("plot", "learning curves"),
    "scikit-learn": ("sklearn", "the demo's digits"),
    "ziglang": ("zig", "a C compiler from PyPI"),
}
"""Distribution -> (the extra that brings it, what it is for)."""
FEATURES = ("avx2", "fma", "avx512f", "avx512_bf16", "amx_tile", "amx_bf16", "neon", "sve")


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report; `mark` is "ok", "missing" or "" for a plain fact."""

    subject: str
    mark: str
    text: str
