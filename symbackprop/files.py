"""Writing output files, with errors that name the file."""

from __future__ import annotations

from pathlib import Path

from .errors import EmissionError


def make_folder(path: Path) -> None:
    """Make a folder and its parents unless they are there; `EmissionError` when that cannot be."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EmissionError(f"cannot make the folder {path}: {error.strerror}; choose another one") from error


def write_bytes(path: Path, data: bytes) -> Path:
    """Write a file, making its folder; returns the path. `EmissionError` when that cannot be."""
    make_folder(path.parent)
    try:
        path.write_bytes(data)
    except OSError as error:
        raise EmissionError(f"cannot write {path}: {error.strerror}; choose another place") from error
    return path


def write_text(path: Path, text: str) -> Path:
    """Write a text file in UTF-8; see `write_bytes`."""
    return write_bytes(path, text.encode())
