"""Kernels of rows with a name in scikit-learn, and their derivatives."""
