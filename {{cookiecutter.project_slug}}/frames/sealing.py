"""Bytes that only this site can have written: Django's signer, for pickles.

Reading a pickle can run code, so nothing is unpickled that was not sealed here.
"""

import io
import pickle

from django.core.signing import BadSignature, Signer
from django.utils.crypto import constant_time_compare

SIGNATURE_LENGTH = 43  # HMAC-SHA256 in base64, as Django's signer writes it.


def sign(data, purpose):
    """Return the signature (bytes, of SIGNATURE_LENGTH) of ``data`` for a purpose.

    Args:
        data: bytes.
        purpose: str; what is signed for one purpose is not valid for another.
    """
    return Signer(salt=purpose).signature(data).encode()


def verify(signature, data, purpose):
    """Pass if ``data`` (bytes) was signed with SECRET_KEY or one of its fallbacks.

    Raises:
        BadSignature: it was not, or was changed since.
    """
    signer = Signer(salt=purpose)
    for key in [signer.key, *signer.fallback_keys]:
        if constant_time_compare(signature, signer.signature(data, key)):
            return
    raise BadSignature(f"no signature of this site for {purpose}")


def seal(value, purpose, stored=b""):
    """Return ``value``, anything that can be pickled, as signed bytes.

    Args:
        value: compared strictly with what is in ``stored``: 0.0 is not -0.0, and 1 is
            not True.
        purpose: str; what was sealed for one purpose cannot be read for another.
        stored: bytes that were sealed before; they are returned if the value is theirs.
    """
    file = io.BytesIO()
    pickler = pickle.Pickler(file, 5)
    # Without a memo: or the bytes would also tell which strings were the same object.
    pickler.fast = True
    pickler.dump(value)
    data = file.getvalue()
    if stored and stored[SIGNATURE_LENGTH:] == data:
        return stored
    return sign(data, purpose) + data


def unseal(sealed, purpose):
    """Return the value that was sealed for this purpose.

    Raises:
        BadSignature: nothing was, or the bytes were changed since.
    """
    data = sealed[SIGNATURE_LENGTH:]
    verify(sealed[:SIGNATURE_LENGTH], data, purpose)
    return pickle.loads(data)
