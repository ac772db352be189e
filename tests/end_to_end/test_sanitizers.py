"""The emitted C under the compiler's sanitizers: no data race, no access outside a buffer, nothing undefined.

A small driver (tests/data/drive.c) takes the place of Python; it also fills the arena with NaN bytes in every other
run, so a value that is read before it is written shows as a difference.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import symbackprop as sb
from symbackprop.load.compiler import Compiler, find_compiler

DRIVER = Path(__file__).parents[1] / "data" / "drive.c"
MEMORY = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")
RACES = ("-fsanitize=thread",)
COMMON = ("-std=gnu11", "-O1", "-g", "-march=native", "-fopenmp-simd", "-fno-math-errno")


@pytest.fixture(scope="module")
def compiler() -> Compiler:
    found = find_compiler()
    if found is None or found.kind not in {"gcc", "clang"}:
        pytest.skip("gcc or clang only")
    return found


def run(compiler: Compiler, folder: Path, options: Sequence[str]) -> list[float]:
    """Compile the driver and run it; the first and the last loss."""
    program = folder / "driver"
    subprocess.run([*compiler.command, *options, str(DRIVER), "-o", str(program), "-lm", "-pthread"], check=True)
    done = subprocess.run([str(program)], capture_output=True, text=True, check=False, timeout=300)
    if "unexpected memory mapping" in done.stderr:  # ThreadSanitizer and much address randomization
        done = subprocess.run(["setarch", "-R", str(program)], capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr[-4000:] + done.stdout
    assert not done.stderr, done.stderr[-4000:]
    return [float(word) for word in done.stdout.split()]


@pytest.fixture(scope="module")
def supported(compiler: Compiler, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Skips where a sanitizer's runtime is missing or does not start on this machine."""

    def check(options: tuple[str, ...]) -> None:
        folder = tmp_path_factory.mktemp("sanitizer")
        source, program = folder / "empty.c", folder / "empty"
        source.write_text("int main(void) { return 0; }\n")
        command = [*compiler.command, *options, str(source), "-o", str(program)]
        if subprocess.run(command, capture_output=True, check=False).returncode:
            pytest.skip(f"{compiler.kind} cannot link {options[0]} here")

    return check


def definitions(net: sb.Network, optimizer: sb.Optimizer, dtype: str, folder: Path, **sizes: int) -> list[str]:
    """The driver's macros; the program is written to `folder`."""
    source = net.emit("c", optimizer, dtype)
    path, manifest = folder / "program.c", source.manifest
    path.write_text(source.text, encoding="utf-8")
    slots = ", ".join(f"{{{s.offset}, {int(np.prod(s.shape))}}}" for s in (*manifest.parameters, *manifest.fixed))
    values = {**net.strengths, **optimizer.hypers}
    macros = {
        "PROGRAM": f'"{path}"',
        "BLOCK": manifest.block,
        "LENGTH": manifest.length,
        "DRAW": ", 7, 3" if manifest.randoms else "",
        "MODES": int(bool(manifest.randoms or manifest.fixed)),
        "STATES": len(manifest.states),
        "SLOTS": f"{{{slots}}}",
        "HYPERS": f"{{{', '.join(str(values[name]) for name, _ in manifest.hypers) or '0'}}}",
        "INPUT": int(np.prod(manifest.inputs[0].shape)),
        "TARGET": int(np.prod(manifest.targets[0].shape)),
        **sizes,
    }
    return [f"-D{name}={value}" for name, value in macros.items()]


def distances(x: Any) -> Any:
    """A layer from an equation, without a matrix product in it."""
    n, j, k = sb.indices("n j k")
    c = sb.parameter("c", (7, x.dim(1)), init=sb.init.normal(0, 1))
    a = sb.tensor("a", (x.dim(0), 7))
    return sb.layer(a, sb.equation(a[n, j], sb.exp(-sb.Sum((x[n, k] - c[j, k]) ** 2, k))))


NETWORKS = {
    "relu": (
        lambda: sb.Network(
            [sb.Input(17), sb.Dense(33, "relu"), sb.Dense(7, "elu"), sb.Dense(17)],
            loss="softmax_cross_entropy",
            weight_decay=1e-3,
        ),
        sb.Adam(0.01),
    ),
    "one": (lambda: sb.Network([sb.Input(1), sb.Dense(1, "tanh"), sb.Dense(1)], loss="mse"), sb.SGD(0.1)),
    "wide": (
        lambda: sb.Network(
            [sb.Input(65), sb.Dense(129, "sigmoid"), sb.Dense(33, "softmax"), sb.Dense(3)],
            loss="sigmoid_cross_entropy",
            regularizers=[sb.L1(1e-3, biases=True)],
        ),
        sb.Momentum(0.05, 0.9),
    ),
    "equation": (
        lambda: sb.Network([sb.Input(5), distances, sb.Dense(2)], loss=lambda p, t: sb.log(sb.cosh(p - t))),
        sb.Nesterov(0.05, 0.9),
    ),
    "modes": (
        lambda: sb.Network(
            [sb.Input(5), sb.Dense(9, "relu"), sb.layers.BatchNorm1d(), sb.layers.Dropout(0.4), sb.Dense(3)], loss="mse"
        ),
        sb.Adam(0.01),
    ),
    "vectors": (
        lambda: sb.Network([sb.Input((3, 5)), sb.Dense(17, "leaky_relu"), sb.Dense(2, "softplus")], loss="mae"),
        sb.RMSProp(0.01),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", NETWORKS)
def test_memory_and_undefined_behavior(name: str, compiler: Compiler, supported: Any, tmp_path: Path) -> None:
    """Widths that fill no vector, a batch of 7 of 33 rows (the last one has 5), single rows, all rows."""
    supported(MEMORY)
    build, optimizer = NETWORKS[name]
    dtype = "float32" if name in {"relu", "wide", "one"} else "float64"
    macros = definitions(build(), optimizer, dtype, tmp_path, ROWS=33, BATCH=7, STEPS=23, THREADS=2)
    first, last = run(compiler, tmp_path, [*COMMON, *MEMORY, *macros])
    assert np.isfinite([first, last]).all() and first != last


@pytest.mark.full
@pytest.mark.parametrize("width", [1, 2, 7, 8, 15, 16, 17, 31, 33, 63, 64, 65, 127])
@pytest.mark.parametrize("batch", [1, 7, 16, 33])
def test_memory_of_many_sizes(width: int, batch: int, compiler: Compiler, supported: Any, tmp_path: Path) -> None:
    supported(MEMORY)
    layers = [sb.Input(width), sb.Dense(width + 1, "relu"), sb.Dense(width)]
    macros = definitions(
        sb.Network(layers, loss="mse"), sb.Adam(0.01), "float32", tmp_path, ROWS=67, BATCH=batch, STEPS=70, THREADS=2
    )
    run(compiler, tmp_path, [*COMMON, *MEMORY, *macros])


@pytest.mark.parametrize("name", ["relu", "equation", "modes"])
def test_two_threads_do_not_race(name: str, compiler: Compiler, supported: Any, tmp_path: Path) -> None:
    """Two trainings over the same data while the main thread predicts, and both give the same parameters."""
    supported(RACES)
    build, optimizer = NETWORKS[name]
    macros = definitions(build(), optimizer, "float32", tmp_path, ROWS=129, BATCH=16, STEPS=90, THREADS=2)
    run(compiler, tmp_path, [*COMMON, *RACES, *macros])


def test_the_sanitizers_see_what_they_are_for(compiler: Compiler, supported: Any, tmp_path: Path) -> None:
    """A block that is one entry short, and a parameter block that two threads share, are reported."""
    build, optimizer = NETWORKS["relu"]
    macros = definitions(build(), optimizer, "float32", tmp_path, ROWS=33, BATCH=7, STEPS=23, THREADS=2)
    supported(MEMORY)
    text = (tmp_path / "program.c").read_text(encoding="utf-8")
    short = text.replace("return size + ", "return size - 16 + ")
    assert short != text
    (tmp_path / "program.c").write_text(short, encoding="utf-8")
    with pytest.raises(AssertionError, match="heap-buffer-overflow"):
        run(compiler, tmp_path, [*COMMON, *MEMORY, *macros])
    supported(RACES)
    shared = text.replace("    const uint64_t mode", "    static int64_t calls; calls++;\n    const uint64_t mode")
    (tmp_path / "program.c").write_text(shared, encoding="utf-8")
    with pytest.raises(AssertionError, match="data race"):
        run(compiler, tmp_path, [*COMMON, *RACES, *macros])
