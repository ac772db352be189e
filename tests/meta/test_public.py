"""The public names: few, listed, documented."""

from __future__ import annotations

import ast
import inspect
import types

import symbackprop as sb
from tests.meta.repo import modules, tree

MOST = 60


def test_the_top_level_is_small_and_listed() -> None:
    assert len(sb.__all__) == len(set(sb.__all__)) <= MOST
    missing = [name for name in sb.__all__ if not hasattr(sb, name)]
    assert not missing, f"in __all__ but not there: {missing}"
    public = {n for n, v in vars(sb).items() if not n.startswith("_") and not isinstance(v, types.ModuleType)}
    assert public - set(sb.__all__) - {"annotations"} == set(), "public names that __all__ does not list"


def test_every_public_name_is_documented() -> None:
    named = {name: getattr(sb, name) for name in sb.__all__ if not name.startswith("_")}
    bare = [n for n, v in named.items() if callable(v) and not (inspect.getdoc(v) or "").strip()]
    assert not bare


def test_every_public_function_and_class_has_a_docstring() -> None:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    bare = [
        f"{module}:{node.lineno} {node.name}"
        for module in modules()
        for node in tree(module).body
        if isinstance(node, kinds) and not node.name.startswith("_") and not ast.get_docstring(node)
    ]
    assert not bare


def test_every_module_has_a_docstring() -> None:
    assert not [m for m in modules() if not ast.get_docstring(tree(m))]
