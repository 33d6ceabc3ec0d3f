"""The file that holds a DataFrame: what it looks like, written and read.

A pickle (protocol 5, PEP 574) with its buffers beside it: columns are not copied, they
are mapped, so a frame opens in the time that its checksum takes, and the processes of
one machine share its memory.

    magic, signature | lengths, checksum of the buffers, pickle | buffers

The signature covers the second part and the file's name; the checksum in it covers all
of the third. Buffers are plain bytes, which run nothing; the pickle could, so its
signature is verified before it is read.
"""

import copyreg
import io
import mmap
import os
import pickle
import struct

import numpy as np
import xxhash
from django.core.signing import BadSignature

from .sealing import SIGNATURE_LENGTH, sign, verify

MAGIC = b"FRAMES 1"
PURPOSE = "frames.payload:"
ALIGNMENT = 64  # Bytes: a cache line, as numpy and Arrow like their buffers.
LENGTHS = struct.Struct("<QQ")  # Of the pickle, in bytes; of the list of buffers.


class PayloadDamaged(Exception):
    """The file is not what was written under its name: changed, cut off or foreign."""


def write(path, frame, name):
    """Write a frame to a new file, durably.

    Args:
        path: where; no file may be there yet.
        frame: ``pandas.DataFrame``.
        name: str, the payload's name: the file is valid under this name alone.

    Returns:
        int: the file's size in bytes.
    """
    buffers = []
    stream = io.BytesIO()
    pickler = pickle.Pickler(stream, protocol=5, buffer_callback=buffers.append)
    pickler.dispatch_table = copyreg.dispatch_table | {np.ndarray: _reduce_array}
    pickler.dump(frame)
    in_band = stream.getbuffer()
    buffers = [buffer.raw() for buffer in buffers]
    sizes = [buffer.nbytes for buffer in buffers]
    end = in_band_at(len(sizes)) + len(in_band)
    parts = []
    for buffer in buffers:
        parts += [b"\0" * (-end % ALIGNMENT), buffer]
        end += sum(len(part) for part in parts[-2:])
    checksum = xxhash.xxh3_128()
    for part in parts:
        checksum.update(part)
    signed = b"".join(
        [
            LENGTHS.pack(len(in_band), len(sizes)),
            struct.pack(f"<{len(sizes)}Q", *sizes),
            checksum.digest(),
            in_band,
        ]
    )
    with open(path, "xb", buffering=1 << 20, opener=_private) as file:
        file.write(MAGIC + sign(signed, PURPOSE + name) + signed)
        file.writelines(parts)
        file.flush()
        os.fsync(file.fileno())
    return end


def read(path, name):
    """Read a frame, with its columns mapped from the file.

    Args:
        path: the file.
        name: str, the payload's name.

    Returns:
        tuple: the ``pandas.DataFrame``; about how many bytes of memory it takes (int).

    Raises:
        FileNotFoundError: there is no such file.
        PayloadDamaged: the file is not the one that was written under this name.
    """
    with open(path, "rb") as file:
        try:
            # Private: what pandas writes into its columns stays in this process.
            mapped = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY))
        except ValueError:  # An empty file cannot be mapped.
            raise PayloadDamaged(f"{name} is empty") from None
    try:
        in_band, buffers = _verified(mapped, name)
    except (BadSignature, IndexError, OverflowError, struct.error) as error:
        raise PayloadDamaged(f"{name}: {error}") from None
    try:
        frame = pickle.loads(in_band, buffers=buffers)
    except Exception as error:  # Of a class, say, that is not installed here.
        raise PayloadDamaged(f"{name} cannot be read here: {error!r}") from error
    # Unpickled, small objects are several times their pickle: 8 is a careful guess.
    return frame, mapped.nbytes + 7 * len(in_band)


def _verified(mapped, name):
    """Return a good file's pickle (memoryview) and its buffers (list of them)."""
    if mapped[: len(MAGIC)] != MAGIC:
        raise BadSignature("it does not begin as a frame's file")
    start = len(MAGIC) + SIGNATURE_LENGTH
    signature = bytes(mapped[len(MAGIC) : start])
    length, count = LENGTHS.unpack_from(mapped, start)
    pickle_at = in_band_at(count)
    end = pickle_at + length
    if end > mapped.nbytes:
        raise BadSignature("it is cut off")
    verify(signature, bytes(mapped[start:end]), PURPOSE + name)
    checksum = xxhash.xxh3_128_digest(mapped[end:])
    if checksum != mapped[pickle_at - len(checksum) : pickle_at]:
        raise BadSignature("its columns were changed")
    in_band, buffers = mapped[pickle_at:end], []
    for size in struct.unpack_from(f"<{count}Q", mapped, start + LENGTHS.size):
        begin = end + -end % ALIGNMENT
        end = begin + size
        buffers.append(mapped[begin:end])
    return in_band, buffers


def in_band_at(count):
    """Return where the pickle begins (int) in a file with that many buffers."""
    front = len(MAGIC) + SIGNATURE_LENGTH + LENGTHS.size + 8 * count
    return front + xxhash.xxh3_128().digest_size


def _reduce_array(array):
    """Pickle times (``numpy.ndarray``) as integers: of times, numpy gives no buffer."""
    if array.dtype.kind in "mM":
        return _as_times, (array.view("int64"), array.dtype)
    return array.__reduce_ex__(5)


def _as_times(array, dtype):
    return array.view(dtype)


def _private(path, flags):
    """Open a new file that no other account of this machine can read."""
    return os.open(path, flags, 0o600)
