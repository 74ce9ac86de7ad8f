"""
A recall as a member's desk sends it: ``boutre recall send``.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from boutre.ops.command import main
from boutre.ops.recall_send import SCOPES, Recall
from boutre.schemas.keys import KeyFolder
from records import CODEC, NOW, RECIPIENTS, ROOT, attack, kwassa, local_bus, national, track

VALUES = {"interception": kwassa(), "sighting": attack()}


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("kind", VALUES)
def test_it_takes_the_record_back_from_all_who_had_it(kind: str, scope: str) -> None:
    """Accept lets it through as it is written; whoever had a view is told of it, and nobody else."""
    value = VALUES[kind]
    bus = local_bus()
    bus.publish([national(kind, value)])
    had = {topic.split(".")[1] for topic in bus.topics if topic.startswith("for.")}
    recall = Recall(value["origin"]["member"], value["id"], kind, scope, "wrong").value(NOW)
    bus.publish([national("retraction", recall)])

    told = {name for name in RECIPIENTS if bus.read(f"for.{name}.retraction")}
    assert had
    assert had == told
    assert scope == CODEC.decode(bus.read(f"for.{min(told)}.retraction")[0].value).value["recall"]["scope"]


def test_a_position_by_ais_is_taken_back_in_its_ships_lane() -> None:
    """With the MMSI under which it was sent, it comes behind the position that it takes back."""
    value = track("A-1", mmsi="219000007")
    recall = Recall("observatory-ais", value["id"], "sighting", "erase", "wrong", subject="219000007")
    bus = local_bus()
    bus.publish([national("sighting", value), national("retraction", recall.value(NOW))])

    (position,), (behind,) = bus.read("bus.sighting"), bus.read("bus.retraction")
    assert position.key == behind.key


def test_said_twice_it_is_two_recalls() -> None:
    """Who is not sure that it arrived says it again: it has another id, and says the same."""
    recall = Recall("comoros", kwassa()["id"], "interception", "erase", "wrong")
    first, second = (recall.value(NOW + timedelta(milliseconds=after)) for after in (0, 1))

    assert first["id"] != second["id"]
    assert first["recall"] == second["recall"]


@pytest.mark.parametrize(
    ("words_", "named"),
    [
        (("--member", "atlantis", "--reason", "wrong"), "--member: atlantis"),
        (("--member", "comoros", "--reason", "because"), "recall.reason"),
    ],
)
def test_what_the_bus_would_refuse_is_not_sent(words_: tuple[str, ...], named: str, tmp_path: Path) -> None:
    """An unknown member or reason is told by its name, before anything is sent: no Kafka is asked."""
    KeyFolder(tmp_path / "keys").development(["comoros"], RECIPIENTS)
    environment = {"BOUTRE_BUS": str(ROOT), "BOUTRE_KEYS": str(tmp_path / "keys"), "BOUTRE_STATE": str(tmp_path)}
    command = ["recall", "send", kwassa()["id"], "--kind", "interception", "--scope", "erase", *words_]
    done = CliRunner().invoke(main, command, env=environment)

    assert 2 == done.exit_code
    assert named in done.output
