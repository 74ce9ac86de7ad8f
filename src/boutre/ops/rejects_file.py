"""
What was rejected as a JSON file that a person edits: out with ``boutre rejects fix``, in with ``boutre rejects send-again --from``.

It holds either the record as a value (``value``), or the text of which no record could be made (``content``, a line each, which the
feed's own source reads again). What else stands there tells whoever edits it what is wrong. It is for its owner's eyes only.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import Field, ValidationError

from boutre.durable import replace
from boutre.errors import DeclarationError, Fault
from boutre.language import say
from boutre.ops.rejects_recovery import Recovered, Unmade
from boutre.ops.rejects_standing import Entry
from boutre.topics.strict import Declared

FORM: Final = "boutre reject 1"


class FixFile(Declared):
    """
    What such a file holds.
    """

    form: Literal["boutre reject 1"]
    reject: str
    record: str
    member: str
    code: str
    field: str | None = None
    says: dict[str, str] = Field(default_factory=dict)
    kind: str | None = None
    feed: str | None = None
    value: dict[str, Any] | None = None
    content: tuple[str, ...] | None = None
    times: int = 0


@dataclass(frozen=True, slots=True)
class Mended:
    """
    A file that came back: of which *reject* and *record*, rejected for which *code*, and what is to be sent in its place.
    """

    reject: str
    record: str
    member: str
    code: str
    found: Recovered | tuple[str, tuple[str, ...]] = field(repr=False)
    """A record, or a feed with the lines that it is to read."""


def written(entry: Entry, sentence: str, found: Recovered | Unmade, language: str) -> dict[str, Any]:
    """
    Give the file for a reject; what cannot be mended there has neither ``value`` nor ``content``, and is no such file.
    """
    head: dict[str, Any] = {
        "form": FORM,
        "reject": entry.id,
        "record": entry.record,
        "member": entry.member,
        "code": entry.code,
        "field": entry.field,
        "says": {"reason": sentence, "how": say("rejects.how-to-mend", language)},
    }
    if isinstance(found, Recovered):
        return {**head, "kind": found.kind, "times": found.times, "value": dict(found.document)}
    return {**head, "feed": found.feed, "content": list(found.lines or ())}


def save(path: Path, document: Mapping[str, Any]) -> None:
    """
    Write a file for its owner alone; DeclarationError where one of that name is there, or it cannot be written.
    """
    if path.exists():
        raise DeclarationError([Fault(str(path), "", "is there already; name another file")])
    try:
        replace(path, (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace"), private=True)
    except OSError as error:
        raise DeclarationError([Fault(str(path), "", f"cannot be written ({error.strerror})")]) from None


def read(path: Path) -> Mended:
    """
    Read a file that was edited; DeclarationError with all that is wrong in its form, and with no value of it.
    """
    try:
        table = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=_once)
        file = FixFile.model_validate_json(json.dumps(table), strict=True)
    except ValidationError as error:
        faults = [
            Fault(str(path), ".".join(map(str, one["loc"])), one["msg"])
            for one in error.errors(include_url=False, include_input=False)
        ]
        raise DeclarationError(faults) from None
    except UnicodeDecodeError:
        raise DeclarationError([Fault(str(path), "", "is not UTF-8; save the file as UTF-8")]) from None
    except json.JSONDecodeError as error:
        raise DeclarationError([Fault(str(path), f"line {error.lineno}", f"is no JSON: {error.msg}")]) from None
    except RecursionError:
        raise DeclarationError([Fault(str(path), "", "lies too deep in itself")]) from None
    except _TwiceError as twice:
        raise DeclarationError([Fault(str(path), twice.key, "stands there twice")]) from None
    except OSError as error:
        raise DeclarationError([Fault(str(path), "", f"cannot be read ({error.strerror})")]) from None
    if (file.value is None) == (file.content is None):
        raise DeclarationError([Fault(str(path), "value", "or content: one of the two")])
    needed, name = (file.kind, "kind") if file.value is not None else (file.feed, "feed")
    if needed is None:
        raise DeclarationError([Fault(str(path), name, "is missing")])
    found = Recovered(needed, file.value, "topic", times=file.times) if file.value is not None else (needed, file.content or ())
    return Mended(file.reject, file.record, file.member, file.code, found)


class _TwiceError(ValueError):
    """A key stands twice in one object."""

    def __init__(self, key: str) -> None:
        self.key = key
        super().__init__()


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for key, inner in pairs:
        if key in value:
            raise _TwiceError(key)
        value[key] = inner
    return value
