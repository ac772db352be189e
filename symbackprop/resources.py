"""Where the templates lie: in the installed package, or beside it in a checkout."""

from __future__ import annotations

from pathlib import Path

from .errors import EmissionError


def templates_root() -> Path:
    """The folder of templates. Raises `EmissionError` when a broken installation has none."""
    package = Path(__file__).resolve().parent
    for root in (package / "templates", package.parent / "templates"):
        if root.is_dir():
            return root
    raise EmissionError(f"the templates are missing beside {package}; reinstall symbackprop")
