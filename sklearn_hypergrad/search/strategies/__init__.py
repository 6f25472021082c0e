"""Strategies: how a candidate is searched, along a line, as a vector, or several values at once."""
