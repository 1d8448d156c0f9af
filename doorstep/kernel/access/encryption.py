"""Fields that identify a person: sealed in the database, found through a keyed blind index.

AES-256-GCM by default, SM4-GCM where national cryptography is required (GB/T 39786-2021). A sealed value is
one byte of cipher number, 12 bytes of nonce, then ciphertext with its tag. The blind index is the first 128 bits of
HMAC-SHA-256 over the normalised value: equal values meet, nothing else can be read from it.
"""

import base64
import functools
import hashlib
import hmac
import os
import uuid
from collections.abc import Iterable
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.db import models

_AES, _SM4 = 1, 4
_NONCE = 12
_TAG = 16
# The block of SHA-256 in bytes.
_BLOCK = 64


@functools.cache
def _key(size: int) -> bytes:
    return hashlib.blake2b(base64.b64decode(settings.FIELD_KEY), digest_size=size, person=b"doorstep-fields").digest()


@functools.cache
def _aes() -> AESGCM:
    return AESGCM(_key(32))


def seal(value: str) -> bytes:
    """Return the sealed form of a text with the cipher that the installation chose."""
    nonce = os.urandom(_NONCE)
    if settings.FIELD_CIPHER == "SM4-GCM":
        encryptor = Cipher(algorithms.SM4(_key(16)), modes.GCM(nonce)).encryptor()
        body = encryptor.update(value.encode()) + encryptor.finalize()
        return bytes([_SM4]) + nonce + body + encryptor.tag
    return bytes([_AES]) + nonce + _aes().encrypt(nonce, value.encode(), None)


def seal_many(values: Iterable[str]) -> list[bytes]:
    """The sealed forms of a whole column, for bulk loads; empty stays empty, as in `SealedTextField`."""
    column = list(values)
    if settings.FIELD_CIPHER == "SM4-GCM":
        return [seal(value) if value else b"" for value in column]
    encrypt, first = _aes().encrypt, bytes([_AES])
    drawn = os.urandom(_NONCE * len(column))
    nonces = [drawn[start : start + _NONCE] for start in range(0, len(drawn), _NONCE)]
    return [
        first + nonce + encrypt(nonce, value.encode(), None) if value else b""
        for nonce, value in zip(nonces, column, strict=True)
    ]


def unseal(sealed: bytes) -> str:
    """Return the text of a sealed value; raises cryptography's InvalidTag when one bit of it was changed."""
    cipher, nonce, body = sealed[0], sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :]
    if cipher == _SM4:
        decryptor = Cipher(algorithms.SM4(_key(16)), modes.GCM(nonce, body[-_TAG:])).decryptor()
        return (decryptor.update(body[:-_TAG]) + decryptor.finalize()).decode()
    return _aes().decrypt(nonce, body, None).decode()


def blind_index(kind: str, value: str) -> uuid.UUID:
    """Return the keyed index of a value of a kind ("national-id", "phone"); values are compared without spaces and case."""
    normalised = "".join(value.split()).upper()
    key = base64.b64decode(settings.BLIND_INDEX_KEY)
    digest = hmac.digest(key, f"{kind}\0{normalised}".encode(), "sha256")
    return uuid.UUID(bytes=digest[:16])


def blind_indexes(kind: str, values: Iterable[str]) -> list[str]:
    """`blind_index` of a whole column, for bulk loads, each as 32 hexadecimal digits."""
    key = base64.b64decode(settings.BLIND_INDEX_KEY).ljust(_BLOCK, b"\0")
    if len(key) > _BLOCK:
        return [blind_index(kind, value).hex for value in values]
    # HMAC as RFC 2104 writes it: what key and kind make of the hash is computed once and copied, which takes a third of the time.
    begun = hashlib.sha256(bytes(one ^ 0x36 for one in key) + f"{kind}\0".encode())
    around = hashlib.sha256(bytes(one ^ 0x5C for one in key))
    found = []
    for value in values:
        inner, outer = begun.copy(), around.copy()
        inner.update("".join(value.split()).upper().encode())
        outer.update(inner.digest())
        found.append(outer.digest()[:16].hex())
    return found


class SealedTextField(models.BinaryField):  # type: ignore[type-arg]
    """A text that is sealed on its way into the database and opened on its way out; empty stays empty."""

    description = "sealed text"

    def _check_str_default_value(self) -> list[Any]:
        """A default is a text here, although the column holds bytes."""
        return []

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> str:
        """Open the stored value."""
        return "" if not value else unseal(bytes(value))

    def to_python(self, value: Any) -> Any:
        """Leave texts as they are: sealing happens at the database's door."""
        return value

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        """Seal a text."""
        if isinstance(value, str):
            value = seal(value) if value else b""
        return super().get_db_prep_value(value, connection, prepared)
