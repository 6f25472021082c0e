"""Pages are plain English: short sentences, and none of the turns that readers stumbled over."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [*sorted((ROOT / "docs").glob("*.rst")), ROOT / "README.md"]
PLACES = [*PAGES, *sorted((ROOT / "sklearn_hypergrad").rglob("*.py"))]
# Words of the mean sentence of a page.
LONGEST_MEAN = 18
TURNS = re.compile(
    "|".join(
        [
            "had again",
            "(?<!more )\\bto be had\\b",
            "that is none of those",
            "bound that is none",
            "for which the data speak",
            "tells no length",
            "says it itself",
            "say of itself",
            "may be one penalty per",
            "ending on a bound is as",
            "one of its bounds says nothing",
            "neither is enough is",
            "not an equation is",
            "nothing that this report can see",
            "pictures of a search: pictures",
            "or give such a value",
            "nothing is said, and yet",
        ]
    ),
    re.IGNORECASE,
)
# What a page has beside sentences: code, directives, tables, options, headings.
BESIDE = re.compile(r"\s|>>>|\.\. |:|\||\$|#|```|<!--|!\[")
UNDERLINE = re.compile(r"^[=\-~^]{3,}$")
MARKUP = re.compile(r"``[^`]*``|:[a-z:]+:`[^`]*`|`[^`]*`_?|\[[^\]]*\]\([^)]*\)")
needs_pages = pytest.mark.skipif(not (ROOT / "docs").exists(), reason="needs the repository")


def sentences(text):
    """Words of each sentence; code, names and references are one word each."""
    for block in re.split(r"\n\s*\n|\n(?=[*-] |\d\. )", text):
        lines = block.strip("\n").splitlines()
        if not lines or BESIDE.match(lines[0]) or (len(lines) > 1 and UNDERLINE.match(lines[1])):
            continue
        prose = MARKUP.sub("X", " ".join(line.strip(" *-") for line in lines))
        for sentence in re.split(r"(?<=[.?!:])\s+", prose):
            words = sentence.split()
            if len(words) > 2:
                yield words


def test_sentences_are_counted():
    text = "Title\n=====\n\nOne two three. Four ``five six`` seven:\n\n    code here\n\n* a b c d"
    assert [len(words) for words in sentences(text)] == [3, 3, 4]


@needs_pages
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_mean_sentence_is_short(page):
    lengths = [len(words) for words in sentences(page.read_text("utf-8"))]
    assert sum(lengths) <= LONGEST_MEAN * len(lengths)


@needs_pages
def test_pages_begin_with_what_a_reader_can_do_then():
    """But for those that are lists: indices, the reference, and the changelog."""
    lists = {"index", "user_guide", "api", "building_blocks", "changelog", "README"}
    texts = {page.stem: page.read_text("utf-8") for page in PAGES if page.stem not in lists}
    begins = re.compile(r".+\n=+\n\nAfter this page you can ", re.MULTILINE)
    assert {name for name, text in texts.items() if not begins.search(text)} == set()


@needs_pages
def test_no_turn_of_phrase_is_left():
    texts = {path: path.read_text("utf-8") for path in PLACES}
    found = {
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path, text in texts.items()
        for match in TURNS.finditer(re.sub(r"\s+(# )?", " ", text))
    }
    assert found == set()


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("States that are had again, backwards", True),
        ("More is to be had elsewhere", True),
        ("Recover the states in reverse order", False),
    ],
)
def test_turns_are_found(text, is_one):
    assert bool(TURNS.search(text)) == is_one
