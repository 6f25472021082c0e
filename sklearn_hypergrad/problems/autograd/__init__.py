"""Losses of one's own, whose derivatives come from autograd."""
