"""One CSV per group."""

import datetime
import importlib.metadata
import os
import platform
from pathlib import Path

import pandas as pd

import sklearn_hypergrad

RESULTS = Path(__file__).parents[1] / "results"
PACKAGES = ("scikit-learn", "numpy", "scipy")


def save(folder, group, rows, remark=""):
    """Replace the results of a group."""
    folder.mkdir(parents=True, exist_ok=True)
    table = pd.DataFrame(rows).assign(machine=describe_machine() + remark)
    table.to_csv(folder / f"{group}.csv", index=False)


def load(folder, groups):
    """``{group: data frame}`` of those that have been measured."""
    paths = {group: folder / f"{group}.csv" for group in groups}
    return {group: pd.read_csv(path) for group, path in paths.items() if path.exists()}


def describe_machine():
    """Where, with what and when something is measured."""
    cores = f"{os.cpu_count()} cores of {platform.machine()}"
    packages = [f"sklearn_hypergrad {sklearn_hypergrad.__version__}"]
    packages += [f"{name} {importlib.metadata.version(name)}" for name in PACKAGES]
    today = datetime.date.today().isoformat()
    return ", ".join([cores, f"Python {platform.python_version()}", *packages, today])
