"""Sealing: clear bodies and secrets at rest, AES-256-GCM under keys that a master key wraps.

Every sealed value is `version, key mark, nonce, ciphertext`. It is bound to the place where it lies (the
`aad`), so that it opens nowhere else. A wrong key, a cut or a changed byte is an error, never garbage.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import os
import re
import threading
import zlib
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

import orjson
import zstandard
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from omie_control.domain.companies import Secret
from omie_control.domain.json_text import read_json
from omie_control.errors import Conflict, InvalidInput

KEY_BYTES = 32
DOCUMENT_HASH_BYTES = 8
_DIGEST_BYTES = 16
_BLOCK_FORMAT = "%-16.16s"
_VERSION = b"\x01"
_MARK_BYTES = 4
_NONCE_BYTES = 12
_HEADER_BYTES = 1 + _MARK_BYTES
_TAG_BYTES = 16
_MAX_OPENED = 256 * 1024 * 1024
_MAX_DEPTH = 128
# How a sealed body was compressed: by itself, with its masked form for a dictionary, or as what differs from it.
_ALONE, _BESIDE, _OVER = b"\x00", b"\x01", b"\x02"
_CHECK_BYTES = 4
# A number with an exponent; begins with a letter, since the engine finds a letter much faster than any digit.
_EXPONENT = re.compile(rb"e(?<=[0-9]e)[-+0-9]")
_MAX_NUMBER_BITS = 4096
_ORJSON = orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS


class MasterKey:
    """The key above all others: wraps data keys, seals secrets, hashes documents. Never prints or pickles itself."""

    __slots__ = ("_index", "_wrapping", "key_id")

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise InvalidInput(
                "A chave mestra não é válida: ela precisa ter 32 bytes.",
                hint="Use os 44 caracteres em base64 que foram guardados no primeiro início.",
                code="chave_mestra_invalida",
            )
        self._wrapping = _derived(key, b"omie-control wrapping")
        # What this key's own index key is, until the installation keeps one of its own that outlives it.
        self._index = _derived(key, b"omie-control documents") + _derived(key, b"omie-control document blocks")
        self.key_id = "mk-" + _derived(key, b"omie-control key id").hex()[:16]

    @classmethod
    def from_text(cls, text: str) -> MasterKey:
        """Read the key from base64, standard or for URLs."""
        try:
            key = base64.b64decode(text.strip().replace("-", "+").replace("_", "/"), validate=True)
        except (binascii.Error, ValueError):
            key = b""
        return cls(key)

    def wrap(self, data_key: bytes, aad: bytes) -> bytes:
        """Seal a data key for its row."""
        return seal(self._wrapping, data_key, aad)

    def unwrap(self, wrapped: bytes, aad: bytes) -> bytes:
        """Open a data key; raises Conflict if another master key wrapped it."""
        return open_sealed(self._wrapping, wrapped, aad)

    def seal_secrets(self, secrets: Mapping[str, Secret], aad: bytes) -> bytes:
        """Seal named secrets for the place where they will lie."""
        return seal(self._wrapping, orjson.dumps({name: secret.reveal() for name, secret in secrets.items()}), aad)

    def open_secrets(self, sealed: bytes, aad: bytes) -> dict[str, Secret]:
        """Open named secrets."""
        return {name: Secret(text) for name, text in orjson.loads(open_sealed(self._wrapping, sealed, aad)).items()}

    def index_key(self) -> bytes:
        """Return the key that hashes documents in an installation that begins with this master key: 64 bytes."""
        return self._index

    def __repr__(self) -> str:
        return f"MasterKey({self.key_id}, •••)"

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("a master key cannot be pickled")


class Hasher:
    """Hashes under the index key, which stays the same whatever becomes of the master key. Never prints itself."""

    __slots__ = ("_documents", "_hashing")

    def __init__(self, index_key: bytes) -> None:
        # Keyed BLAKE2s is a MAC by itself and a third of the price of HMAC-SHA256.
        self._hashing = hashlib.blake2s(key=index_key[:KEY_BYTES], digest_size=_DIGEST_BYTES)
        # A CPF or CNPJ fits one block, and a block cipher under a key of its own is a keyed hash of one block: all
        # documents of a body cost one call. Each block stands for itself, so no chaining is wanted.
        self._documents = Cipher(algorithms.AES256(index_key[KEY_BYTES:]), modes.ECB()).encryptor()  # noqa: S305 - see above

    def document_hashes(self, documents: Iterable[str]) -> bytes:
        """Hash CPFs and CNPJs, 8 bytes each, joined: a row can be found by one, but none be read from it."""
        found = tuple(documents)
        # One text of all of them, each filled up to its block or cut to it.
        blocks = _BLOCK_FORMAT * len(found) % found
        # The first half of each block, as numbers of 8 bytes.
        return (
            memoryview(self._documents.update(blocks.encode("ascii", "replace"))).cast("Q")[::2].tobytes()
            if blocks
            else b""
        )

    def digest(self, text: str) -> bytes:
        """Return a keyed digest of any text, 16 bytes."""
        digest = self._hashing.copy()
        digest.update(text.encode())
        return digest.digest()

    def __repr__(self) -> str:
        return "Hasher(•••)"

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("a hasher cannot be pickled")


def new_key() -> bytes:
    """Make a fresh key of 32 bytes."""
    return os.urandom(KEY_BYTES)


def key_text(key: bytes) -> str:
    """Write a key as people keep it: base64."""
    return base64.b64encode(key).decode()


def seal(key: bytes, plaintext: bytes, aad: bytes) -> bytes:
    """Encrypt under a key for one place."""
    cipher, header = _cipher(key)
    nonce = os.urandom(_NONCE_BYTES)
    return header + nonce + cipher.encrypt(nonce, plaintext, header + aad)


def open_sealed(key: bytes, sealed: bytes, aad: bytes) -> bytes:
    """Decrypt what `seal` made; raises Conflict that says whether the key, the form or the content is wrong."""
    cipher, header = _cipher(key)
    if len(sealed) < _HEADER_BYTES + _NONCE_BYTES + _TAG_BYTES or sealed[:1] != _VERSION:
        raise _broken()
    if sealed[:_HEADER_BYTES] != header:
        raise Conflict(
            "Este conteúdo foi cifrado com outra chave e não pode ser aberto com a chave atual.",
            hint="Restaure a chave mestra que estava em uso quando ele foi gravado.",
            code="chave_errada",
        )
    nonce = sealed[_HEADER_BYTES : _HEADER_BYTES + _NONCE_BYTES]
    try:
        return cipher.decrypt(nonce, sealed[_HEADER_BYTES + _NONCE_BYTES :], header + aad)
    except InvalidTag as exc:
        raise _broken() from exc


def seal_body(clear: bytes, key: bytes, aad: bytes, beside: bytes = b"", alike: bytes = b"") -> bytes:
    """Seal a clear body, given in its canonical form: compressed, encrypted.

    `beside` is what lies next to it in the open, its masked form: what both have in common is then stored once. The
    very same bytes are needed to open the body again, so only what survives a jsonb column unchanged is used.
    `alike` is `beside` in the shape of `clear`: where no mask has changed a length, all that is kept is a few bytes
    among zeros, which is quicker than a dictionary and smaller.
    """
    if not beside or _changes_in_jsonb(beside):
        return seal(key, _ALONE + _zstd.compressor.compress(clear), aad)
    if len(alike) == len(clear):
        check = zlib.crc32(clear).to_bytes(_CHECK_BYTES, "big")
        return seal(key, _OVER + check + _zstd.compressor.compress(_difference(clear, alike)), aad)
    return seal(key, _BESIDE + _compressor(beside).compress(clear), aad)


def open_body(sealed: bytes, key: bytes, aad: bytes, beside: bytes = b"", alike: bytes = b"") -> Any:
    """Open what `seal_body` made. Raises Conflict, also when what lies beside it is not what it was."""
    packed = open_sealed(key, sealed, aad)
    form, packed = packed[:1], packed[1:]
    try:
        if form == _OVER:
            return read_json(_over(packed, alike))
        opener = _zstd.decompressor if form == _ALONE else _decompressor(beside)
        return read_json(opener.decompress(packed, max_output_size=_MAX_OPENED))
    except (zstandard.ZstdError, ValueError) as exc:
        raise _broken() from exc


def _over(packed: bytes, alike: bytes) -> bytes:
    """Return the clear body that differs so from what is like it. Raises ValueError when that is not what it was."""
    difference = _zstd.decompressor.decompress(packed[_CHECK_BYTES:], max_output_size=_MAX_OPENED)
    if len(difference) != len(alike):
        raise ValueError("what lies beside the body has another length")
    clear = _difference(difference, alike)
    if zlib.crc32(clear).to_bytes(_CHECK_BYTES, "big") != packed[:_CHECK_BYTES]:
        raise ValueError("what lies beside the body has changed")
    return clear


def _difference(one: bytes, other: bytes) -> bytes:
    """Return the bytes in which two texts of one length differ, and zeros where they do not; its own inverse."""
    bits = int.from_bytes(one, "little") ^ int.from_bytes(other, "little")
    return bits.to_bytes(len(one), "little")


def _changes_in_jsonb(text: bytes) -> bool:
    """Say whether jsonb writes a number of this JSON another way than it came: an exponent, or a negative zero."""
    return b"-0.0" in text or _EXPONENT.search(text) is not None


def _compressor(beside: bytes) -> zstandard.ZstdCompressor:
    # The checksum tells when the masked form is not the one it was, for a dictionary alone would not.
    return zstandard.ZstdCompressor(level=1, dict_data=_dictionary(beside), write_checksum=True)


def _decompressor(beside: bytes) -> zstandard.ZstdDecompressor:
    return zstandard.ZstdDecompressor(dict_data=_dictionary(beside))


def _dictionary(beside: bytes) -> zstandard.ZstdCompressionDict:
    return zstandard.ZstdCompressionDict(beside, dict_type=zstandard.DICT_TYPE_RAWCONTENT)


def commitment(clear: bytes) -> bytes:
    """Commit to a canonical body: it can be proved unchanged later; a salt in it keeps it from being guessed."""
    return hashlib.sha256(clear).digest()


def canonical(value: Any) -> bytes:
    """Write a value as JSON with sorted keys; types unknown to JSON become their text. Never raises."""
    try:
        return orjson.dumps(value, default=_text_of, option=_ORJSON)
    except (orjson.JSONEncodeError, RecursionError):
        # Lone surrogates, huge integers or great depth: rarer than rare, so the slow way is good enough.
        return json.dumps(_plain(value, 0), sort_keys=True, separators=(",", ":")).encode()


class _Zstd(threading.local):
    """Compression contexts, one pair a thread: building one costs more than using it."""

    def __init__(self) -> None:
        self.compressor = zstandard.ZstdCompressor(level=1)
        self.decompressor = zstandard.ZstdDecompressor()


_zstd = _Zstd()


@lru_cache(maxsize=4096)
def _cipher(key: bytes) -> tuple[AESGCM, bytes]:
    mark = hashlib.sha256(b"omie-control key mark" + key).digest()[:_MARK_BYTES]
    return AESGCM(key), _VERSION + mark


def _derived(key: bytes, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=purpose).derive(key)


def _broken() -> Conflict:
    return Conflict(
        "O conteúdo cifrado está incompleto ou foi alterado.",
        hint="Restaure a linha de uma cópia de segurança.",
        code="conteudo_alterado",
    )


def _text_of(value: Any) -> Any:
    if isinstance(value, set | frozenset | tuple):
        return list(value)
    try:
        return str(value)
    except Exception:
        return type(value).__name__


def _plain(value: Any, depth: int) -> Any:
    if depth > _MAX_DEPTH:
        return "…"
    if isinstance(value, Mapping):
        return {str(_text_of(name)): _plain(inner, depth + 1) for name, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(inner, depth + 1) for inner in value]
    if isinstance(value, float):
        return value if value - value == 0 else None
    if isinstance(value, int) and value.bit_length() > _MAX_NUMBER_BITS:
        # Python refuses to write or read a number of thousands of digits.
        return hex(value)
    return value if value is None or isinstance(value, str | int) else _text_of(value)
