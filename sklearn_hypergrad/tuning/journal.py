"""A journal: a file to which results are appended, and where a later run finds them again.

It has a line of JSON for its header, for each process that has written to it, and for each result.
Lines are flushed to the disk one by one. If a process is killed while it writes, the last line has
no end: it is cut off when the file is next opened. Numbers are exact: JSON has floats with all
their digits, and arrays are the bytes of their floats. Nothing in it is ever executed.
"""

import base64
import contextlib
import datetime
import json
import os
import socket
import uuid

import numpy as np

from sklearn_hypergrad.tuning.events import StorageError
from sklearn_hypergrad.tuning.lock import lock, unlock

# Number of the format of the lines, which changes with it.
FORMAT = 1
ARRAY = "float64"
REMEDY = "Give another directory as checkpoint, or delete the file"


class JournalReader:
    """An open journal that is only read; another process may be writing it.

    Parameters
    ----------
    path : Path
    fingerprint : str
        Says what the results are of. The file must have the same one.

    Raises
    ------
    StorageError
        If it cannot be read; so does every method.
    ValueError
        If the file is something else, or was written in another format.
    """

    def __init__(self, path, fingerprint):
        self._path = path
        self._header = _line({"format": FORMAT, "fingerprint": fingerprint})
        self._places, self._end = {}, 0
        with self._explained("opened"):
            self._file = self._opened()
        try:
            self._begin()
        except BaseException:
            self._file.close()
            raise

    def _opened(self):
        return open(self._path, "rb", buffering=0)

    def _begin(self):
        self._read()

    @property
    def n_known(self):
        """Number of results."""
        return len(self._places)

    def get(self, key):
        """The result of a key, or None."""
        line = self._line_of(key)
        return None if line is None else json.loads(line, object_hook=_decoded)["entry"]

    def lines(self):
        """Yield the keys of all results, and their lines."""
        for key in self._places:
            yield key, self._line_of(key)

    def close(self):
        """Close the file."""
        self._file.close()

    def _line_of(self, key):
        if key not in self._places:
            return None
        start, length = self._places[key]
        with self._explained("read"):
            self._file.seek(start)
            return self._file.read(length)

    def _read(self):
        with self._explained("read"), open(self._path, "rb") as lines:
            for line in lines:
                whole = line.endswith(b"\n")
                if self._end == 0:
                    self._check_header(line, whole)
                if not whole:
                    return
                self._index(line)
                self._end += len(line)

    def _check_header(self, line, whole):
        """Raise ValueError unless the first line is ours; killed processes may leave a part."""
        if line == self._header or (not whole and self._header.startswith(line)):
            return
        found = _understood(line) or {}
        if "format" not in found:
            raise ValueError(f"{self._path} is not a checkpoint. {REMEDY}.")
        raise ValueError(
            f"{self._path} was written in format {found['format']} for fingerprint "
            f"{found.get('fingerprint')}; this version writes {self._header.decode().strip()}. "
            f"{REMEDY}."
        )

    def _index(self, line):
        """Remember where the result of a line stands."""
        found = _understood(line)
        if found is None:
            raise ValueError(
                f"{self._path} is damaged: the line at byte {self._end} is not one of ours. "
                f"{REMEDY}."
            )
        if "key" in found:
            self._places[found["key"]] = self._end, len(line)

    @contextlib.contextmanager
    def _explained(self, what):
        """Errors of the operating system, with the file and what to do."""
        try:
            yield
        except BlockingIOError:
            raise
        except OSError as error:
            raise StorageError(
                error.errno,
                f"The checkpoint {self._path} cannot be {what}: {error.strerror or error}. What it "
                f"has is not lost. Free the disk or give a directory that can be written; the same "
                f"fit then goes on where it was",
            ) from error


class Journal(JournalReader):
    """An open journal, locked for this process and thread.

    The file is created if it is missing, and so is its directory.

    Parameters
    ----------
    path : Path
    fingerprint : str

    Raises
    ------
    BlockingIOError
        If another process or thread has opened it.
    StorageError, ValueError
        As a JournalReader; every method also if it cannot write.
    """

    def _opened(self):
        self._path.parent.mkdir(parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0)
        return open(os.open(self._path, flags, 0o666), "r+b", buffering=0)

    def _begin(self):
        self._lock()
        self._read()
        self._signed()

    def append(self, key, entry):
        """Write a result: numbers, text and arrays of floats, in lists and dicts."""
        self._append(key, _line({"key": key, "entry": entry}))

    def absorb(self, others):
        """Take the results of other JournalReaders over that are new."""
        for other in others:
            for key, line in other.lines():
                if key not in self._places:
                    self._append(key, line)

    def close(self):
        """Release the lock and close the file."""
        with contextlib.suppress(OSError):
            unlock(self._file.fileno())
        super().close()

    def _append(self, key, line):
        start = self._end
        self._write(line)
        self._places[key] = start, self._end - start

    def _lock(self):
        try:
            with self._explained("locked"):
                lock(self._file.fileno())
        except BlockingIOError:
            raise BlockingIOError(
                f"Another fit of the same search on the same data is writing {self._path}: "
                f"{_writer(self._path)}. Wait for it or end it, or give this search another "
                f"directory as checkpoint."
            ) from None

    def _signed(self):
        """Cut off a line that has no end, and say who writes."""
        with self._explained("written"):
            self._file.truncate(self._end)
        if self._end == 0:
            self._write(self._header)
            self._sync_directory()
        began = datetime.datetime.now().astimezone().isoformat(timespec="seconds")
        self._write(_line({"process": os.getpid(), "host": socket.gethostname(), "began": began}))

    def _write(self, line):
        """Append a line, whole or not at all."""
        try:
            with self._explained("written"):
                self._file.seek(self._end)
                rest = memoryview(line)
                while rest:
                    rest = rest[self._file.write(rest) :]
                os.fsync(self._file.fileno())
        except BaseException:
            # What was written of it is cut off now, or when the file is next opened.
            with contextlib.suppress(OSError):
                self._file.truncate(self._end)
            raise
        self._end += len(line)

    def _sync_directory(self):
        """Make the name of a new file as durable as its content, on systems that can."""
        with contextlib.suppress(OSError):
            descriptor = os.open(self._path.parent, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


class SideJournal:
    """The journal of a task on a worker: it reads one file, and writes another beside it.

    Parameters
    ----------
    path : Path
        The journal of the caller, who absorbs the other one later.
    fingerprint : str
    """

    def __init__(self, path, fingerprint):
        self._known, self._own = JournalReader(path, fingerprint), None
        self._path, self._fingerprint = path, fingerprint

    def get(self, key):
        """The result of a key, or None."""
        own = None if self._own is None else self._own.get(key)
        return self._known.get(key) if own is None else own

    def append(self, key, entry):
        """Write a result, as a Journal does."""
        if self._own is None:
            place = self._path.with_name(f"{self._path.stem}.{uuid.uuid4().hex}.jsonl")
            self._own = Journal(place, self._fingerprint)
        self._own.append(key, entry)

    def close(self):
        """Close the files."""
        self._known.close()
        if self._own is not None:
            self._own.close()


def absorb_sides(journal, path, fingerprint):
    """Take what SideJournals have written over into the journal of a path.

    Their files are deleted, unless a worker is still writing one.
    """
    for place in sorted(path.parent.glob(f"{path.stem}.*.jsonl")):
        with contextlib.closing(JournalReader(place, fingerprint)) as side:
            journal.absorb([side])
        # Somebody who is writing locks it.
        with contextlib.suppress(OSError):
            Journal(place, fingerprint).close()
            place.unlink()


def _writer(path):
    """The last process that has opened a journal, as text."""
    writer = "an unknown process"
    with contextlib.suppress(OSError, ValueError), open(path, "rb") as lines:
        for line in lines:
            if line.startswith(b'{"process"') and line.endswith(b"\n"):
                found = json.loads(line)
                own = found["process"] == os.getpid() and found["host"] == socket.gethostname()
                writer = f"process {found['process']} on {found['host']}, since {found['began']}"
                writer += " (another thread of this process)" * own
    return writer


def _understood(line):
    """The dict of a line, or None."""
    try:
        content = json.loads(line)
    except ValueError:
        return None
    return content if isinstance(content, dict) else None


def _line(content):
    return json.dumps(content, default=_encoded, separators=(",", ":")).encode() + b"\n"


def _encoded(value):
    if isinstance(value, np.integer):
        return int(value)
    data = np.asarray(value, dtype="<f8")
    return {ARRAY: base64.b64encode(data.tobytes()).decode(), "shape": data.shape}


def _decoded(content):
    if ARRAY not in content:
        return content
    data = np.frombuffer(base64.b64decode(content[ARRAY]), dtype="<f8").astype(float)
    return data.reshape(content["shape"])
