"""
A recall in the demo: a member takes one record back, whoever had it is told and answers, and its key is destroyed.

The answers are those that somebody at a recipient would give (``boutre answers say``). What is said to be erased is erased: the
migration database of the demo has no row of it any more. The centres' lines stay in its folder, so one says that it is kept.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from boutre.errors import Unavailable
from boutre.ops.answers_follow import following_answers
from boutre.ops.answers_store import open_answers
from boutre.ops.answers_take import Taker
from boutre.ops.assembly import Assembly, keys_of
from boutre.ops.collect import Collector
from boutre.ops.following import run
from boutre.ops.one_message import send
from boutre.ops.recall_send import KIND, Recall, send_recall
from boutre.ops.settings import Settings
from boutre.schemas import answers as words
from boutre.schemas.identity import pseudonym

PATIENCE_S: Final = 60.0
ERASES: Final = "protection-partner"
"""Whose migration database is erased."""

SAYS: Final[Mapping[str, str]] = {ERASES: "erased", "rcoc": "held"}
"""What recipients answer in the demo; the others have not answered yet when it ends."""


@dataclass(frozen=True, slots=True)
class Recalled:
    """
    What became of a recall: the record, what each recipient who had it said (None: nothing yet), and the keys that were destroyed.
    """

    record: str
    recall: str
    answers: Mapping[str, str | None]
    keys: int

    def plain(self) -> dict[str, Any]:
        """Give it as ``summary.json`` has it."""
        return {"record": self.record, "recall": self.recall, "answers": dict(self.answers), "keys_destroyed": self.keys}


@dataclass(frozen=True, slots=True)
class DemoRecall:
    """
    One recall on a bus that runs.
    """

    settings: Settings
    assembly: Assembly
    collector: Collector

    def choose(self, kind: str) -> tuple[str, str] | None:
        """Give the record of *kind* that most recipients had a view of, and its member; None where there is none."""
        account = self.collector.account
        candidates = {record: member for (record, _), (_, _, of, member) in account.receipts.items() if of == kind}
        if not candidates:
            return None
        best = max(sorted(candidates), key=lambda record: len(self.views(kind, record)))
        return best, candidates[best]

    def views(self, kind: str, record: str) -> dict[str, dict[str, Any]]:
        """Give the view that each recipient has of a record, where it has one."""
        keys, views = keys_of(self.settings), self.collector.views
        found = {
            name: views.get((name, kind, pseudonym(keys.recipient(name), record))) for name in self.collector.account.recipients
        }
        return {name: view for name, view in found.items() if view is not None}

    def send(self, kind: str, record: str, member: str) -> str:
        """Send it, and wait until every recipient who had the record is told; gives the id of the recall."""
        recall = Recall(member, record, kind, "erase", "request-of-person")
        sent = send_recall(self.settings, self.assembly, recall, datetime.now(UTC))
        told = self.views(kind, record).keys()
        account = self.collector.account
        self.collector.follow(
            lambda: sent in account.inputs.values() and account.in_flight == 0 and told <= self.views(KIND, sent).keys(),
            patience=PATIENCE_S,
        )
        return sent

    def answered(self, record: str, recall: str) -> Recalled:
        """Let recipients answer, bring the answers back, and wait until the key of the record is destroyed."""
        codec, told = self.assembly.codec, self.views(KIND, recall)
        for recipient, said in SAYS.items():
            if (view := told.get(recipient)) is not None:
                value = words.answer(recipient, said, datetime.now(UTC), view=view["id"])
                send(self.settings, f"from.{recipient}.answer", view["id"], codec.encode(words.KIND, value))
        clock = timedelta(hours=self.assembly.pipeline.file.answers.reply_hours)
        with open_answers(self.settings.state / "answers", begin=True) as store:
            taker = Taker(store, codec, self.assembly.declarations, clock)
            with following_answers(taker, self.settings.kafka.client()) as follower:
                run(follower, lambda: False, once=True)
            found = {one.recipient: one.said for one in store.recalls() if one.recall == recall}
        return Recalled(record, recall, found, self._destroyed(record))

    def _destroyed(self, record: str) -> int:
        until = time.monotonic() + PATIENCE_S
        with keys_of(self.settings).cases.open() as vault:
            while True:
                found = vault.erasure(record)
                if found is not None and found.destroyed and not found.left:
                    return found.destroyed
                if time.monotonic() > until:
                    raise Unavailable("the key of the record was not destroyed; look at the log of boutre cases follow")
                time.sleep(0.1)
