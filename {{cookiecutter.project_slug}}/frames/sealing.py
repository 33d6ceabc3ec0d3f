"""Bytes that only this site can have written: Django's signer, for pickles.

Reading a pickle can run code, so nothing is unpickled that was not sealed here.
"""

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


def seal(value, purpose):
    """Return ``value``, anything that can be pickled, as signed bytes.

    The bytes of equal values are equal: a value is pickled as it is once it has been
    read back, since a pickle also tells which of its strings were the same object.
    """
    data = pickle.dumps(pickle.loads(pickle.dumps(value, 5)), 5)
    return sign(data, purpose) + data


def unseal(sealed, purpose):
    """Return the value that was sealed for this purpose.

    Raises:
        BadSignature: nothing was, or the bytes were changed since.
    """
    sealed = bytes(sealed)  # PostgreSQL's driver returns a memoryview.
    data = sealed[SIGNATURE_LENGTH:]
    verify(sealed[:SIGNATURE_LENGTH], data, purpose)
    return pickle.loads(data)
