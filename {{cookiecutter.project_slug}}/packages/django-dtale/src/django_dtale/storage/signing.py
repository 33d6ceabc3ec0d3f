"""Sign pickles with Django's signer, and verify their signatures.

Reading a pickle can run code, so bytes are unpickled only if this site has signed them.
"""

import io
import pickle
from typing import Any

from django.core.signing import BadSignature, Signer
from django.utils.crypto import constant_time_compare

SIGNATURE_LENGTH = 43  # Django's signer writes HMAC-SHA256 in base64.


def sign(data: bytes, purpose: str) -> bytes:
    """Return the signature of ``data``. Its length is SIGNATURE_LENGTH.

    Args:
        purpose: the signature is valid only for this purpose.
    """
    return Signer(salt=purpose).signature(data).encode()


def verify(signature: bytes, data: bytes, purpose: str) -> None:
    """Check that ``data`` was signed with SECRET_KEY or one of its fallbacks.

    Raises:
        BadSignature: the data were not signed for this purpose, or were changed since.
    """
    signer = Signer(salt=purpose)
    for key in [signer.key, *signer.fallback_keys]:
        if constant_time_compare(signature, signer.signature(data, key)):
            return
    raise BadSignature(f"no signature of this site for {purpose}")


def dumps(value: object, purpose: str, stored: bytes = b"") -> bytes:
    """Return a pickled value as signed bytes.

    Args:
        purpose: the bytes can be read only for this purpose.
        stored: bytes that were signed before. They are returned if they contain the
            same value. The comparison is strict: 0.0 is not -0.0, and 1 is not True.
    """
    file = io.BytesIO()
    pickler = pickle.Pickler(file, 5)
    # Disable the memo: with it, the bytes would also depend on the identity of strings.
    pickler.fast = True
    pickler.dump(value)
    data = file.getvalue()
    if stored and stored[SIGNATURE_LENGTH:] == data:
        return stored
    return sign(data, purpose) + data


def loads(signed: bytes, purpose: str) -> Any:
    """Return the value in signed bytes.

    Raises:
        BadSignature: the bytes were not signed for this purpose, or were changed since.
    """
    data = signed[SIGNATURE_LENGTH:]
    verify(signed[:SIGNATURE_LENGTH], data, purpose)
    return pickle.loads(data)
