"""
A consumer of a few lines for a recipient:

    config = {"bootstrap.servers": "localhost:9092"}
    opening = Opening.of("keys")
    with Consumer(config, opening, recipient="rcoc", kinds=("alert", "sighting"), group="rcoc.desk") as views:
        for view in views:
            print(view.kind, view.id, view.value["event"])

A view counts as done when its block has ended, that is when the next one is asked for; only then may the group's position move
past it. So whatever the block does happens at least once for every view. After a crash some views come again, each with the ``id``
it had before: an effect that must not happen twice keeps that id where it keeps the effect, as the sink to the migration database
does.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, Self

from boutre.connectors.delivery import KINDS, BadDelivery, Decoder, Delivery, open_up, topic
from boutre.connectors.kafka_views import Reader, Start
from boutre.connectors.opening import Opening
from boutre.errors import DeclarationError, Fault, Refuse
from boutre.schemas import lock
from boutre.schemas.codec import Codec

COMMIT_SECONDS: Final = 1.0
"""
How long what is done may wait until the broker is told; that much comes again after a crash.
"""


class Undecodable(Refuse):
    """
    What stood at *place* is no view of this recipient's; *bad* holds it.

    The group's position stays before it, so that nobody reads past it unawares. Give ``Consumer`` an *on_bad* to put such messages
    aside and go on.
    """

    def __init__(self, bad: BadDelivery) -> None:
        self.bad = bad
        self.place = bad.place
        super().__init__(bad.code, f"{bad.place}: {bad.code}; pass on_bad=... to put it aside and go on")


class Consumer:
    """
    The views of one recipient, one after the other, in the order of each partition.

    Args:
        config: settings of librdkafka: where the broker is, and how to get in.
        opening: the keys by which views are proved to be the bus's, and unsealed.
        recipient: whose views; the name in ``for.<recipient>.<kind>``.
        kinds: which kinds; all of them without it.
        group: under which name the broker remembers how far reading went. With None nothing is remembered, and reading begins at
            *start* each time.
        start: where reading begins when there is no position yet: ``beginning`` or ``end``.
        until_end: stop at what was there at the start, instead of waiting for more.
        on_bad: called with each message that is no view of this recipient's; it counts as done when the call returns. Without it
            such a message raises ``Undecodable``. There is no way to skip one without a word.
        codec: reads the frames; by default by the schemas that this version of the bus knows.

    Raises Unavailable where the broker does not answer, or a topic is not there or not ours to read, and ``Unopened`` where a key
    is missing by which a view could be proved or opened.
    """

    def __init__(
        self,
        config: Mapping[str, Any],
        opening: Opening,
        *,
        recipient: str,
        kinds: Sequence[str] = KINDS,
        group: str | None = None,
        start: Start = "beginning",
        until_end: bool = False,
        on_bad: Callable[[BadDelivery], None] | None = None,
        codec: Decoder | None = None,
    ) -> None:
        if strange := [kind for kind in kinds if kind not in KINDS]:
            message = f"{', '.join(strange)}: no kind of view; there are {', '.join(KINDS)}"
            raise DeclarationError([Fault("consumer", "kinds", message)])
        self.recipient = recipient
        self._kinds = {topic(recipient, kind): kind for kind in kinds}
        self._codec = codec or Codec(lock.load())
        self._opening = opening
        self._on_bad = on_bad
        # The client wants a group's name even of who has none, and the broker wants it to be the recipient's own.
        own = {"group.id": f"{recipient}.nobody", **config}
        self._reader = Reader(own, tuple(self._kinds), group=group, start=start, until_end=until_end)

    def __enter__(self) -> Self:
        self._reader.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        self._reader.__exit__(kind, *rest)

    def __iter__(self) -> Iterator[Delivery]:
        committed = time.monotonic()
        while not self._reader.finished:
            view = self.poll(COMMIT_SECONDS)
            if isinstance(view, Delivery):
                yield view
            elif view is not None:
                self._put_aside(view)
            if view is not None:
                self.done(view)
            if time.monotonic() - committed >= COMMIT_SECONDS:
                self._reader.commit()
                committed = time.monotonic()
        self._reader.commit()

    # --- for those who act on many views at once, as sinks do ----------------------------------------------------------

    @property
    def finished(self) -> bool:
        """Whether everything up to the end was given out; always False without *until_end*."""
        return self._reader.finished

    def poll(self, seconds: float) -> Delivery | BadDelivery | None:
        """
        Give the next message, or None where none came in *seconds*; the caller says ``done`` and ``commit``.

        Raises ``Unopened`` where a key is missing by which it could be proved or opened: its position stays before it.
        """
        polled = self._reader.poll(seconds)
        if polled is None:
            return None
        return open_up(polled, self.recipient, self._kinds[polled.topic], self._codec, self._opening)

    def _put_aside(self, bad: BadDelivery) -> None:
        if self._on_bad is None:
            raise Undecodable(bad)
        self._on_bad(bad)

    def done(self, message: Delivery | BadDelivery) -> None:
        """
        Say that the effect of *message*, and of all before it in its partition, is there.
        """
        self._reader.done(message.topic, message.partition, message.offset)

    def commit(self) -> None:
        """
        Have the broker remember what is done.
        """
        self._reader.commit()

    def rest(self, seconds: float) -> None:
        """
        Wait without leaving the group, while whatever takes the views cannot.
        """
        self._reader.rest(seconds)
