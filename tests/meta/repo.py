"""What the meta tests share: the files of the repository and the syntax trees of the package."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "symbackprop"


@cache
def modules() -> tuple[str, ...]:
    """The package's modules as paths relative to it, e.g. `derive/rules.py`."""
    return tuple(sorted(p.relative_to(PACKAGE).as_posix() for p in PACKAGE.rglob("*.py")))


@cache
def tree(module: str) -> ast.Module:
    """The syntax tree of a module of the package."""
    return ast.parse((PACKAGE / module).read_text(encoding="utf-8"), filename=module)


def dotted(module: str) -> str:
    """The module's name as Python knows it, e.g. `symbackprop.derive.rules`."""
    parts = ["symbackprop", *module.removesuffix(".py").split("/")]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def tracked() -> tuple[Path, ...]:
    """All files of the repository that git does not ignore; skips the test outside of a git checkout."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout, so nobody knows which files are the repository's")
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return tuple(ROOT / name for name in sorted(filter(None, listed.split("\0"))) if (ROOT / name).is_file())


def imports(module: str, annotations: bool = True) -> Iterator[tuple[str, int]]:
    """The absolute names that a module imports, and where; inside functions too.

    `from .a import b` gives `symbackprop.a.b`. Without `annotations`, what stands under `if TYPE_CHECKING` is left out.
    """
    skipped = set() if annotations else set(_type_checking(tree(module)))
    package = dotted(module).split(".")
    if not module.endswith("__init__.py"):
        package = package[:-1]
    for node in ast.walk(tree(module)):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) + 1 - node.level] if node.level else []
            name = ".".join([*base, *([node.module] if node.module else [])])
            yield from ((f"{name}.{alias.name}", node.lineno) for alias in node.names)


def _type_checking(root: ast.Module) -> Iterator[int]:
    for node in ast.walk(root):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            for inner in node.body:
                yield from map(id, ast.walk(inner))
