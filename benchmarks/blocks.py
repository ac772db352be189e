"""CPU seconds to derive, lower and emit C for residual MLPs of 10 and of 100 blocks, each in a process of its own.

    python benchmarks/blocks.py

A block is `h + Dense(width)(Dense(width, "relu")(h))`. "derived" is what differentiates, simplifies and lowers,
"printed" what writes the C text. Imports are not counted.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from itertools import pairwise

WIDTH = 64
TURNS = 3


def measure(blocks: int) -> dict[str, float]:
    """CPU seconds of one run in this process."""
    import symbackprop as sb
    from symbackprop.declare.optimizers import as_optimizer
    from symbackprop.derive.adjoint import differentiate
    from symbackprop.emit.c import emit_c
    from symbackprop.lower import lower
    from symbackprop.simplify import simplify
    from symbackprop.simplify.reuse import reuse_outputs

    x = sb.Input(WIDTH)
    h = sb.Dense(WIDTH)(x)
    for _ in range(blocks):
        h = sb.Dense(WIDTH)(sb.Dense(WIDTH, "relu")(h)) + h
    net = sb.Network(inputs=x, outputs=sb.Dense(10)(h), loss="softmax_cross_entropy", weight_decay=1e-4)
    marks = [time.process_time()]
    system = net.system
    marks.append(time.process_time())
    program = lower(simplify(differentiate(system, reuse_outputs)), as_optimizer("momentum").equations())
    marks.append(time.process_time())
    text = emit_c(program, "float32").text
    marks.append(time.process_time())
    declared, derived, printed = (b - a for a, b in pairwise(marks))
    return {"declared": declared, "derived": derived, "printed": printed, "kilobytes": len(text) / 1000}


def best(blocks: int) -> dict[str, float]:
    """The fastest of several fresh processes."""
    runs = []
    for _ in range(TURNS):
        command = [sys.executable, __file__, str(blocks)]
        runs.append(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
    return min(runs, key=lambda r: r["declared"] + r["derived"] + r["printed"])


def main() -> None:
    """Print both rows and their ratio."""
    if len(sys.argv) > 1:
        print(json.dumps(measure(int(sys.argv[1]))))
        return
    rows = {blocks: best(blocks) for blocks in (10, 100)}
    for blocks, row in rows.items():
        total = row["declared"] + row["derived"] + row["printed"]
        told = ", ".join(f"{name} {row[name]:.2f} s" for name in ("declared", "derived", "printed"))
        print(f"{blocks:4d} blocks: {total:.2f} s ({told}), {row['kilobytes']:.0f} kB of C")
    print(f"derived, 100 blocks over 10: {rows[100]['derived'] / rows[10]['derived']:.1f}")


if __name__ == "__main__":
    main()
