"""Text is never evaluated, nothing is unpickled, there is one substitution and one door to Jinja."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from tests.meta.repo import imports, modules, tree

EVALUATES = {"eval", "exec", "parse_expr", "parse_latex", "lambdify", "S", "__import__"}
UNPICKLES = ("pickle", "marshal", "shelve", "dill", "cloudpickle", "joblib", "sympy.parsing")
RUNS_PYTHON_FILES = {
    "netfile.py": "imports the file that the user names, and says so",
    "load/numpy.py": "imports the NumPy module that emit has written",
}
JINJA_DOORS = {"emit/render.py": "StrictUndefined, one record as context"}
SUBSTITUTES = {"simplify/center.py": "a skeleton: symbols stand for entries and sums, so no index is left to bind"}
"""Modules outside language/ that may call `.subs` or `.xreplace`, and why nothing can be captured there."""


def calls(*names: str) -> Iterator[tuple[str, str, ast.Call]]:
    """(module, place, call) of every call, anywhere in the package, of a function or method of these names."""
    for module in modules():
        for node in ast.walk(tree(module)):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "id", None) or getattr(node.func, "attr", None)
                if name in names:
                    yield module, f"{module}:{node.lineno} {ast.unparse(node)[:80]}", node


def keyword(call: ast.Call, name: str) -> str | None:
    """The text of a keyword argument, None when it is not given."""
    return next((ast.unparse(k.value) for k in call.keywords if k.arg == name), None)


def test_text_is_never_evaluated() -> None:
    assert not [place for _, place, _ in calls(*EVALUATES)]
    loose = [place for _, place, call in calls("sympify") if keyword(call, "strict") != "True"]
    assert not loose, f"sympify without strict=True evaluates strings: {loose}"


def test_no_shell_runs() -> None:
    os_calls = calls("system", "popen", "getoutput", "getstatusoutput")
    assert not [place for _, place, call in os_calls if not ast.unparse(call.func).startswith("platform.")]
    started = list(calls("run", "Popen", "call", "check_call", "check_output"))
    assert not [place for _, place, call in started if keyword(call, "shell") not in {None, "False"}]


def test_only_named_modules_run_python_files() -> None:
    assert not [place for module, place, _ in calls("exec_module", "run_path") if module not in RUNS_PYTHON_FILES]


def test_nothing_is_unpickled() -> None:
    assert not [place for _, place, call in calls("load") if keyword(call, "allow_pickle") not in {None, "False"}]
    names = [(module, line, name) for module in modules() for name, line in imports(module)]
    assert not [n for n in names if n[2].startswith(UNPICKLES)]


def test_there_is_one_substitution() -> None:
    """`language.indices.substitute` renames bound indices that would capture; SymPy's own methods do not."""
    uses = {m: place for m, place, _ in calls("subs", "xreplace") if not m.startswith("language/")}
    assert not [place for module, place in uses.items() if module not in SUBSTITUTES]
    assert not set(SUBSTITUTES) - set(uses), "these no longer substitute; take them off the list"


def test_one_door_to_jinja() -> None:
    uses = {m for m in modules() for name, _ in imports(m) if name.split(".")[0] == "jinja2"}
    assert uses == set(JINJA_DOORS)


@pytest.mark.parametrize("module", RUNS_PYTHON_FILES)
def test_the_list_names_modules_that_exist(module: str) -> None:
    assert module in modules()
