"""The page on what a search may say has an entry for everything that it says."""

import re
from pathlib import Path

import pytest

import sklearn_hypergrad
from sklearn_hypergrad.problems import Status
from sklearn_hypergrad.search.results.status import EndStatus

PAGE = Path(__file__).parents[1] / "docs" / "troubleshooting.rst"
MODULES = sorted(Path(sklearn_hypergrad.__file__).parent.rglob("*.py"))
SOURCE = "".join(path.read_text(encoding="utf-8") for path in MODULES)
pytestmark = pytest.mark.skipif(not PAGE.exists(), reason="needs the repository")


def titles(text):
    """Titles of sections: lines that are underlined in their whole length."""
    lines = text.splitlines()
    return {
        line
        for line, below in zip(lines, lines[1:], strict=False)
        if re.fullmatch(r"([-~=])\1+", below) and len(below) >= len(line) > 0
    }


def opening(message):
    """A message up to the end of its first clause."""
    return re.split(r"[.:]", message)[0]


@pytest.fixture(scope="module")
def text():
    return PAGE.read_text(encoding="utf-8")


def missing(text):
    """Endings and statuses that have no entry of their own."""
    found = titles(text)
    end_statuses = [end_status.label for end_status in EndStatus if end_status.label not in found]
    statuses = [
        status.name
        for status in Status
        if opening(status.value or "Converged") not in found
        or f"``Status.{status.name}``" not in text
    ]
    return end_statuses + statuses


def test_every_status_has_an_entry(text):
    assert missing(text) == []


def test_every_status_says_what_is_wrong_and_what_to_do():
    for status in Status:
        sentences = re.findall(r"[A-Z][^.]*(?:\.[^ ][^.]*)*\.(?: |$)", status.value)
        assert (len(sentences) >= 2) == (status is not Status.CONVERGED), status.name
        assert "".join(sentences) == status.value


@pytest.mark.parametrize(
    ("gone", "expected"),
    [
        ("pooled\n~~~~~~\n", ["pooled"]),
        ("Training diverged\n~~", ["DIVERGED"]),
        ("``Status.CONVERGED``", ["CONVERGED"]),
    ],
)
def test_an_entry_that_is_taken_out_is_missed(text, gone, expected):
    assert gone in text
    assert missing(text.replace(gone, "")) == expected


@pytest.mark.parametrize("end_status", [e for e in EndStatus if e.remedy], ids=lambda e: e.name)
def test_remedies_are_quoted(text, end_status):
    assert f"{end_status.label}. {end_status.remedy}" in text


@pytest.mark.parametrize(
    "phrase",
    [
        "the fits score",
        "the converged model",
        "the training of the search",
        "the model of the search",
        "far above that of a constant prediction",
        "far below zero",
        "could not judge",
        "number searched is the best",
        "value of its list",
        "nothing here",
        "a range needs two different values",
        "steps were taken back and halved",
        "the scales of the features differ by a factor of",
        "was enumerated, not searched",
        "no list of numbers to search in",
        "it does not belong to the final step of a Pipeline",
        "is no model that is searched",
        "compares classes, and",
        "is not differentiable",
        "diverges where the search starts",
        "mixes Continuous with other values",
    ],
)
def test_messages_are_those_of_the_code(text, phrase):
    assert phrase in SOURCE
    assert phrase in re.sub(r"\bThe\b", "the", text)
