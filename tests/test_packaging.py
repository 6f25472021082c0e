"""The lower bounds that are declared are those that are tested."""

import re
import tomllib
from pathlib import Path

import pytest

import sklearn_hypergrad

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_declared_minimum_versions_are_the_tested_ones():
    pinned = dict(re.findall(r"^([\w-]+)==([\d.]+)$", (ROOT / ".ci/minimum.txt").read_text(), re.M))
    required = PROJECT["dependencies"] + PROJECT["optional-dependencies"]["plot"]
    assert dict(requirement.split(">=") for requirement in required) == pinned


@pytest.mark.parametrize("name", sklearn_hypergrad.__all__)
def test_public_names_exist(name):
    assert hasattr(sklearn_hypergrad, name)
