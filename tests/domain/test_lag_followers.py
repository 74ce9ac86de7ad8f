"""
How far followers are is read from their stores, where these stand on this machine.
"""

from __future__ import annotations

from pathlib import Path

from boutre.ops.answers_store import open_answers
from boutre.ops.lag_followers import stored
from boutre.ops.settings import Settings
from boutre.schemas.cases.vault import Vault


def test_offsets_are_those_of_the_stores(tmp_path: Path) -> None:
    """A follower whose store is here is told of with all its places, one whose store is not is left out, and none is begun."""
    settings = Settings(state=tmp_path / "state", keys=tmp_path / "keys")
    assert {} == stored(settings)
    assert not settings.state.exists()

    with open_answers(settings.state / "answers", begin=True) as store, store.transaction():
        store.move({("receipts", 2): 7})
    with Vault.of(settings.keys / "vault", begin=True) as vault:
        vault.take((), (), {("bus.retraction", 0): 3})

    assert {"boutre.answers": {("receipts", 2): 7}, "boutre.cases": {("bus.retraction", 0): 3}} == stored(settings)


def test_a_store_that_cannot_be_opened_is_left_out(tmp_path: Path) -> None:
    """What is no store is nobody's offset."""
    settings = Settings(state=tmp_path, keys=tmp_path / "keys")
    (tmp_path / "answers").mkdir()
    (tmp_path / "answers" / "answers.sqlite").write_bytes(b"no database at all, and long enough to look like one" * 40)
    (tmp_path / "audit").mkdir()
    (tmp_path / "audit" / "audit.sqlite").write_bytes(b"nor is this")

    assert {} == stored(settings)
