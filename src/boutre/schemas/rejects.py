"""
What could not be accepted, as a record for its owner: a reason code, a sentence in both languages, where it stood.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from boutre.language import both
from boutre.schemas.identity import record_id

MAX_CONTENT = 65_536
"""The most bytes of the input that are kept beside the reason."""


def reject(
    *,
    member: str,
    stage: str,
    code: str,
    place: Mapping[str, Any],
    at: datetime | None,
    input_id: str,
    kind: str | None = None,
    content: bytes | None = None,
    detail: str = "",
    field: str | None = None,
) -> dict[str, Any]:
    """
    Build the value of a reject.

    *place* has the keys of the schema's ``Place``; *at* is the acceptance on the bus, or the connector's clock before that;
    None where there is no such time.
    The same input refused twice at one place has the same id.
    """
    stood = {**place, "field": field or place.get("field")}
    where = ", ".join(str(stood[name]) for name in ("file", "line", "topic", "partition", "offset") if stood.get(name) is not None)
    sentence = both(f"reject.{code}", field=stood["field"] or "-", place=where or "-", detail=detail or "-")
    return {
        "id": record_id(member, "reject", stage, f"{input_id}|{where}|{code}"),
        "input": input_id,
        "member": member,
        "kind": kind,
        "stage": stage,
        "code": code,
        "sentence": sentence,
        "place": stood,
        "at": at,
        "content": None if content is None else content[:MAX_CONTENT],
        "truncated": content is not None and len(content) > MAX_CONTENT,
    }
