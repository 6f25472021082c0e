"""Outer objectives: validation losses of predictions on held-out parts."""
