"""
The finish of a transaction: what must be sealed is sealed or not sent, and its owner is told; every view is signed by the bus.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from agreements import agreement, release_of
from boutre.ops.assembly import assemble
from boutre.processors.decision import Emit, Outbound, Seal
from boutre.processors.finish import Finish, Unsealed, finished
from boutre.processors.handle import Handler
from boutre.processors.local import LocalBus
from boutre.processors.release import Release
from boutre.schemas.keys import KeyFolder, files
from boutre.schemas.keys.current import GRACE_S, CurrentKeys
from boutre.schemas.keys.lists import SealingKeys
from boutre.schemas.meanings import CATEGORIES
from boutre.schemas.sealing.frame import is_sealed
from boutre.schemas.sealing.suites import CLASSIC, HYBRID, OpeningKey
from boutre.schemas.sealing.wrapping import WRAPPED_HEADER, wrapped_for
from boutre.schemas.signature import PROOF_HEADER
from records import (
    AT,
    CODEC,
    KINDS,
    NOW,
    RECIPIENTS,
    ROOT,
    STATE_KEY,
    Value,
    attack,
    handlers,
    keyring,
    kwassa,
    local_bus,
    national,
    on_bus,
    real_pipeline,
    recall,
    recipient_key,
    views,
)
from sealed import ALWAYS, BUS, DAY, Held, held, key_folder, opening, opening_key, proving, sealing_row, sent, topics_of

PARTNER = "protection-partner"
KEPT = dict.fromkeys(CATEGORIES, "keep")


def bus(*, sealed: bool = True) -> LocalBus:
    """The real bus in memory, whose views are finished."""
    made = LocalBus(handlers(), sealed=sealed)
    made.publish([national("interception", kwassa()), national("sighting", attack())])
    return made


def step(keys: Held, *more: Any) -> tuple[Release, Finish]:
    """A release for the partner, whose views must be sealed, and its finish."""
    finish = Finish(BUS, keys, topics_of([PARTNER], KINDS), lambda: DAY)
    made = release_of(agreement(PARTNER, encrypt=True, categories=KEPT), *more)
    desks = [replace(desk, seal=partial(finish.key, desk.recipient)) for desk in made.desks]
    return replace(made, desks=desks), finish


def told(decision: Any) -> list[tuple[str, str | None]]:
    """What the receipts of one record say."""
    assert isinstance(decision, Emit)
    receipts = [CODEC.decode(out.value).value for out in decision.records if out.topic == "bus.receipt"]
    return [(one["outcome"], one["reason"]) for one in receipts]


def wrapped(view: Outbound) -> bytes:
    """The header with the data key."""
    return dict(view.headers)[WRAPPED_HEADER]


# --- What goes out ---------------------------------------------------------------------------------------------------------------


def test_every_view_is_signed_and_opens_for_its_recipient(tmp_path: Path) -> None:
    """
    All views of all recipients carry the bus's proof and open as what they were before; the partner's alone are sealed.
    """
    done, plain = bus(), bus(sealed=False)
    opens = opening(tmp_path, *RECIPIENTS)
    topics = sorted(name for name in plain.topics if name.startswith("for."))

    assert topics == sorted(name for name in done.topics if name.startswith("for."))
    for topic in topics:
        recipient = topic.split(".")[1]
        was, now = plain.read(topic), done.read(topic)
        assert [out.value for out in was] == [opens.frame(sent(out), recipient, topic) for out in now]
        assert [(out.key, out.timestamp) for out in was] == [(out.key, out.timestamp) for out in now]
        assert {recipient == PARTNER} == {is_sealed(out.value) for out in now}
        assert all(out.seal is None for out in now)


def test_nothing_but_views_is_touched() -> None:
    """
    Records of the bus, receipts and rejects are sent as they were.
    """
    done, plain = bus(), bus(sealed=False)

    for topic in plain.topics:
        if not topic.startswith("for."):
            assert plain.read(topic) == done.read(topic)


def test_a_batch_is_of_one_recipient() -> None:
    """
    A proof counts the views of its own recipient in the transaction, and nobody else's; the outputs keep their order.
    """
    finish = Finish(BUS, held(PARTNER), topics_of(["rmifc", "rcoc"], ["alert", "sighting"]), lambda: DAY)
    topics = ["for.rmifc.alert", "for.rcoc.alert", "bus.receipt", "for.rmifc.sighting", "for.rmifc.alert", "for.france.alert"]
    outputs = [Outbound(topic, b"%d" % number, b"\0BOU\1", number) for number, topic in enumerate(topics)]
    done = finish(outputs)
    proofs = {out.topic.split(".")[1]: dict(out.headers).get(PROOF_HEADER) for out in done if out.topic.startswith("for.r")}

    assert [(out.topic, out.key) for out in outputs] == [(out.topic, out.key) for out in done]
    assert 3 == int.from_bytes((proofs["rmifc"] or b"")[2:4], "big")
    assert proofs["rcoc"] is None
    assert [()] * 2 == [out.headers for out in done if out.topic in {"bus.receipt", "for.france.alert"}]


def test_one_data_key_is_for_one_recipients_day(tmp_path: Path) -> None:
    """
    Views of many transactions of a day have one wrapped key, those of the next day another.
    """
    days = [DAY, DAY, DAY + timedelta(days=1)]
    finish = Finish(BUS, held(PARTNER), topics_of([PARTNER], KINDS), iter(days).__next__)
    seal = Seal(opening_key(PARTNER).id, "policy")
    made = [finish([Outbound(f"for.{PARTNER}.alert", b"k", b"\0BOU\1", 1, (("ce_id", b"%d" % at),), seal)])[0] for at in range(3)]
    began = [wrapped_for(wrapped(one)) for one in made]
    opens = opening(tmp_path, PARTNER)

    assert [days[0], days[0], days[2]] == [one.began for one in began if one]
    assert [2, 1] == list(Counter(map(wrapped, made)).values())
    assert [b"\0BOU\1"] * 3 == [opens.frame(sent(one), PARTNER, "here") for one in made]


def test_any_agreement_that_says_so_has_all_of_it_sealed() -> None:
    """
    Two agreements speak of one record, and one of them says that it is to be sealed: it is.
    """
    release, _ = step(held(PARTNER), agreement(PARTNER, id="another", categories=KEPT))
    (view,) = views(_emit(release(on_bus("sighting", attack()), {})).records, PARTNER)

    assert view.seal == Seal(opening_key(PARTNER).id, "policy")


def _emit(decision: Any) -> Emit:
    assert isinstance(decision, Emit)
    return decision


# --- What does not ---------------------------------------------------------------------------------------------------------------


def rows(*keys: tuple[OpeningKey, datetime, datetime, bool]) -> Held:
    """Keys of the partner as a list has them."""
    return Held(SealingKeys({key.id: sealing_row(key, PARTNER, begins, ends, revoked=off) for key, begins, ends, off in keys}))


@pytest.mark.parametrize(
    ("begins", "ends", "revoked", "sent_for"),
    [
        (*ALWAYS, False, True),
        (NOW, NOW + timedelta(milliseconds=1), False, True),
        (NOW - timedelta(days=1), NOW, False, False),
        (NOW + timedelta(milliseconds=1), ALWAYS[1], False, False),
        (*ALWAYS, True, False),
    ],
    ids=["in force", "for this millisecond", "just ended", "not yet begun", "revoked"],
)
def test_without_a_key_in_force_nothing_goes_out_and_its_owner_is_told(
    *, begins: datetime, ends: datetime, revoked: bool, sent_for: bool
) -> None:
    """
    By the time of acceptance, to the millisecond: with a key in force it goes out sealed, else a receipt says no-key.
    """
    release, finish = step(rows((opening_key(PARTNER), begins, ends, revoked)))
    decision = release(on_bus("sighting", attack()), {})

    assert [("delivered", None) if sent_for else ("withheld", "no-key")] == told(decision)
    assert [sent_for] * sent_for == [is_sealed(out.value) for out in views(tuple(finish(_emit(decision).records)), PARTNER)]


def test_nobody_elses_key_is_taken() -> None:
    """
    A key of another recipient is none, however long it is in force.
    """
    release, _ = step(held("rmifc", "rcoc"))

    assert [("withheld", "no-key")] == told(release(on_bus("sighting", attack()), {}))


def test_without_keys_at_all_what_needs_none_goes_on() -> None:
    """
    Only what must be sealed is withheld: the views of others of the same record go out.
    """
    pipeline = real_pipeline()
    made = pipeline.processors(CODEC, keyring(), recipient_key, STATE_KEY)
    without = LocalBus(tuple(Handler(one, CODEC, pipeline.owner) for one in made))
    without.publish([national("interception", kwassa())])
    had = local_bus()
    had.publish([national("interception", kwassa())])
    outcomes = {one["recipient"]: (one["outcome"], one["reason"]) for one in _receipts(without)}

    assert ("withheld", "no-key") == outcomes.pop(PARTNER)
    assert {one["recipient"]: (one["outcome"], one["reason"]) for one in _receipts(had) if one["recipient"] != PARTNER} == outcomes
    assert [] == without.read(f"for.{PARTNER}.interception")


def _receipts(made: LocalBus) -> list[Value]:
    return [CODEC.decode(out.value).value for out in made.read("bus.receipt")]


def test_what_was_withheld_for_want_of_a_key_is_no_repeat_later() -> None:
    """
    Nothing is remembered of what was never sent: with a key the same event is told, and what takes it back follows it.
    """
    keys = rows()
    release, _ = step(keys)
    state: dict[str, Any] = {}
    outcomes = []
    for kind, value in (
        ("sighting", attack()),
        ("retraction", recall(attack(), "sighting", reference="first")),
        ("sighting", attack("IMB-7")),
        ("retraction", recall(attack("IMB-7"), "sighting")),
    ):
        decision = _emit(release(on_bus(kind, value), state))
        state |= decision.changes
        outcomes += told(decision)
        if kind == "retraction":
            keys.keys = held(PARTNER).keys

    assert [("withheld", "no-key"), ("withheld", "not-received"), ("delivered", None), ("delivered", None)] == outcomes


def test_nothing_is_sent_in_plain_where_the_decision_does_not_hold() -> None:
    """
    A key that is gone at the end, no finish at all, a view on a topic that is nobody's, one without an id: the transaction fails.
    """
    seal = Seal(opening_key(PARTNER).id, "policy")
    view = Outbound(f"for.{PARTNER}.alert", b"k", b"\0BOU\1", 1, (("ce_id", b"1"),), seal)
    topics = topics_of([PARTNER], KINDS)
    cases = [
        (Finish(BUS, rows((opening_key(PARTNER), *ALWAYS, True)), topics), view),
        (Finish(BUS, held("rmifc"), topics), view),
        (None, view),
        (Finish(BUS, held(PARTNER), {}), view),
        (Finish(BUS, held(PARTNER), topics), Outbound(view.topic, b"k", view.value, 1, (), seal)),
    ]
    for finish, out in cases:
        with pytest.raises(Unsealed) as raised:
            finished(finish, [out])
        assert "BOU" not in str(raised.value)


# --- Keys that change while it runs ----------------------------------------------------------------------------------------------


def test_a_newer_key_is_taken_and_the_older_one_still_opens(tmp_path: Path) -> None:
    """
    Of two keys in force that which began last is sealed for, the hybrid here; views under the old one open with the old one.
    """
    old, new = opening_key(PARTNER), OpeningKey.new(HYBRID)
    middle = NOW - timedelta(days=1)
    keys = rows((new, middle, ALWAYS[1], False), (old, *ALWAYS, False))
    release, finish = step(keys)
    made = []
    for at, reference in ((AT - 2 * 86_400_000, "a"), (AT, "b")):
        decision = _emit(release(on_bus("sighting", attack(reference), at=at), {}))
        made += views(tuple(finish(decision.records)), PARTNER)
    folder = key_folder(tmp_path, PARTNER)
    files.make(folder.opening_path(PARTNER, new.id), new.pem)
    opens = opening(tmp_path, PARTNER)

    assert [old.id, new.id] == [found.key for one in made if (found := wrapped_for(wrapped(one)))]
    for one in made:
        assert "sighting" == CODEC.decode(opens.frame(sent(one), PARTNER, "here")).kind


def test_a_key_that_is_revoked_is_known_at_the_next_transaction(tmp_path: Path) -> None:
    """
    The list is read again where it changed, between transactions and never within one.
    """
    folder = key_folder(tmp_path, PARTNER)
    finish = Finish(BUS, CurrentKeys(folder), topics_of([PARTNER], KINDS))
    before = finish.key(PARTNER, NOW)
    folder.revoke(opening_key(PARTNER).id)
    within = finish.key(PARTNER, NOW)
    finish.begin()
    after = finish.key(PARTNER, NOW)
    path, row = folder.make_recipient(PARTNER, CLASSIC, date(2020, 1, 1), date(2030, 1, 1))
    folder.take("recipients.toml", [row])
    finish.begin()

    assert [opening_key(PARTNER).id, opening_key(PARTNER).id, None] == [before, within, after]
    assert path.stem == finish.key(PARTNER, NOW)


@pytest.mark.parametrize("content", [b"[[key]\n", b"[[key]]\nrevokd = true\n", b"\xff"])
def test_a_list_that_cannot_be_read_seals_nothing_for_long(tmp_path: Path, content: bytes) -> None:
    """
    While somebody edits it, what was read last holds for a minute; after that there is no key, until the list is whole again.
    """
    folder = key_folder(tmp_path, PARTNER)
    now = [0.0]
    keys = CurrentKeys(folder, lambda: now[0])
    whole = (tmp_path / "recipients.toml").read_bytes()
    seen = []
    for at, told_then in ((1.0, content), (1.0 + GRACE_S - 0.1, None), (1.0 + GRACE_S, None), (1.0 + GRACE_S, whole)):
        now[0] = at
        if told_then is not None:
            files.replace(tmp_path / "recipients.toml", "")
            (tmp_path / "recipients.toml").write_bytes(told_then)
        keys.look()
        seen.append(keys.keys.at(PARTNER, NOW) is not None)

    assert [True, True, False, True] == seen


def test_a_list_that_is_gone_holds_no_key(tmp_path: Path) -> None:
    """
    Whoever takes the list away takes every key away.
    """
    keys = CurrentKeys(key_folder(tmp_path, PARTNER), lambda: 0.0)
    (tmp_path / "recipients.toml").unlink()
    keys.look()

    assert keys.keys.at(PARTNER, NOW) is None


def test_the_processors_of_a_bus_seal_by_its_folder(tmp_path: Path) -> None:
    """
    A worker signs with the bus's own key and seals by the list in the folder; by a key that nobody believes none is made.
    """
    assembly = assemble(ROOT)
    folder = KeyFolder(tmp_path)
    folder.development(assembly.declarations.members, assembly.declarations.recipients)
    (handler,) = assembly.handlers(folder, "release")
    finish = handler.processor.finish

    assert finish is not None
    assert finish.key(PARTNER, datetime.now(UTC)) in {row.id for row in folder.recipient_rows() if row.recipient == PARTNER}
    assert [None] == [one.processor.finish for one in assembly.handlers(folder, "accept-ais")]
    folder.revoke(folder.bus_rows()[0].id)
    with pytest.raises(Exception, match="nobody would believe"):
        assembly.handlers(folder, "release")


# --- What sealing tells ----------------------------------------------------------------------------------------------------------


def shape(made: LocalBus) -> list[Any]:
    """All of the partner's views that is not random: everything but the bits of what is sealed, of proofs and of wrapped keys."""
    return [
        (
            topic,
            out.key,
            out.timestamp,
            len(out.value),
            [(name, len(value)) for name, value in out.headers],
            dict(out.headers)["ce_id"],
        )
        for topic, outs in sorted(made.topics.items())
        if topic.startswith(f"for.{PARTNER}.")
        for out in outs
    ]


def test_sealing_tells_nothing_of_what_is_withheld() -> None:
    """
    Two records that differ in what the partner may not have, in length too, come out alike: sizes, headers, number, order, epoch.
    """
    made = []
    secrets: tuple[Value, ...] = ({}, {"suspects": [{"name": "Somebody " * 40, "role": "suspect"}] * 3, "narrative": []})
    for secret in secrets:
        one = LocalBus(handlers(), sealed=True)
        one.publish([national("interception", kwassa(f"KM-{number}", **(secret if number == 1 else {}))) for number in range(3)])
        made.append(shape(one))

    assert 3 == len(made[0])
    assert made[0] == made[1]


def test_a_view_is_proved_by_whoever_has_the_public_key_alone() -> None:
    """
    A broker's operator or an auditor proves a sealed view without being able to read it.
    """
    for out in bus().read(f"for.{PARTNER}.interception"):
        proving().bus.verify(sent(out))
        assert b"medical-care" not in out.value
