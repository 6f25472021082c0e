"""Data of a fit: inputs, splits, blocks of splits, features, and layouts of vectors."""
