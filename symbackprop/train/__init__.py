"""The training runtime: data in, a fitted model and its history out. Needs NumPy, no SymPy."""

from . import checkpoint as checkpoint
from .history import History as History
from .model import Model as Model
