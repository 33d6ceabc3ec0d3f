"""Write DataFrames to files, and read them.

A file contains a pickle (protocol 5, PEP 574), followed by its buffers. Columns are
mapped, not copied. Opening a frame therefore takes only as long as verifying its
checksums, and the processes of one machine share its memory.

    magic, signature | lengths, table, pickle | buffers

The table contains the length and the checksum of each buffer. A file may refer to
another file, its base. Buffers that are in the base are not written again, so that an
edit of one column does not store all columns again. (pandas keeps columns of one dtype
in one array. In long frames, each column is therefore moved to its own array.)

The signature covers the second part and the name of the file. The checksums in that
part cover all buffers, including those in the base. Buffers are plain bytes, which
cannot run code. The pickle can, so its signature is verified before it is loaded.
"""

import copyreg
import io
import mmap
import os
import pickle
import struct
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import xxhash
from django.core.signing import BadSignature

from ..conf import dtale_settings
from .signing import SIGNATURE_LENGTH, sign, verify

MAGIC = b"FRAMES 2"
# Stored payloads are signed with this salt, so it must never change.
PURPOSE = "frames.payload:"
ALIGNMENT = 64  # Bytes: NumPy and Arrow align buffers to a cache line.
# The size of the pickle in bytes, and the number of entries in the table.
LENGTHS = struct.Struct("<QQ")
# The size of a buffer in bytes, and its checksum (XXH3-128).
ENTRY = struct.Struct("<Q16s")
MANY_ROWS = 100_000
FRONT = len(MAGIC) + SIGNATURE_LENGTH

Entry = tuple[int, bytes]  # The values of ENTRY.
Table = Sequence[Entry]


class CorruptPayload(Exception):
    """The file is not the one that was written under its name, or was changed since."""


class PackedFrame:
    """A frame that is ready to be written.

    Attributes:
        table: the size and the checksum of each buffer.
        nbytes: the size of the pickle and the buffers.
    """

    def __init__(self, frame: pd.DataFrame) -> None:
        buffers: list[pickle.PickleBuffer] = []
        file = io.BytesIO()
        pickler = pickle.Pickler(file, protocol=5, buffer_callback=buffers.append)
        pickler.dispatch_table = copyreg.dispatch_table | {np.ndarray: _reduce_array}
        pickler.dump(frame if len(frame) < MANY_ROWS else _split_columns(frame))
        self.pickle = file.getvalue()
        self.buffers = [buffer.raw() for buffer in buffers]
        self.table = [_entry(buffer) for buffer in self.buffers]
        self.nbytes = len(self.pickle) + sum(size for size, _ in self.table)


def _split_columns(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the same frame with an array for each column, without copying data."""
    columns = {at: frame.iloc[:, at] for at in range(frame.shape[1])}
    split = pd.DataFrame(columns, frame.index, copy=False)
    split.columns = frame.columns
    split.attrs = frame.attrs
    return split


def _reduce_array(array):
    """Reduce times to integers, because NumPy exports no buffers of times."""
    if array.dtype.kind in "mM":
        return np.ndarray.view, (array.view("int64"), array.dtype)
    return array.__reduce_ex__(5)


def _entry(buffer: memoryview) -> Entry:
    return buffer.nbytes, xxhash.xxh3_128_digest(buffer)


def shared_buffers(table: Table, base: Table) -> list[int | None]:
    """Return which buffers of a table are also in its base.

    Returns:
        For each entry the number of the same entry in the base, or None. Each buffer is
        shared only once, because two columns in the same memory would change together.
    """
    free = defaultdict(list)
    for number, entry in enumerate(base):
        free[entry].append(number)
    return [free[entry].pop() if free[entry] else None for entry in table]


def write(path: Path, packed: PackedFrame, name: str, base: Table = ()) -> None:
    """Write a frame to a new file, durably.

    Args:
        path: the path of the new file, which must not exist yet.
        name: the name of the payload. The file is valid only under this name.
        base: the table of the base, if there is one.
    """
    signed = LENGTHS.pack(len(packed.pickle), len(packed.table))
    signed += b"".join(ENTRY.pack(*entry) for entry in packed.table) + packed.pickle
    parts: list[bytes | memoryview] = []
    end = FRONT + len(signed)
    for buffer, place in zip(
        packed.buffers, shared_buffers(packed.table, base), strict=True
    ):
        if place is None:
            parts += [b"\0" * (-end % ALIGNMENT), buffer]
            end += sum(len(part) for part in parts[-2:])
    with open(path, "xb", buffering=1 << 20, opener=_open_private) as file:
        file.write(MAGIC + sign(signed, PURPOSE + name) + signed)
        file.writelines(parts)
        file.flush()
        os.fsync(file.fileno())


def read_table(path: Path, name: str) -> Table:
    """Return the table of a file, without reading its buffers.

    Raises:
        FileNotFoundError, CorruptPayload: see ``read``.
    """
    return _map_file(path, name)[1]


def read(path: Path, name: str, base: "Payload | None" = None) -> "Payload":
    """Read a file, and map its buffers.

    Args:
        path: the path of the file.
        name: the name of the payload.
        base: the base of the payload, if it has one.

    Raises:
        FileNotFoundError: there is no such file.
        CorruptPayload: the file is not the one that was written under this name.
    """
    return Payload(name, *_map_file(path, name), base)


class Payload:
    """A file that was read and verified.

    Attributes:
        table: the size and the checksum of each buffer.
    """

    def __init__(
        self,
        name: str,
        mapped: memoryview,
        table: Table,
        start: int,
        end: int,
        base: "Payload | None",
    ) -> None:
        self.name = name
        self.table = table
        self.nbytes: int = mapped.nbytes + (base.nbytes if base else 0)
        self.pickle = mapped[start:end]
        self.buffers: list[memoryview] = []
        places = shared_buffers(table, base.table if base else ())
        others = base.buffers if base else []
        for entry, place in zip(table, places, strict=True):
            if place is not None:
                self.buffers.append(others[place])
                continue
            begin = end + -end % ALIGNMENT
            padding, buffer = mapped[end:begin], mapped[begin : begin + entry[0]]
            if any(padding) or _entry(buffer) != entry:
                raise CorruptPayload(f"{name}: its columns were changed")
            self.buffers.append(buffer)
            end = begin + entry[0]
        if end != mapped.nbytes:
            raise CorruptPayload(f"{name}: there are more bytes after its end")

    def frame(self) -> tuple[pd.DataFrame, int]:
        """Return the DataFrame, and an estimate of its memory in bytes.

        Raises:
            CorruptPayload: the pickle contains objects that cannot be loaded here.
        """
        try:
            frame = pickle.loads(self.pickle, buffers=self.buffers)
        except Exception as error:  # For example, a class is not installed here.
            raise CorruptPayload(
                f"{self.name} cannot be read here: {error!r}"
            ) from error
        # Small objects take several times as much memory as their pickle. The factor 8
        # is a cautious estimate.
        return frame, self.nbytes + 7 * len(self.pickle)


def min_mapped() -> int:
    """Return the size in bytes from which files are mapped instead of read.

    Each mapped file stays open, and a process may often open only 1,024 files. The
    cache has room for at most 500 files of this size.
    """
    return max(1 << 20, (dtale_settings.CACHE_MB << 20) // 500)


def _map_file(path: Path, name: str) -> tuple[memoryview, list[Entry], int, int]:
    """Return the bytes of a file, its table, and where its pickle begins and ends.

    Large files are mapped, small files are read.
    """
    with open(path, "rb") as file:
        if os.fstat(file.fileno()).st_size < min_mapped():
            mapped = memoryview(bytearray(file.read()))
        else:
            # The mapping is private: changes by pandas do not reach the file.
            mapped = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY))
    try:
        if mapped[: len(MAGIC)] != MAGIC:
            raise BadSignature("it does not begin like the file of a frame")
        length, count = LENGTHS.unpack_from(mapped, FRONT)
        start = FRONT + LENGTHS.size + ENTRY.size * count
        end = start + length
        if end > mapped.nbytes:
            raise BadSignature("it is truncated")
        signature = bytes(mapped[len(MAGIC) : FRONT])
        verify(signature, bytes(mapped[FRONT:end]), PURPOSE + name)
    except (BadSignature, struct.error) as error:
        raise CorruptPayload(f"{name}: {error}") from None
    table = list(ENTRY.iter_unpack(mapped[FRONT + LENGTHS.size : start]))
    return mapped, table, start, end


def _open_private(path: str, flags: int) -> int:
    """Open a new file that no other account of this machine can read."""
    return os.open(path, flags, 0o600)
