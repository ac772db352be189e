"""Declare networks: tensors, equations, layers, losses, regularizers, optimizers. Forward formulas only."""
