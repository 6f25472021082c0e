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

import numpy as np

from sklearn_hypergrad.tuning.events import StorageError
from sklearn_hypergrad.tuning.lock import lock, unlock

# Number of the format of the lines, which changes with it.
FORMAT = 1
ARRAY = "float64"
REMEDY = "Give another directory as checkpoint, or delete the file"


class Journal:
    """An open journal, locked for this process and thread.

    Parameters
    ----------
    path : Path
        The file; it is created if it is missing, and so is its directory.
    fingerprint : str
        Says what the results are of. The file must have the same one.

    Raises
    ------
    BlockingIOError
        If another process or thread has opened it.
    StorageError
        If it cannot be read or written; so does every method.
    ValueError
        If the file is something else, or was written in another format.
    """

    def __init__(self, path, fingerprint):
        self._path = path
        self._header = _line({"format": FORMAT, "fingerprint": fingerprint})
        self._places, self._end = {}, 0
        with self._explained("opened"):
            path.parent.mkdir(parents=True, exist_ok=True)
            flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0)
            self._file = open(os.open(path, flags, 0o666), "r+b", buffering=0)
        try:
            self._lock()
            self._read()
            self._begin()
        except BaseException:
            self._file.close()
            raise
        self.n_known = len(self._places)

    def get(self, key):
        """The result of a key, or None."""
        if key not in self._places:
            return None
        start, length = self._places[key]
        with self._explained("read"):
            self._file.seek(start)
            return json.loads(self._file.read(length), object_hook=_decoded)["entry"]

    def append(self, key, entry):
        """Write a result: numbers, text and arrays of floats, in lists and dicts."""
        start = self._end
        self._write(_line({"key": key, "entry": entry}))
        self._places[key] = start, self._end - start

    def close(self):
        """Release the lock and close the file."""
        with contextlib.suppress(OSError):
            unlock(self._file.fileno())
        self._file.close()

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

    def _begin(self):
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
