"""
The pipeline as a picture, for the README and for whoever would rather look than read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from boutre.processors.pipeline import Pipeline

GAP: Final = "    "


def mermaid(pipeline: Pipeline) -> str:
    """
    Draw the pipeline for the README: members, steps, recipients, and the topics between them, by pattern.

    Parties of one sort stand in one box, so that a line goes to all of them at once.
    """
    file = pipeline.file
    lines = ["flowchart LR"]
    for accept in file.accept:
        lines += _box(f"of_{_mark(accept.name)}", "members", ((_mark(one), one) for one in accept.members))
    lines += _box("recipients", "recipients", ((f"to_{_mark(one)}", one) for one in pipeline.declarations.recipients))
    lines += [f'{_mark(edge.name)}["{edge.name}"]' for edge in pipeline.edges]
    lines += [f"of_{_mark(accept.name)} -- national.* --> {_mark(accept.name)}" for accept in file.accept]
    lines += [f"{_mark(accept.name)} -- bus.* --> {_mark(file.release.name)}" for accept in file.accept]
    lines += [*_movements(pipeline), f"{_mark(file.release.name)} -- for.* --> recipients", *_links(pipeline)]
    tellers = [file.release.name, *([file.correlate.name] if file.correlate else [])]
    lines += [f"{_mark(name)} -- bus.receipt --> receipts[(receipts)]" for name in tellers]
    lines += [f"{_mark(accept.name)} -. rejects.* .-> rejects[(each member's own rejects)]" for accept in file.accept]
    return "\n".join([lines[0], *(f"{GAP}{line}" for line in lines[1:])]) + "\n"


def _movements(pipeline: Pipeline) -> Iterator[str]:
    """What detects and meets reads what was accepted, and gives what it finds to the release."""
    file = pipeline.file
    if file.detect is None or file.meet is None:
        return
    detect, meet, release = (_mark(each.name) for each in (file.detect, file.meet, file.release))
    yield from (f"{_mark(accept.name)} -- bus.* --> {detect}" for accept in file.accept)
    yield f"{detect} -- bus.meeting.* --> {meet}"
    yield from (f"{each} -- bus.found.* --> {release}" for each in (detect, meet))


def _links(pipeline: Pipeline) -> Iterator[str]:
    """What a recipient was given is offered, and comes back to it as links and alerts of its own; so does what it says of them."""
    file = pipeline.file
    if file.correlate is None:
        return
    correlate = _mark(file.correlate.name)
    yield f"{_mark(file.release.name)} -- bus.offer.* --> {correlate}"
    yield f'{correlate} -- "links and alerts: for.*.link, for.*.alert" --> recipients'
    if file.hear is not None:
        hear = _mark(file.hear.name)
        yield f"recipients -. from.* .-> {hear}"
        yield f"{hear} -- bus.said --> {correlate}"


def _box(name: str, title: str, parties: Iterable[tuple[str, str]]) -> list[str]:
    return [f'subgraph {name}["{title}"]', *(f'{GAP}{mark}(["{party}"])' for mark, party in parties), "end"]


def _mark(name: str) -> str:
    return name.replace("-", "_")
