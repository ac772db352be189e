"""Saved models: one `.safetensors` file with everything that training needs to go on.

Tensors: `parameters.<name>`, `fixed.<name>` for the model's states, `state.<state>.<name>` for the optimizer.
The header's one metadata entry, `symbackprop`, is JSON: format, manifest, hypers, seed, step, epoch, what schedules
have learned from losses, and a SHA-256 of all tensors and of these, so a flipped bit is found. Reading runs no code
from the file.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from ..errors import ModelFileError
from ..runtime import Manifest
from .blocks import Array

KEY = "symbackprop"
FORMAT = 1


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A model's file as a record. `fixed` are the model's states by name (running statistics, frozen parameters),
    `states` the optimizer's, by state name, then by parameter name."""

    manifest: Manifest
    parameters: Mapping[str, Array]
    fixed: Mapping[str, Array]
    states: Mapping[str, Mapping[str, Array]]
    hypers: Mapping[str, float]
    seed: int
    step: int
    epoch: int
    schedules: Mapping[str, tuple[float, ...]] = field(default_factory=dict)


def write(path: str | os.PathLike[str], checkpoint: Checkpoint) -> None:
    """Write the file: the old one stays whole until the new one is complete.

    A new file gets the usual permissions, an old one keeps its own; a symbolic link stays, the file it points
    to is replaced. `ModelFileError` when it cannot be written; nothing is left behind then.
    """
    tensors = {f"parameters.{name}": np.ascontiguousarray(a) for name, a in checkpoint.parameters.items()}
    tensors |= {f"fixed.{name}": np.ascontiguousarray(a) for name, a in checkpoint.fixed.items()}
    for state, arrays in checkpoint.states.items():
        tensors |= {f"state.{state}.{name}": np.ascontiguousarray(a) for name, a in arrays.items()}
    head: dict[str, Any] = {
        "format": FORMAT,
        "manifest": json.loads(checkpoint.manifest.to_json()),
        "hypers": dict(checkpoint.hypers),
        "seed": checkpoint.seed,
        "step": checkpoint.step,
        "epoch": checkpoint.epoch,
        "schedules": {name: [v.hex() for v in memory] for name, memory in checkpoint.schedules.items()},
    }
    head["sha256"] = _digest(tensors, head)
    _replace(Path(path), save(tensors, {KEY: json.dumps(head, sort_keys=True)}))


def _digest(tensors: Mapping[str, Array], head: Mapping[str, Any]) -> str:
    told = hashlib.sha256(json.dumps({k: v for k, v in head.items() if k != "sha256"}, sort_keys=True).encode())
    for name in sorted(tensors):
        array = tensors[name]
        told.update(f"\n{name} {array.dtype.str} {array.shape}\n".encode())
        told.update(array.tobytes())
    return told.hexdigest()


def _replace(path: Path, raw: bytes) -> None:
    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_file():
        raise ModelFileError(f"cannot save to {path}: it is not a regular file")
    temporary = target.with_name(f".symbackprop-{secrets.token_hex(8)}.tmp")
    try:
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666), "wb") as file:
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            os.chmod(temporary, target.stat().st_mode & 0o7777)
        os.replace(temporary, target)
    except OSError as error:
        raise ModelFileError(f"cannot save to {path}: {error}; what was there before is unchanged") from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def read(path: str | os.PathLike[str]) -> Checkpoint:
    """The checked content of a saved model.

    Raises `ModelFileError` for a missing, truncated, changed or foreign file.
    """
    try:
        raw = Path(path).read_bytes()
    except OSError as error:
        raise ModelFileError(f"cannot read the saved model {path}: {error}") from error
    try:
        tensors = load(raw)
        header = json.loads(raw[8 : 8 + int.from_bytes(raw[:8], "little")])
    except (SafetensorError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelFileError(
            f"{path} is not a complete .safetensors file ({len(raw)} bytes): {error}; "
            "it was cut short, changed, or is no saved model"
        ) from error
    text = (header.get("__metadata__") or {}).get(KEY)
    if text is None:
        raise ModelFileError(
            f"{path} is a .safetensors file of another program; it holds "
            f"{', '.join(sorted(tensors)[:5]) or 'nothing'}. Copy them with model.parameters.update(...)"
        )
    try:
        head = json.loads(text)
        if not isinstance(head, dict) or head["format"] > FORMAT:
            raise ModelFileError(f"{path} is of a newer format than this version reads ({FORMAT}); update symbackprop")
        if head["sha256"] != _digest(tensors, head):
            raise ModelFileError(f"{path} was changed after it was saved: its checksum does not match")
        return _checkpoint(tensors, head)
    except (ValueError, KeyError, TypeError) as error:
        raise ModelFileError(f"{path} has a header that cannot be understood: {error!r}") from error


def _checkpoint(tensors: Mapping[str, Array], head: Mapping[str, Any]) -> Checkpoint:
    manifest = Manifest.from_json(json.dumps(head["manifest"]))
    names = [slot.name for slot in manifest.parameters]
    return Checkpoint(
        manifest=manifest,
        parameters={name: tensors[f"parameters.{name}"] for name in names},
        fixed={slot.name: tensors[f"fixed.{slot.name}"] for slot in manifest.fixed},
        states={s: {name: tensors[f"state.{s}.{name}"] for name in names} for s in manifest.states},
        hypers={name: float(head["hypers"][name]) for name, _ in manifest.hypers},
        seed=int(head["seed"]),
        step=int(head["step"]),
        epoch=int(head["epoch"]),
        schedules={n: tuple(map(float.fromhex, memory)) for n, memory in head.get("schedules", {}).items()},
    )


def differences(saved: Manifest, own: Manifest) -> list[str]:
    """What keeps a file's content from fitting a model, in words; [] when it fits.

    The place of a parameter in the block, its initializer, and default hyper-parameters do not matter.
    """
    told = []
    for what in ("dtype", "optimizer", "states"):
        a, b = getattr(saved, what), getattr(own, what)
        if a != b:
            told.append(f"{what}: file {a!r}, model {b!r}")
    if [n for n, _ in saved.hypers] != [n for n, _ in own.hypers]:
        told.append(f"hyper-parameters: file {[n for n, _ in saved.hypers]}, model {[n for n, _ in own.hypers]}")
    for what, kept in (("parameter", "parameters"), ("state", "fixed")):
        theirs, ours = ({p.name: p.shape for p in getattr(m, kept)} for m in (saved, own))
        for name in [*ours, *(n for n in theirs if n not in ours)]:
            if theirs.get(name) != ours.get(name):
                told.append(f"{what} {name}: file {theirs.get(name, 'none')}, model {ours.get(name, 'none')}")
    for what in ("inputs", "targets", "outputs"):
        a, b = ([asdict(p) for p in getattr(m, what)] for m in (saved, own))
        if a != b:
            told.append(f"{what}: file {_ports(saved, what)}, model {_ports(own, what)}")
    return told


def _ports(manifest: Manifest, what: str) -> str:
    return ", ".join(f"{p.name} {p.shape} {p.role}" for p in getattr(manifest, what))
