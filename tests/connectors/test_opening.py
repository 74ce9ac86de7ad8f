"""
Opening what stands on a recipient's topic: what is no view, what only waits for a key, and what each is told.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from boutre.connectors.delivery import BadDelivery, Delivery, Polled, open_up
from boutre.connectors.opening import Lost, Opening, Unopened
from boutre.connectors.sinks.trial import RELEASED, codec, view
from boutre.errors import DeclarationError, Refuse
from boutre.processors.decision import Outbound, Seal
from boutre.processors.finish import Finish
from boutre.schemas.keys import KeyFolder
from boutre.schemas.signature import key_id
from boutre.schemas.view_signature import SentView
from sealed import BUS, DAY, bus_keys, finish, held, key_folder, opening, opening_key, proving, sent, signed, topics_of

RECIPIENT = "protection-partner"
TOPIC = f"for.{RECIPIENT}.sighting"
FRAME = codec().encode("sighting", view("sighting", recipient=RECIPIENT))
AT = round(RELEASED.timestamp() * 1000)


def sealed(by: Ed25519PrivateKey = BUS) -> SentView:
    """A sealed view, signed by a key of the bus."""
    seal = Seal(opening_key(RECIPIENT).id, "policy")
    out = Outbound(TOPIC, b"subject", FRAME, AT, (("ce_id", b"view-1"), ("content-type", b"application/avro")), seal)
    (done,) = Finish(by, held(RECIPIENT), topics_of([RECIPIENT], ["sighting"]), lambda: DAY)([out])
    return sent(done)


def polled(view: SentView) -> Polled:
    """The same as a reader of Kafka has it."""
    return Polled(view.topic, 0, 7, RELEASED, view.key, view.value, view.headers)


SENT = sealed()


def test_a_sealed_view_is_delivered_like_any_other(tmp_path: Path) -> None:
    """
    With the private key it is a delivery, again and again, and the key is unwrapped once.
    """
    opens = opening(tmp_path, RECIPIENT)
    found = [open_up(polled(one), RECIPIENT, "sighting", codec(), opens) for one in (SENT, SENT)]

    assert [view("sighting", recipient=RECIPIENT)["id"]] * 2 == [one.id for one in found if isinstance(one, Delivery)]
    assert 1 == len(opens._unwrapped)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("no signature", "unsigned"),
        ("another value", "bad-signature"),
        ("another time", "bad-signature"),
        ("no wrapped key", "not-sealed-so"),
        ("a wrapped key of nobody", "not-sealed-so"),
        ("a sealed value of nothing", "not-sealed-so"),
    ],
)
def test_what_is_no_view_is_put_aside_with_its_bytes_as_they_came(tmp_path: Path, name: str, code: str) -> None:
    """
    What the bus did not sign, or sealed for nobody, is bad, and its content is what came: sealed, where it was.
    """
    bare = {key: value for key, value in SENT.headers.items() if key == "ce_id"}
    match name:
        case "no signature":
            made = replace(SENT, headers=bare)
        case "another value":
            made = replace(SENT, value=SENT.value[:-1] + b"\0")
        case "another time":
            made = replace(SENT, timestamp=AT + 1)
        case "no wrapped key":
            made = SentView(TOPIC, b"", AT, signed(TOPIC, SENT.value, at=AT), SENT.value)
        case "a wrapped key of nobody":
            made = again(SENT.value, SENT.headers["boutre-wrapped"][:-1] + b"\0")
        case _:
            made = again(b"\xb0", SENT.headers["boutre-wrapped"])
    opens = opening(tmp_path, RECIPIENT)
    moved = replace(polled(made), timestamp=RELEASED + timedelta(milliseconds=made.timestamp - AT))
    found = open_up(moved, RECIPIENT, "sighting", codec(), opens)

    assert isinstance(found, BadDelivery)
    assert (code, made.value) == (found.code, found.content)
    assert b"kwassa" in FRAME
    assert b"kwassa" not in made.value


def again(value: bytes, wrapped: bytes) -> SentView:
    """The same id with another value and wrapped key, and a good signature over them."""
    headers = (("ce_id", b"view-1"), ("boutre-wrapped", wrapped))
    (done,) = finish([RECIPIENT], ["sighting"])([Outbound(TOPIC, b"subject", value, AT, headers)])
    return sent(done)


def test_a_key_of_the_bus_that_is_not_known_stops_the_reader(tmp_path: Path) -> None:
    """
    It may be the new one: nothing is skipped, the message says whom to ask, and with the new key listed reading goes on.
    """
    new = Ed25519PrivateKey.generate()
    other = sealed(new)
    opens = opening(tmp_path, RECIPIENT)
    with pytest.raises(Unopened) as raised:
        open_up(polled(other), RECIPIENT, "sighting", codec(), opens)
    said = str(raised.value)

    for word in (key_id(new.public_key()), "bus.toml", "boutre keys publish --bus", f"{TOPIC}, partition 0, offset 7"):
        assert word in said
    assert not isinstance(raised.value, Lost)
    folder = KeyFolder(tmp_path)
    (tmp_path / "bus.pem").unlink()
    (tmp_path / "bus.pem").write_bytes(_pem(new))
    folder.list_bus()
    assert isinstance(open_up(polled(other), RECIPIENT, "sighting", codec(), Opening.of(folder)), Delivery)
    assert isinstance(open_up(polled(SENT), RECIPIENT, "sighting", codec(), Opening.of(folder)), Delivery)


def _pem(key: Ed25519PrivateKey) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat  # noqa: PLC0415 - for this alone

    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def test_a_key_of_the_bus_that_is_revoked_proves_nothing(tmp_path: Path) -> None:
    """
    What it signed is no view any more, whenever it was; so is what is signed by an id that is listed as nobody's.
    """
    folder = key_folder(tmp_path, RECIPIENT)
    folder.revoke(key_id(BUS.public_key()))
    stranger = sealed(Ed25519PrivateKey.generate())
    with (tmp_path / "bus.toml").open("a", encoding="utf-8") as listed:
        listed.write(f'[[key]]\nid = "{stranger.headers["boutre-key"].decode()}"\nrevoked = true\n')
    opens = Opening.of(folder)

    for one in (SENT, stranger):
        with pytest.raises(Refuse, match="revoked-key"):
            opens.frame(one, RECIPIENT, "here")


def test_a_lost_key_is_told_with_what_to_do(tmp_path: Path) -> None:
    """
    Which key, whose, since when, where its file belongs, and the way out; never the view. Once it is restored, it opens.
    """
    folder = bus_keys(tmp_path)
    opens = Opening.of(tmp_path)
    with pytest.raises(Lost) as raised:
        open_up(polled(SENT), RECIPIENT, "sighting", codec(), opens)
    said = str(raised.value)
    key = opening_key(RECIPIENT)

    for word in (key.id, RECIPIENT, DAY.isoformat(), str(folder.opening_path(RECIPIENT, key.id)), "boutre keys rotate"):
        assert word in said
    assert "kwassa" not in said
    key_folder(tmp_path, RECIPIENT)
    assert isinstance(open_up(polled(SENT), RECIPIENT, "sighting", codec(), opens), Delivery)


@pytest.mark.parametrize(
    ("content", "told"), [(b"nonsense", "no private key"), (b"", "no private key"), (None, "has its id for a name")]
)
def test_a_key_file_that_is_another_is_told(tmp_path: Path, content: bytes | None, told: str) -> None:
    """
    A file that holds no key, or another one, is named; it is never tried.
    """
    folder = key_folder(tmp_path, RECIPIENT)
    folder.opening_path(RECIPIENT, opening_key(RECIPIENT).id).write_bytes(opening_key("rmifc").pem if content is None else content)
    with pytest.raises(DeclarationError, match=told):
        Opening.of(folder).frame(SENT, RECIPIENT, "here")


def test_without_the_keys_of_the_bus_nobody_reads(tmp_path: Path) -> None:
    """
    Who has no list is told whom to ask, before anything is read.
    """
    with pytest.raises(DeclarationError, match="whoever runs the bus hands it over"):
        Opening.of(tmp_path)


def test_what_is_not_sealed_needs_no_private_key() -> None:
    """
    A plain view is proved and given as it is.
    """
    plain = SentView(TOPIC, b"", AT, signed(TOPIC, FRAME, at=AT), FRAME)

    assert FRAME == proving().frame(plain, RECIPIENT, "here")
