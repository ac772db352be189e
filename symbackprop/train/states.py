"""The optimizer's states before the first step."""

from __future__ import annotations

import math
from fnmatch import fnmatchcase

from ..runtime import Manifest
from .blocks import Blocks


def fill(manifest: Manifest, blocks: Blocks) -> None:
    """Give every state its first value: a number, or that of a hyper-parameter (in a parameter group, the group's).

    A state that starts at 0 stays as it is, and so do the gaps of all.
    """
    for row, start in zip(blocks.state, manifest.starts, strict=False):
        for slot in manifest.parameters if start else ():
            value = _hyper(manifest, blocks, start, slot.name) if isinstance(start, str) else start
            row[slot.offset : slot.offset + math.prod(slot.shape)] = value


def _hyper(manifest: Manifest, blocks: Blocks, name: str, parameter: str) -> float:
    """The value of a hyper-parameter for one parameter."""
    values = dict(zip((n for n, _ in manifest.hypers), blocks.hypers, strict=True))
    own = (v for n, v in values.items() if n.endswith(f".{name}") and fnmatchcase(parameter, n[: -len(name) - 1]))
    return float(next(own, values[name]))
