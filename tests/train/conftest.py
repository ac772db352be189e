"""Makes `module_double` importable by its name, also in spawned processes."""

from __future__ import annotations

import sys
from pathlib import Path

from hypothesis import settings

HERE = str(Path(__file__).parent)
if HERE not in sys.path:
    sys.path.insert(0, HERE)

settings.register_profile("train", deadline=None, derandomize=True, database=None, max_examples=60)
