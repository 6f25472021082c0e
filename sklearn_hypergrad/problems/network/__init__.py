"""Fully connected networks: their layers, activations, and training problem."""
