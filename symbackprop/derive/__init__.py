"""Derive: differentiate equation by equation, contract deltas, accumulate adjoints in reverse."""
