"""
Accept and release of records whose personal groups are sealed.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import pytest
from msgspec import structs

from boutre.errors import Refuse, Unavailable
from boutre.processors.accept import Accept
from boutre.processors.decision import Drop, Emit, Reject
from boutre.processors.handle import Handler
from boutre.processors.release import Release
from boutre.schemas.cases import PERSONAL
from boutre.schemas.cases.groups import Opener
from boutre.schemas.cases.pool import VaultPool
from boutre.schemas.cases.vault import Vault
from boutre.schemas.marks import Sealed
from boutre.schemas.sealing.suites import OpeningKey
from records import CODEC, Drawn, Value, accept, handler, inbound, kwassa, local_bus, national, on_bus, release


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    """An empty vault."""
    return Vault.of(tmp_path / "vault", begin=True)


def accepts(vault: Vault) -> Accept:
    """The real accept, which demands that personal groups are sealed."""
    return replace(accept(), opener=Opener(CODEC, vault.opening))


def releases(vault: Vault) -> Release:
    """The real release, which opens them."""
    return replace(release(), opener=Opener(CODEC, vault.opening))


def sent(vault: Vault, value: Value, kind: str = "interception") -> Any:
    """A record as its connector sends it, as accept reads it."""
    return inbound(national(kind, value, cases=VaultPool(vault, value["origin"]["member"])))


def test_accept_looks_inside_and_passes_on_what_is_sealed(vault: Vault) -> None:
    """What goes on to the bus is sealed as it came, to the bit; no text of a person is in it."""
    came = sent(vault, kwassa())
    decision = accepts(vault)(came, {})
    assert isinstance(decision, Emit)
    (out,) = decision.records
    before, behind = CODEC.decode(came.value).value, CODEC.decode(out.value).value
    for name in PERSONAL:
        assert before[name] == behind[name]
        assert behind[name] is None or isinstance(behind[name], Sealed)
    assert b"Fatima" not in out.value
    assert b"Fatima" not in repr(decision.changes).encode()


def test_what_is_wrong_inside_is_found(vault: Vault) -> None:
    """A sealed group is judged as an open one is: the reject names the field."""
    decision = accepts(vault)(sent(vault, kwassa(narrative=[{"language": "fr", "text": "\x1b[2J"}])), {})
    assert isinstance(decision, Reject)
    assert ("wrong-type", "narrative.text") == (decision.code, decision.field)


def test_the_same_report_sealed_anew_is_the_same_report(vault: Vault) -> None:
    """A connector that sends again after a crash seals under another key: the report is known, and one that says other is not."""
    step = accepts(vault)
    first = step(sent(vault, kwassa()), {})
    assert isinstance(first, Emit)
    again = step(sent(vault, kwassa()), first.changes)
    assert isinstance(again, Drop)
    other = step(sent(vault, kwassa(victims=[{"name": "Somebody Else"}])), first.changes)
    assert isinstance(other, Reject)
    assert "changed-without-revision" == other.code


def test_open_personal_groups_are_rejected_and_not_repeated(vault: Vault) -> None:
    """A connector that seals nothing is told so, and its reject does not hold the text once more."""
    made = handler("accept-reports")
    strict = Handler(replace(made.processor, step=accepts(vault)), CODEC, lambda _: ("comoros", "interception"))
    handled = strict(inbound(national("interception", kwassa())), {})
    assert ("rejected", "not-sealed") == (handled.outcome, handled.reason)
    assert b"Fatima" not in handled.records[0].value
    assert CODEC.decode(handled.records[0].value).value["content"] is None


@cache
def any_drawn(kind: str, seed: int) -> Value:
    """Some record of a kind, with all of its groups."""
    value = Drawn(Random(seed), 1.0).record(kind, "comoros")  # noqa: S311 - a test
    value["handling"] |= {"tlp": "GREEN", "purposes": [], "release_to": [], "handling_codes": []}
    return value


def replace_value(record: Any, frame: bytes) -> Any:
    """The same record of Kafka with other bytes."""
    return structs.replace(record, value=frame)


def outcomes(decision: Any) -> dict[str, str]:
    """What became of a record for each recipient."""
    assert isinstance(decision, Emit)
    return {one.recipient: one.outcome for one in decision.releases}


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("kind", ["sighting", "interception", "alert"])
def test_views_are_those_of_the_open_record(vault: Vault, kind: str, seed: int) -> None:
    """Release of a sealed record gives every recipient what release of the open one gives, byte for byte."""
    value = any_drawn(kind, seed)
    frame = national(kind, value, cases=VaultPool(vault, value["origin"]["member"])).value
    plain, opened = on_bus(kind, value), replace_value(on_bus(kind, value), frame)
    wanted, got = release()(plain, {}), releases(vault)(opened, {})
    assert isinstance(wanted, Emit)
    assert isinstance(got, Emit)
    assert wanted.records == got.records
    assert wanted.changes == got.changes


def test_a_record_whose_key_is_gone_is_one_that_was_taken_back(vault: Vault) -> None:
    """Read again after its key was destroyed, a record gives nobody anything; each receipt says that it was taken back."""
    value = kwassa()
    frame = national("interception", value, cases=VaultPool(vault, "comoros")).value
    record = replace_value(on_bus("interception", value), frame)
    assert "delivered" in outcomes(releases(vault)(record, {})).values()
    (key,) = {CODEC.decode(frame).value[name].content_key_id for name in ("victims", "narrative")}
    vault.take([("comoros", value["id"], key)], (), {})
    assert [1] == [one.keys for one in vault.erase([value["id"]])]
    decision = releases(vault)(record, {})
    assert {"withheld"} == set(outcomes(decision).values())
    told = [CODEC.decode(out.value).value for out in decision.records if out.topic == "bus.receipt"]  # type: ignore[union-attr] # asserted
    assert {"retracted"} == {one["reason"] for one in told}
    refused = accepts(vault)(replace_value(inbound(national("interception", value)), frame), {})
    assert isinstance(refused, Reject)


def test_a_vault_that_is_away_stops_the_worker_and_rejects_nothing(vault: Vault) -> None:
    """Where the vault cannot be read nothing is decided: to reject what cannot be opened just now would lose it."""

    def away(*_: str) -> OpeningKey:
        raise Unavailable("the vault is away")

    made = handler("release")
    step = replace(release(), opener=Opener(CODEC, away))
    strict = Handler(replace(made.processor, step=step), CODEC, lambda _: ("bus", "interception"))
    value = kwassa()
    frame = national("interception", value, cases=VaultPool(vault, "comoros")).value
    with pytest.raises(Unavailable):
        strict(replace_value(on_bus("interception", value), frame), {})


def test_a_record_that_cannot_be_opened_is_no_view(vault: Vault) -> None:
    """Under a key that the vault does not know a record is refused, and given to nobody in part."""
    value = kwassa()
    frame = national("interception", value, cases=VaultPool(vault, "seychelles")).value
    decision = releases(vault)(replace_value(on_bus("interception", value), frame), {})
    assert isinstance(decision, Reject)
    assert "unknown-case-key" == decision.code
    with pytest.raises(Refuse):
        Opener(CODEC, vault.opening)(CODEC.decode(frame))


def test_the_bus_in_memory_goes_on_without_a_vault() -> None:
    """For an integrator's tests the bus in memory takes open records: it has no log."""
    bus = local_bus()
    bus.publish([national("interception", kwassa())])
    assert bus.read("for.rcoc.interception")
