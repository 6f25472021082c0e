"""The file of a checkpoint, without a search."""

import contextlib
import errno
import json
import threading

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sklearn_hypergrad.tuning import journal
from sklearn_hypergrad.tuning.journal import Journal

ENTRY = {"a": [1.5, None, "text"], "b": {"c": True, "n": np.int64(3)}}


@contextlib.contextmanager
def opened(path, fingerprint="f"):
    with contextlib.closing(Journal(path, fingerprint)) as opened:
        yield opened


@pytest.fixture
def path(tmp_path):
    return tmp_path / "new" / "folder" / "file.jsonl"


@pytest.fixture
def written(path):
    """The path of a file with three results."""
    with opened(path) as new:
        for number in range(3):
            new.append(f"key {number}", [number])
    return path


def test_numbers_are_exact(path):
    rng = np.random.default_rng(0)
    floats = [0.1, -0.0, 5e-324, float("inf"), 1 / 3]
    arrays = [rng.normal(size=(2, 3)).T, np.array([np.nan, -np.inf, -0.0]), np.empty((0, 2))]
    with opened(path) as new:
        new.append("key", {"floats": floats, "arrays": arrays, **ENTRY})
    with opened(path) as again:
        assert again.n_known == 1
        found = again.get("key")
        assert again.get("another key") is None
    assert [repr(each) for each in found["floats"]] == [repr(each) for each in floats]
    for mine, theirs in zip(found["arrays"], arrays, strict=True):
        assert_array_equal(mine, theirs)
        assert_array_equal(np.signbit(mine), np.signbit(theirs))
    assert (found["a"], found["b"]) == (ENTRY["a"], ENTRY["b"])


def test_a_file_says_who_has_written(written):
    with opened(written):
        pass
    lines = [json.loads(line) for line in written.read_text().splitlines()]
    assert lines[0] == {"format": 1, "fingerprint": "f"}
    assert [set(line) for line in lines[1:]] == [
        {"process", "host", "began"},
        *[{"key", "entry"}] * 3,
        {"process", "host", "began"},
    ]


def test_a_line_without_an_end_is_cut_off_wherever_it_ends(written):
    content = written.read_bytes()
    last = content.rindex(b"\n", 0, -1) + 1
    for end in range(last, len(content)):
        written.write_bytes(content[:end])
        with opened(written) as found:
            assert found.n_known == 2
            found.append("key 2", ["again"])
        with opened(written) as found:
            assert (found.n_known, found.get("key 2")) == (3, ["again"])


def test_a_header_without_an_end_is_written_again(path):
    with opened(path):
        header = path.read_bytes().splitlines(keepends=True)[0]
    for end in range(len(header)):
        path.write_bytes(header[:end])
        with opened(path) as new:
            assert new.n_known == 0
            new.append("key", [1])
        with opened(path) as again:
            assert again.get("key") == [1]


@pytest.mark.parametrize(
    "garbage",
    [
        b"garbage",
        b"garbage\n",
        b"\x00" * 40 + b"\n",
        b"[1, 2]\n",
        b"3\n",
        b"{}\n",
        b'{"format":1}\n',
        b'{"format":0,"fingerprint":"f"}\n',
        b'{"format":1,"fingerprint":"g"}\n',
    ],
)
def test_other_files_are_refused_and_kept(path, garbage):
    path.parent.mkdir(parents=True)
    path.write_bytes(garbage)
    with pytest.raises(ValueError, match=r"file.jsonl .* or delete the file"):
        Journal(path, "f")
    assert path.read_bytes() == garbage


def test_damage_inside_is_refused(written):
    content = written.read_bytes()
    written.write_bytes(content.replace(b'"key 1"', b'"key 1', 1))
    with pytest.raises(ValueError, match="the line at byte .* is not one of ours"):
        Journal(written, "f")


def test_other_formats_are_refused(written, monkeypatch):
    monkeypatch.setattr(journal, "FORMAT", 2)
    with pytest.raises(ValueError, match="was written in format 1 .* writes .*:2"):
        Journal(written, "f")


def test_one_writer_at_a_time(written):
    errors = []

    def write():
        try:
            Journal(written, "f").close()
            errors.append(None)
        except BlockingIOError as error:
            errors.append(str(error))

    with opened(written) as first:
        write()
        thread = threading.Thread(target=write)
        thread.start()
        thread.join()
        first.append("key 3", [3])
    write()
    assert errors[2] is None
    for message in errors[:2]:
        assert "another thread of this process" in message
        assert "Wait for it or end it" in message
    with opened(written) as found:
        assert found.n_known == 4


class Full:
    """A file on a disk that is full after some bytes."""

    def __init__(self, file, room):
        self._file, self._room = file, room

    def __getattr__(self, name):
        return getattr(self._file, name)

    def write(self, data):
        if not self._room:
            raise OSError(errno.ENOSPC, "No space left on device")
        n_written = self._file.write(data[: self._room])
        self._room -= n_written
        return n_written


@pytest.mark.parametrize("room", [0, 1, 20])
def test_a_full_disk_loses_nothing(written, room):
    with opened(written) as found:
        content, file = written.read_bytes(), found._file
        found._file = Full(file, room)
        with pytest.raises(OSError, match="cannot be written: No space left") as caught:
            found.append("key 3", [3])
        assert caught.value.errno == errno.ENOSPC
        assert written.read_bytes() == content
        found._file = file
        found.append("key 3", [3])
    with opened(written) as found:
        assert (found.n_known, found.get("key 3")) == (4, [3])


def test_an_interrupted_line_is_taken_back(written, monkeypatch):
    def interrupt(descriptor):
        raise KeyboardInterrupt

    with opened(written) as found:
        content = written.read_bytes()
        with monkeypatch.context() as patch:
            patch.setattr(journal.os, "fsync", interrupt)
            with pytest.raises(KeyboardInterrupt):
                found.append("key 3", [3])
        assert written.read_bytes() == content
        assert found.get("key 3") is None


def test_places_that_cannot_be_written(tmp_path):
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(OSError, match="cannot be opened: .*give a directory"):
        Journal(file / "inside" / "file.jsonl", "f")
    (tmp_path / "folder.jsonl").mkdir()
    with pytest.raises(OSError, match="cannot be opened"):
        Journal(tmp_path / "folder.jsonl", "f")
