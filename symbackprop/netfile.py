"""`file.py:net`: the one place where a Python file that the user names is imported, so that its code runs."""

from __future__ import annotations

import importlib.util
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType

from .declare.network import Network
from .errors import DeclarationError, SymbackpropError, did_you_mean

FORM = "NET has the form file.py:name, as in model.py:net"
_MODULE = "_symbackprop_network_file"


def load_network(spec: str) -> tuple[Network, str]:
    """The network that `file.py:name` names, and the name; imports the file.

    Raises `DeclarationError` for a wrong form, a missing file or name, a value that is no `sb.Network`, and for any
    exception of the file itself (with the line it came from).
    """
    file, colon, name = spec.rpartition(":")
    if not colon or not file or not name.isidentifier():
        raise DeclarationError(f"{spec!r} names no network. {FORM}.{_hint(Path(spec))}")
    path = Path(file)
    if not path.is_file():
        others = [p.name for p in path.parent.glob("*.py")]
        raise DeclarationError(f"there is no file {path}.{did_you_mean(path.name, others) if others else ''}")
    found = vars(_import(path))
    if name not in found:
        names = [n for n in found if not n.startswith("_")]
        raise DeclarationError(f"{path} has no name {name!r}.{did_you_mean(name, names)}")
    if not isinstance(found[name], Network):
        networks = [n for n, value in found.items() if isinstance(value, Network)]
        cure = f"The networks in this file: {', '.join(networks)}" if networks else "The file has no sb.Network"
        raise DeclarationError(f"{path}:{name} is of type {type(found[name]).__name__}, not an sb.Network. {cure}.")
    with _told(path):
        _ = found[name].system  # runs the file's layer functions
    return found[name], name


def _hint(path: Path) -> str:
    return f" Which name in {path}? Write {path}:net if that is the network's." if path.is_file() else ""


def _import(path: Path) -> ModuleType:
    """The module of a file; its own folder can be imported from while it runs."""
    spec = importlib.util.spec_from_file_location(_MODULE, path)
    if spec is None or spec.loader is None:
        raise DeclarationError(f"{path} is not a Python file: its name must end in .py. {FORM}.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[_MODULE] = module
    with _told(path), _importable(path.resolve().parent):
        spec.loader.exec_module(module)
    return module


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Turns an exception of the file's own code into an error that names its line."""
    try:
        yield
    except (Exception, SystemExit) as error:
        raise DeclarationError(_own_error(path, error)) from error


@contextmanager
def _importable(folder: Path) -> Iterator[None]:
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        with suppress(ValueError):
            sys.path.remove(str(folder))


def _own_error(path: Path, error: BaseException) -> str:
    """`file.py:12: Kind: message` and the line itself; the innermost line of this file counts."""
    if isinstance(error, SyntaxError) and error.filename is not None:
        where, line = f"{error.filename}:{error.lineno}", (error.text or "").strip()
        text = error.msg
    else:
        frames = [f for f in traceback.extract_tb(error.__traceback__) if Path(f.filename).resolve() == path.resolve()]
        if isinstance(error, SymbackpropError) and not frames:
            return str(error)
        where, line = (f"{path}:{frames[-1].lineno}", frames[-1].line or "") if frames else (str(path), "")
        text = str(error) or "(no message)"
    shown = f"\n    {line}" if line else ""
    return f"{where}: {type(error).__name__}: {text}{shown}"
