"""Stages import earlier stages only, block modules only the declaration language, and nothing heavy too early."""

from __future__ import annotations

import subprocess
import sys

from tests.meta.repo import dotted, imports, modules

BASE = frozenset({"errors", "records", "resources"})
DECLARED = BASE | {"language", "declare"}
DERIVED = DECLARED | {"derive", "simplify"}
MAY_IMPORT: dict[str, frozenset[str]] = {
    "errors": frozenset(),
    "records": BASE,
    "resources": frozenset({"errors"}),
    "language": BASE | {"language"},
    "declare": DECLARED,
    "derive": DECLARED | {"derive"},
    "simplify": DERIVED,
    "present": DERIVED | {"present"},
    "lower": DERIVED | {"lower"},
    "runtime": BASE,
    "streams": frozenset(),
    "files": frozenset({"errors"}),
    "pdf": frozenset({"errors", "files"}),
    "emit": DERIVED | {"runtime", "streams", "lower", "emit"},
    "document": DERIVED | {"runtime", "streams", "present", "lower", "emit", "files", "pdf", "document"},
    "load": DERIVED | {"runtime", "streams", "lower", "emit", "load"},
    "train": DERIVED | {"runtime", "streams", "lower", "emit", "load", "train"},
    "check": DERIVED | {"present", "check"},
}
"""What each stage may import; modules beside the stages (pipeline, cli, ...) stand above all of them."""
DOORS = {
    ("records", "symbackprop.present.text.text"): "Derivation.text()",
    ("records", "symbackprop.present.latex.latex"): "Derivation.latex()",
    ("records", "symbackprop.present.latex.repr_latex"): "a Derivation shows itself in a notebook",
    ("records", "symbackprop.document.make.document"): "Derivation.document()",
    ("records", "symbackprop.document.write.write"): "Derivation.document(path)",
    ("records", "symbackprop.document.jupyter.derivation_html"): "a Derivation shows itself in a notebook",
    ("declare", "symbackprop.document.jupyter.network_html"): "a Network shows itself in a notebook",
    ("declare", "symbackprop.document.jupyter.network_latex"): "a Network shows itself in a notebook",
    ("declare", "symbackprop.pipeline.derive"): "Network.derive()",
    ("declare", "symbackprop.pipeline.emit"): "Network.emit()",
    ("declare", "symbackprop.runtime.Source"): "what Network.emit() gives",
    ("present", "symbackprop.emit.render.render"): "the one door to Jinja",
}
"""Single names of later stages that a stage may import, inside functions, and what for."""

HEAVY = ("jinja2", "lark", "matplotlib", "scipy", "sklearn", "sympy")
LIGHT = ("errors", "records", "language.tensor", "language.functions", "declare", "load", "train", "cli")
"""Modules, or packages with all their modules, that can be imported without any of HEAVY."""
DERIVATIVES = {"diff", "Derivative", "Subs", "Lambda", "gradients"}


def stage_of(name: str) -> str | None:
    """`derive` for `symbackprop.derive.rules.x`; None outside the package and for its top."""
    parts = name.split(".")
    return parts[1] if parts[0] == "symbackprop" and len(parts) > 1 else None


def stage_of_module(module: str) -> str:
    return module.split("/", maxsplit=1)[0].removesuffix(".py")


def test_a_new_stage_has_a_place_in_the_order() -> None:
    assert {stage_of_module(m) for m in modules() if "/" in m} <= set(MAY_IMPORT)


def test_a_stage_imports_earlier_stages_only() -> None:
    wrong = [
        f"{module}:{line} imports {name}"
        for module in modules()
        if (stage := stage_of_module(module)) in MAY_IMPORT
        for name, line in imports(module, annotations=stage != "records")
        if stage_of(name) not in {None, *MAY_IMPORT[stage]} and (stage, name) not in DOORS
    ]
    assert not wrong, "\n".join(wrong)


def test_blocks_are_forward_formulas_in_the_declaration_language() -> None:
    """No derivative can be taken or written where layers, activations, losses and optimizers are declared."""
    blocks = [m for m in modules() if m.startswith("declare/") and m != "declare/network.py"]
    assert "declare/activations.py" in blocks
    wrong = [
        f"{module}:{line} imports {name}"
        for module in blocks
        for name, line in imports(module)
        if stage_of(name) not in {None, *DECLARED} or name.rpartition(".")[2] in DERIVATIVES
    ]
    assert not wrong, "\n".join(wrong)


def test_the_numeric_judge_knows_no_derivation() -> None:
    wrong = [
        f"{module}:{line} imports {name}"
        for module in modules()
        if module.startswith("check/numeric")
        for name, line in imports(module)
        if stage_of(name) in {"derive", "simplify", "present"}
    ]
    assert not wrong, "\n".join(wrong)


def test_nothing_heavy_is_imported_before_it_is_needed() -> None:
    wanted = [f"symbackprop.{part}" for part in LIGHT]
    named = [n for n in map(dotted, modules()) if any(n == w or n.startswith(w + ".") for w in wanted)]
    assert len(named) > len(LIGHT)
    code = (
        "import importlib, sys\n"
        f"for name in ['symbackprop', *{named!r}]:\n"
        "    importlib.import_module(name)\n"
        f"    early = [h for h in {HEAVY!r} if h in sys.modules]\n"
        "    if early: sys.exit(f'{name} imports {early}')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
