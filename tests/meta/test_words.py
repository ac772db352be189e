"""The repository's text: no machine's paths, nothing left open, one spelling, one version."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

import symbackprop as sb
from tests.meta.repo import ROOT, tracked

HERE = Path(__file__).resolve()
STRAY = {
    "a path of one machine": r"(?<![\w.])/(?:root|mnt|home/\w+|Users/\w+)/",
    "left open": r"\b(?:TODO|FIXME|XXX|HACK)\b",
    "a merge left open": r"^(?:<{7}|>{7}) ",
}
BRITISH = (
    r"(?i)\b(?:optimiser|regularis|normalis|initialis|vectoris|specialis|generalis|summaris|factoris|"
    r"parametris|serialis|colour|behaviour|neighbour|licence|centre[ds]?\b|catalogue|artefact|modell(?:ed|ing))"
)


def texts() -> list[Path]:
    """Every tracked text file but this one, which holds the words themselves, and the license."""
    kept = [p for p in tracked() if p != HERE and p.name != "LICENSE"]
    return [p for p in kept if b"\0" not in p.read_bytes()[:8192]]


def hits(pattern: str, files: list[Path]) -> list[str]:
    expression = re.compile(pattern, re.MULTILINE)
    return [
        f"{p.relative_to(ROOT)}:{number}: {line.strip()[:120]}"
        for p in files
        for number, line in enumerate(p.read_text(encoding="utf-8").splitlines(), 1)
        if expression.search(line)
    ]


@pytest.mark.parametrize("what", STRAY)
def test_nothing_stray(what: str) -> None:
    found = hits(STRAY[what], texts())
    assert not found, f"{what}:\n" + "\n".join(found)


def test_american_spelling() -> None:
    found = hits(BRITISH, [p for p in texts() if p.suffix in {".py", ".md", ".jinja", ".h", ".cff", ".toml"}])
    assert not found, "\n".join(found)


def test_the_version_is_the_same_everywhere() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert f"\nversion: {version}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert sb.__version__ == version
    assert f"\n## {version} " in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
