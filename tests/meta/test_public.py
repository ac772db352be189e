"""The public names: few, listed, documented."""

from __future__ import annotations

import ast
import inspect
import types

import symbackprop as sb
from tests.meta.repo import modules, tree

MOST = 60


def exported() -> set[str]:
    """The names that `symbackprop/__init__.py` exports: `import x as x`, and plain assignments."""
    names = set()
    for node in tree("__init__.py").body:
        if isinstance(node, ast.ImportFrom):
            names |= {alias.asname for alias in node.names if alias.asname}
        elif isinstance(node, ast.Assign):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return {name for name in names if not name.startswith("_")}


def test_the_top_level_is_small() -> None:
    assert 0 < len(exported()) <= MOST


def test_nothing_is_public_by_accident() -> None:
    public = {n for n, v in vars(sb).items() if not n.startswith("_") and not isinstance(v, types.ModuleType)}
    assert public <= exported() | {"annotations"}


def test_no_public_name_is_a_stage() -> None:
    """`import symbackprop.emit.c` makes Python set `symbackprop.emit`; it would hide a function of that name."""
    assert not exported() & {module.split("/")[0].removesuffix(".py") for module in modules()}


def test_every_public_name_is_documented() -> None:
    bare = [n for n in exported() if not (inspect.getdoc(getattr(sb, n)) or "").strip()]
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
