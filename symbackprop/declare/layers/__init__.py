"""Layers: frozen records that build their forward equations."""

from .activation import Activation as Activation
from .dense import Dense as Dense
from .input import Input as Input
