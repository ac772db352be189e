"""What is there, what is missing, how to get it."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
from dataclasses import dataclass

from . import __version__
from .errors import SymbackpropError
from .load.cache import cache_root, usage
from .load.compiler import Compiler, cpu_features, find_compiler
from .load.library import build, open_library
from .pdf import GET_ENGINE, find_engine

LIBRARIES = ("numpy", "sympy", "jinja2", "cffi", "safetensors")
OPTIONAL = {
    "matplotlib": ("plot", "learning curves"),
    "scikit-learn": ("sklearn", "the demo's digits"),
    "ziglang": ("zig", "a C compiler from PyPI"),
}
"""Distribution -> (the extra that brings it, what it is for)."""
FEATURES = {
    "AVX2": "avx2",
    "FMA": "fma",
    "AVX-512": "avx512f",
    "AVX-512 BF16": "avx512_bf16",
    "AMX": "amx_tile",
    "NEON": "neon|asimd",
    "SVE": "sve",
}
"""Feature -> how the system calls it (a regular expression for one word)."""
GET_COMPILER = {
    "Linux": "apt-get install gcc (Debian, Ubuntu), dnf install gcc (Fedora), apk add gcc musl-dev (Alpine)",
    "Darwin": "xcode-select --install",
}
ANYWHERE = 'on any system: pip install "symbackprop[zig]"'
PROBE = "double sbp_probe(double x) { return 2.0 * x + 1.0; }\n"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report; `mark` is "ok", "missing", "broken" or, for a plain fact, ""."""

    subject: str
    mark: str
    text: str


def report() -> bool:
    """Print all findings; True if C works, which means that a kernel was compiled, loaded and run."""
    c = c_finding()
    for finding in (*versions(), c, cpu(), blas(), cache(), latex(), *optional()):
        text = finding.text.replace("\n", "\n" + " " * 23)
        print(f"{finding.subject:<13} {finding.mark:<8} {text}".rstrip())
    print("C works." if c.mark == "ok" else 'C does not work; target="numpy" does.')
    return c.mark == "ok"


def versions() -> tuple[Finding, ...]:
    """The package, Python and the libraries it needs."""
    system = f"{platform.system()} {platform.machine()}"
    needed = ", ".join(f"{name} {_version(name) or 'missing'}" for name in LIBRARIES)
    return (
        Finding("symbackprop", "", __version__),
        Finding("Python", "", f"{platform.python_version()} on {system}"),
        Finding("libraries", "", needed),
    )


def c_finding() -> Finding:
    """The compiler, tried on a kernel of one line."""
    try:
        compiler = find_compiler()
        if compiler is None:
            return Finding("C compiler", "missing", f"to get one: {how_to_get_compiler()}")
        _, library = open_library(build(PROBE, compiler=compiler), "double sbp_probe(double x);")
        told = library.sbp_probe(3.0)
    except SymbackpropError as error:
        return Finding("C compiler", "broken", f"{error}\nAnother compiler: {how_to_get_compiler()}")
    if told != 7.0:
        return Finding("C compiler", "broken", f"{_named(compiler)} computes 2*3 + 1 = {told}")
    return Finding("C compiler", "ok", _named(compiler))


def how_to_get_compiler() -> str:
    """The commands that install a C compiler on this system, and the one that works everywhere."""
    own = GET_COMPILER.get(platform.system())
    return f"{own}; {ANYWHERE}" if own else ANYWHERE


def _named(compiler: Compiler) -> str:
    first = (compiler.version.splitlines() or ["unknown version"])[0]
    return f"{' '.join(compiler.command)} ({first})"


def cpu() -> Finding:
    """The features that matter to kernels, and the number of cores."""
    words = cpu_features().lower()
    if platform.machine() == "arm64":
        words += " neon"
    found = [name for name, word in FEATURES.items() if re.search(rf"(?<![\w.])(?:{word})(?:\.\w+)?(?!\w)", words)]
    return Finding("CPU", "", f"{os.cpu_count()} cores, {', '.join(found) or 'no vector features known'}")


def blas() -> Finding:
    """NumPy's BLAS, which the NumPy target uses."""
    import numpy as np

    found = np.show_config(mode="dicts").get("Build Dependencies", {}).get("blas", {})
    text = f"{found.get('name', 'unknown')} {found.get('version', '')}".strip()
    return Finding("BLAS of NumPy", "", text)


def cache() -> Finding:
    """Where compiled libraries are kept."""
    try:
        root = cache_root()
        files, size = usage()
    except SymbackpropError as error:
        return Finding("cache", "broken", str(error))
    writable = os.access(root, os.W_OK)
    text = f"{root}, {files} files, {size / 1e6:.1f} MB"
    return Finding("cache", "ok" if writable else "broken", text if writable else f"{text}, not writable")


def latex() -> Finding:
    """What makes a PDF of a derivation."""
    engine = find_engine()
    return Finding("LaTeX", "ok", engine) if engine else Finding("LaTeX", "missing", f"for PDF; {GET_ENGINE}")


def optional() -> tuple[Finding, ...]:
    """Packages that only some features need."""
    return tuple(_optional(name, extra, use) for name, (extra, use) in OPTIONAL.items())


def _optional(name: str, extra: str, use: str) -> Finding:
    version = _version(name)
    cure = f'for {use}: pip install "symbackprop[{extra}]"'
    return Finding(name, "ok", version) if version else Finding(name, "missing", cure)


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""
