"""Candidates of a search: which values are enumerated, which ranges are searched, and why not."""
