"""Modules, functions and templates stay small."""

from __future__ import annotations

import ast
import statistics

from tests.meta.repo import PACKAGE, ROOT, modules, tracked, tree

MODULE, FUNCTION, TEMPLATE, MEDIAN = 300, 40, 80, 120
ALLOWED: dict[str, tuple[int, str]] = {}
"""The one list of exceptions: `symbackprop/x.py`, `symbackprop/x.py:f` or a template -> (its lines, why)."""


def sizes() -> dict[str, tuple[int, int]]:
    """Everything that has a budget -> (its lines, the budget)."""
    found = {}
    for module in modules():
        name = f"symbackprop/{module}"
        found[name] = (len((PACKAGE / module).read_text(encoding="utf-8").splitlines()), MODULE)
        for node in ast.walk(tree(module)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                key = f"{name}:{node.name}"
                found[key] = max(found.get(key, (0, FUNCTION)), (length, FUNCTION))
    for path in tracked():
        if path.suffix == ".jinja":
            lines = len(path.read_text(encoding="utf-8").splitlines())
            found[path.relative_to(ROOT).as_posix()] = (lines, TEMPLATE)
    return found


def test_everything_is_within_its_budget() -> None:
    over = {n: size for n, (size, budget) in sizes().items() if size > ALLOWED.get(n, (budget, ""))[0]}
    assert not over


def test_most_modules_are_small() -> None:
    lines = [size for name, (size, _) in sizes().items() if name.endswith(".py") and size > 1]
    assert statistics.median(lines) <= MEDIAN


def test_there_are_templates_to_measure() -> None:
    assert any(name.startswith("templates/") for name in sizes())


def test_every_exception_is_needed() -> None:
    measured = sizes()
    assert not [name for name in ALLOWED if name not in measured or measured[name][0] <= measured[name][1]]
