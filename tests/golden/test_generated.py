"""generated/ holds expected output: same paths, same bytes. `pytest tests/golden --update` rewrites it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import symbackprop as sb
from examples import gallery, networks
from symbackprop.document.latex import article
from symbackprop.document.markdown import markdown

ROOT = Path(__file__).resolve().parents[2]
GENERATED = ROOT / "generated"
PROGRAMS = {
    "xor": (gallery.xor, sb.SGD(0.5)),
    "logistic": (gallery.logistic, sb.SGD(0.1)),
    "digits_mlp": (networks.digits_mlp, sb.Momentum(0.01, 0.9)),
    "convolutional": (networks.convolutional, sb.Adam(1e-3)),
    "words": (networks.words, sb.optimizers.AdamW(1e-3, clip_norm=1.0)),
}
"""Networks whose code is kept."""
DOCUMENTS = {name: (net, optimizer) for name, (net, optimizer, _) in gallery.GALLERY.items()} | PROGRAMS
"""Networks whose derivation is kept, step by step."""
LECTURES = {
    "xor": ("lecture-1", "pl"),
    "deep_mlp": ("columns", "sk"),
    "logistic": ("rows", "ru"),
    "half_square_norm": ("rows", "ru"),
    "batch_norm": ("ng", "en"),
    "softmax_regression": ("torch", "en"),
    "linear": ("keras", "en"),
}
"""Documents in one more notation and language: those of the lectures in the lectures' own."""


def expected() -> dict[str, str]:
    """Text by path under generated/."""
    made: dict[str, str] = {}
    for name, (net, optimizer) in PROGRAMS.items():
        folder = name.replace("_", "-")
        made[f"{folder}/numpy/{name}.py"] = net.emit("numpy", optimizer).text
        made[f"{folder}/c/{name}.c"] = net.emit("c", optimizer).text
    for name, (net, optimizer) in DOCUMENTS.items():
        folder, derivation = name.replace("_", "-"), net.derive(optimizer)
        document = derivation.document()
        made[f"{folder}/latex/{name}.tex"] = article(document)
        made[f"{folder}/markdown/{name}.md"] = markdown(document)
        if name in LECTURES:
            notation, language = LECTURES[name]
            other = derivation.document(notation=notation, language=language)
            made[f"{folder}/latex/{name}.{notation}.{language}.tex"] = article(other)
    return made


def test_generated_is_what_the_examples_emit(request: pytest.FixtureRequest) -> None:
    made = expected()
    there = {p.relative_to(GENERATED).as_posix() for p in GENERATED.rglob("*") if p.is_file() and p.name != "README.md"}
    if request.config.getoption("--update"):
        for orphan in there - set(made):
            (GENERATED / orphan).unlink()
        for path, text in made.items():
            (GENERATED / path).parent.mkdir(parents=True, exist_ok=True)
            (GENERATED / path).write_text(text, encoding="utf-8")
        return
    assert there == set(made), "the set of files differs; `pytest tests/golden --update` rewrites it"
    for path, text in made.items():
        stored = (GENERATED / path).read_text(encoding="utf-8")
        assert stored == text, f"generated/{path} differs; `pytest tests/golden --update` rewrites it"


@pytest.mark.parametrize("seed", ["0", "1", "7"])
def test_output_does_not_depend_on_the_hash_seed(seed: str, tmp_path: Path) -> None:
    """Sets and dicts of the emitter must not show: another process with another hash seed emits the same bytes."""
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import symbackprop as sb\n"
        "net = sb.Network([sb.Input(5), sb.Dense(4, 'elu'), sb.Dense(3, 'sigmoid'), sb.Dense(3)],"
        " loss='softmax_cross_entropy', weight_decay=1e-3, regularizers=[sb.L1(0.1)])\n"
        "print(net.emit('c', sb.Adam()).text); print(net.emit('numpy', sb.Adam()).text); print(net.derive(sb.Adam()))\n"
    )
    outputs = []
    for hash_seed in ("123", seed):
        environment = os.environ | {"PYTHONHASHSEED": hash_seed, "SYMBACKPROP_CACHE_DIR": str(tmp_path / hash_seed)}
        run = subprocess.run(
            [sys.executable, "-c", code, str(ROOT)], env=environment, capture_output=True, text=True, check=True
        )
        outputs.append(run.stdout)
    assert outputs[0] == outputs[1]
    assert len(outputs[0]) > 10_000
