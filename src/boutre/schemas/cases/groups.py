"""
Seals the personal groups of a member's record under a case key, and opens them.

In the place of each personal group stands ``Sealed``. What is encrypted is a frame of the same kind that holds the record's id and
that group alone, so that whoever opens it reads it as any other frame: hostile, canonical, in any locked version. One content key
is drawn for each record and wrapped once (HPKE, RFC 9180) under a case key; AES-256-GCM seals each group with a nonce of its own.

Associated data: ``boutre sealed group 1`` and a zero byte, then member, kind, id, field and the id of the case key, each behind its
length (2 bytes): a group that stands in another record, or in another place of it, does not open.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from boutre.errors import Refuse
from boutre.schemas.cases import PERSONAL
from boutre.schemas.codec import Codec, Decoded
from boutre.schemas.marks import Sealed, Withheld
from boutre.schemas.sealing.binding import bound
from boutre.schemas.sealing.suites import OpeningKey, SealingKey

ALGORITHM: Final = "hpke-x25519-hkdf-sha256-aes-256-gcm"
WRAPPED: Final = b"boutre case key 1\0"
SEALED: Final = b"boutre sealed group 1\0"
BUS: Final = "bus"
"""For whom a content key is wrapped: the bus alone, which wraps views anew for each recipient."""

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
ENCAPSULATED_BYTES: Final = 32

KeyOf = Callable[[str, str, str], OpeningKey]
"""Gives the private half of a case key by its id, for a member and one of its records; raises Refuse."""


def personal(value: dict[str, Any]) -> tuple[str, ...]:
    """
    Name the personal groups that stand open in a record.
    """
    return tuple([name for name in PERSONAL if value.get(name) is not None and not isinstance(value[name], Sealed | Withheld)])


def seal(codec: Codec, decoded: Decoded, take: Callable[[], SealingKey]) -> bytes:
    """
    Give the frame of a member's record with its personal groups sealed; as it is where there are none, and then no key is taken.

    Raises what *take* raises, and Refuse with ``too-large``.
    """
    names = personal(decoded.value)
    if not names:
        return decoded.frame
    case, content = take(), secrets.token_bytes(KEY_BYTES)
    about = _about(decoded)
    wrapped = case.wrap(content, bound(WRAPPED, *about, case.id))
    key = {
        "recipient": BUS,
        "key_id": case.id,
        "encapsulated": wrapped[:ENCAPSULATED_BYTES],
        "wrapped": wrapped[ENCAPSULATED_BYTES:],
    }
    aead, changes = AESGCM(content), {}
    for name in names:
        nonce = secrets.token_bytes(NONCE_BYTES)
        plain = codec.encode(decoded.kind, {"id": decoded.value["id"], name: decoded.value[name]})
        changes[name] = Sealed(ALGORITHM, case.id, nonce, aead.encrypt(nonce, plain, bound(SEALED, *about, name, case.id)), (key,))
    return decoded.frame_with(changes)


def case_keys(value: dict[str, Any]) -> frozenset[str]:
    """
    Name the case keys under which groups of a record lie.
    """
    return frozenset(group.content_key_id for group in map(value.get, PERSONAL) if isinstance(group, Sealed))


@dataclass(frozen=True, slots=True)
class Opener:
    """
    Opens the sealed groups of members' records with the keys that *key_of* gives.

    It *demands* that personal groups are sealed, but where somebody only asks what would become of a record.
    """

    codec: Codec
    key_of: KeyOf
    demands: bool = True

    def __call__(self, decoded: Decoded) -> Decoded:
        """
        Give the record with its sealed groups open; as it is where none is sealed.

        Raises Refuse: ``not-sealed`` where a personal group stands open, ``cannot-be-opened`` where one does not fit its record
        or its key, what *key_of* raises, and what the codec raises of what was sealed.
        """
        value = decoded.value
        # Asked first, since most records name nobody.
        if not [name for name in PERSONAL if value.get(name) is not None]:
            return decoded
        if self.demands and (names := personal(value)):
            raise Refuse("not-sealed", field=names[0])
        keys = case_keys(value)
        if not keys:
            return decoded
        if len(keys) > 1:
            raise Refuse("cannot-be-opened", "one key seals all of a record")
        (key_id,) = keys
        about = _about(decoded)
        case = _Unwrapped(self.key_of(key_id, about[0], about[2]), bound(WRAPPED, *about, key_id))
        changes = {name: self._group(decoded, name, case, about) for name in PERSONAL if isinstance(value.get(name), Sealed)}
        return self.codec.decode(decoded.frame_with(changes), frozenset({decoded.kind}))

    def _group(self, decoded: Decoded, name: str, case: _Unwrapped, about: tuple[str, str, str]) -> Any:
        group: Sealed = decoded.value[name]
        (key,) = group.keys if len(group.keys) == 1 else (None,)
        if key is None or group.algorithm != ALGORITHM or (key["recipient"], key["key_id"]) != (BUS, group.content_key_id):
            raise Refuse("cannot-be-opened", field=name)
        content = case(key["encapsulated"] + key["wrapped"])
        plain = None if content is None else _opened(content, group, bound(SEALED, *about, name, group.content_key_id))
        if plain is None:
            raise Refuse("cannot-be-opened", field=name)
        inner = self.codec.decode(plain, frozenset({decoded.kind})).value
        # Whatever else stands there was hidden for a reason that cannot be a good one.
        found = [each for each, held in inner.items() if held is not None and each not in {"id", "exercise"}]
        if found != [name] or inner["id"] != decoded.value["id"] or inner["exercise"] or isinstance(inner[name], Sealed | Withheld):
            raise Refuse("cannot-be-opened", field=name)
        return inner[name]


@dataclass(slots=True)
class _Unwrapped:
    """The content keys of one record, each unwrapped once: all of its groups have the same."""

    key: OpeningKey
    info: bytes
    _known: dict[bytes, bytes | None] = field(default_factory=dict)

    def __call__(self, wrapped: bytes) -> bytes | None:
        if wrapped not in self._known:
            self._known[wrapped] = self.key.unwrap(wrapped, self.info)
        return self._known[wrapped]


def _opened(content: bytes, group: Sealed, about: bytes) -> bytes | None:
    try:
        return AESGCM(content).decrypt(group.nonce, group.ciphertext, about)
    except (InvalidTag, ValueError):
        return None


def _about(decoded: Decoded) -> tuple[str, str, str]:
    """Give what a sealed group belongs to: member, kind and id of its record."""
    origin = decoded.value.get("origin")
    member = origin.get("member") if isinstance(origin, dict) else None
    if not isinstance(member, str):
        raise Refuse("missing-field", field="origin.member")
    return member, decoded.kind, str(decoded.value["id"])
