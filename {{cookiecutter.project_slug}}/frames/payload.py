"""The file that holds a DataFrame: what it looks like, written and read.

A pickle (protocol 5, PEP 574) with its buffers beside it: columns are not copied, they
are mapped, so a frame opens in the time that its checksums take, and the processes of
one machine share its memory.

    magic, signature | lengths, table, pickle | buffers

The table has the length and the checksum of each buffer. A file may lean on another one,
its base: what the base has is not written again, so that an edit of one column does not
cost all of them. (pandas keeps columns of one dtype in one array; here, those of long
frames have one each.)

The signature covers the second part and the file's name; the checksums in it cover all
buffers, the base's too. Buffers are plain bytes, which run nothing; the pickle could, so
its signature is verified before it is read.
"""

import copyreg
import io
import mmap
import os
import pickle
import struct
from collections import defaultdict

import numpy as np
import pandas as pd
import xxhash
from django.conf import settings
from django.core.signing import BadSignature

from .sealing import SIGNATURE_LENGTH, sign, verify

MAGIC = b"FRAMES 2"
PURPOSE = "frames.payload:"
ALIGNMENT = 64  # Bytes: a cache line, as numpy and Arrow like their buffers.
LENGTHS = struct.Struct("<QQ")  # Of the pickle, in bytes; of the table, in entries.
ENTRY = struct.Struct("<Q16s")  # A buffer's bytes, and their checksum (XXH3-128).
MANY_ROWS = 100_000
# Bytes. Each mapped file stays open, and often a process may have 1,024 of them: of what
# the cache has room for, no more than 500 are.
MIN_MAPPED = max(1 << 20, (settings.FRAMES_CACHE_MB << 20) // 500)
FRONT = len(MAGIC) + SIGNATURE_LENGTH


class PayloadDamaged(Exception):
    """The file is not what was written under its name: changed, cut off or foreign."""


class Packed:
    """A frame (``pandas.DataFrame``) as it is to be written.

    Attributes:
        pickle: bytes.
        buffers: list of memoryview.
        table: list of (bytes, checksum), one for each buffer.
        nbytes: int, of the pickle and the buffers.
    """

    def __init__(self, frame):
        buffers, file = [], io.BytesIO()
        pickler = pickle.Pickler(file, protocol=5, buffer_callback=buffers.append)
        pickler.dispatch_table = copyreg.dispatch_table | {np.ndarray: _reduced}
        pickler.dump(frame if len(frame) < MANY_ROWS else _by_column(frame))
        self.pickle = file.getvalue()
        self.buffers = [buffer.raw() for buffer in buffers]
        self.table = [_entry(buffer) for buffer in self.buffers]
        self.nbytes = len(self.pickle) + sum(size for size, _ in self.table)


def _by_column(frame):
    """Return the same ``pandas.DataFrame``, uncopied, with an array for each column."""
    columns = {at: frame.iloc[:, at] for at in range(frame.shape[1])}
    split = pd.DataFrame(columns, frame.index, copy=False)
    split.columns = frame.columns
    split.attrs = frame.attrs
    return split


def _reduced(array):
    """Numpy gives no buffer of times, but of the integers that they are."""
    if array.dtype.kind in "mM":
        return np.ndarray.view, (array.view("int64"), array.dtype)
    return array.__reduce_ex__(5)


def _entry(buffer):
    return buffer.nbytes, xxhash.xxh3_128_digest(buffer)


def lent(table, base):
    """Say which buffers of a table are in another one, a base's.

    Returns:
        list: for each entry the number of the base's that is the same, or None. Each is
        lent once: two columns in one memory would change together.
    """
    free = defaultdict(list)
    for number, entry in enumerate(base):
        free[entry].append(number)
    return [free[entry].pop() if free[entry] else None for entry in table]


def write(path, packed, name, base=()):
    """Write a frame to a new file, durably.

    Args:
        path: where; no file may be there yet.
        packed: ``Packed``.
        name: str, the payload's name: the file is valid under this name alone.
        base: the table (list) of the file that this one leans on, if there is one.
    """
    signed = LENGTHS.pack(len(packed.pickle), len(packed.table))
    signed += b"".join(ENTRY.pack(*entry) for entry in packed.table) + packed.pickle
    parts, end = [], FRONT + len(signed)
    for buffer, place in zip(packed.buffers, lent(packed.table, base), strict=True):
        if place is None:
            parts += [b"\0" * (-end % ALIGNMENT), buffer]
            end += sum(len(part) for part in parts[-2:])
    with open(path, "xb", buffering=1 << 20, opener=_private) as file:
        file.write(MAGIC + sign(signed, PURPOSE + name) + signed)
        file.writelines(parts)
        file.flush()
        os.fsync(file.fileno())


def read_table(path, name):
    """Return the table (list) of a file's buffers, which are not read.

    Raises:
        FileNotFoundError, PayloadDamaged: as of ``read``.
    """
    return _opened(path, name)[1]


def read(path, name, base=None):
    """Read a file, with its buffers mapped.

    Args:
        path: the file.
        name: str, the payload's name.
        base: the ``Payload`` that it leans on, if it does.

    Returns:
        Payload

    Raises:
        FileNotFoundError: there is no such file.
        PayloadDamaged: the file is not the one that was written under this name.
    """
    return Payload(name, *_opened(path, name), base)


class Payload:
    """A file that was read, and verified.

    Attributes:
        table: list of (bytes, checksum), one for each buffer.
        buffers: list of memoryview.
    """

    def __init__(self, name, mapped, table, start, end, base):
        self.name = name
        self.table = table
        self.nbytes = mapped.nbytes + (base.nbytes if base else 0)
        self.pickle = mapped[start:end]
        self.buffers = []
        places = lent(table, base.table if base else ())
        for entry, place in zip(table, places, strict=True):
            if place is not None:
                self.buffers.append(base.buffers[place])
                continue
            begin = end + -end % ALIGNMENT
            padding, buffer = mapped[end:begin], mapped[begin : begin + entry[0]]
            if any(padding) or _entry(buffer) != entry:
                raise PayloadDamaged(f"{name}: its columns were changed")
            self.buffers.append(buffer)
            end = begin + entry[0]
        if end != mapped.nbytes:
            raise PayloadDamaged(f"{name}: there is more behind its end")

    def frame(self):
        """Return the ``pandas.DataFrame``, and about how many bytes of memory it takes.

        Raises:
            PayloadDamaged: there is something in it that is not known here.
        """
        try:
            frame = pickle.loads(self.pickle, buffers=self.buffers)
        except Exception as error:  # Of a class, say, that is not installed here.
            raise PayloadDamaged(
                f"{self.name} cannot be read here: {error!r}"
            ) from error
        # Unpickled, small objects are several times their pickle: 8 is a careful guess.
        return frame, self.nbytes + 7 * len(self.pickle)


def _opened(path, name):
    """Return a file's bytes, its table, and where its pickle begins and ends.

    The bytes are mapped, those of a short file read.
    """
    with open(path, "rb") as file:
        if os.fstat(file.fileno()).st_size < MIN_MAPPED:
            mapped = memoryview(bytearray(file.read()))
        else:
            # Private: what pandas writes into its columns stays in this process.
            mapped = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY))
    try:
        if mapped[: len(MAGIC)] != MAGIC:
            raise BadSignature("it does not begin as a frame's file")
        length, count = LENGTHS.unpack_from(mapped, FRONT)
        start = FRONT + LENGTHS.size + ENTRY.size * count
        end = start + length
        if end > mapped.nbytes:
            raise BadSignature("it is cut off")
        signature = bytes(mapped[len(MAGIC) : FRONT])
        verify(signature, bytes(mapped[FRONT:end]), PURPOSE + name)
    except (BadSignature, struct.error) as error:
        raise PayloadDamaged(f"{name}: {error}") from None
    table = list(ENTRY.iter_unpack(mapped[FRONT + LENGTHS.size : start]))
    return mapped, table, start, end


def _private(path, flags):
    """Open a new file that no other account of this machine can read."""
    return os.open(path, flags, 0o600)
