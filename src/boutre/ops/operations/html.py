"""
The document of operations as HTML, in either language: the same for a browser without JavaScript and for one that goes on live.

Everything that comes from outside is escaped; nothing here is a script or a style, both of which stand in files of their own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from html import escape
from typing import Any, Final

from boutre.language import say
from boutre.ops.findings.wording import age
from boutre.ops.operations.columns import TABLES, Column, Row, clock, plain, stale_since

NOTHING: Final = '<span class="nothing">&ndash;</span>'


class Words:
    """
    One rendering: a language, the moment, and whether ages are written or left to the script that counts them on.
    """

    def __init__(self, language: str, now: float, *, ages: bool) -> None:
        self.language, self.now, self.ages = language, now, ages

    def say(self, key: str, **values: Any) -> str:
        """Give a text of the page, escaped."""
        return escape(say(f"operations.{key}", self.language, **values))

    def ago(self, at: float | None) -> str:
        """Give how long ago something was, as a time that the script counts on."""
        if at is None:
            return NOTHING
        said = age(max(0.0, self.now - at), self.language) if self.ages else ""
        moment = datetime.fromtimestamp(at, UTC)
        return (
            f'<time data-ago="{at:.0f}" datetime="{moment:%Y-%m-%dT%H:%M:%SZ}" title="{moment:%Y-%m-%d %H:%M:%S} UTC">{said}</time>'
        )

    def state(self, row: Row) -> str:
        """Give a state by shape, colour and word."""
        return f'<span class="state {row["level"]}"><i class="mark"></i>{self.say("state." + row["state"])}</span>'


def page(document: Row, language: str, *, panels: bool = False) -> str:
    """
    Give the whole page as it stands now.
    """
    words = Words(language, document["at"], ages=True)
    other = "en" if language == "fr" else "fr"
    loaded = f"{datetime.fromtimestamp(document['at'], UTC):%H:%M:%S} UTC"
    units = " ".join(f'data-{unit}="{words.say("unit." + unit)}"' for unit in ("second", "minute", "hour", "day"))
    said = {"live": words.say("connection.live"), "lost": words.say("connection.lost", time="{time}")}
    return f"""<!DOCTYPE html>
<html lang="{language}" {units} data-live="{said["live"]}" data-lost="{said["lost"]}" data-at="{document["at"]:.3f}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title(document, language)}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/operations.css">
<script src="/operations.js" defer></script>
</head>
<body>
<a class="skip" href="#findings">{words.say("page.skip")}</a>
<header>
<h1>{words.say("page.title")}</h1>
<p id="connection">{words.say("connection.loaded", time=loaded)}</p>
<nav>{f'<a href="/panels?language={language}">{words.say("heading.panels")}</a>' if panels else ""}
<a href="/?language={other}" lang="{other}" hreflang="{other}">{words.say("language")}</a></nav>
</header>
<p id="counts" role="status">{counts(document, language)}</p>
<main id="main">
{body(document, words)}
</main>
</body>
</html>
"""


def title(document: Row, language: str) -> str:
    """
    Give the title, with what is wrong in front: it is what a tab in the background shows.
    """
    found = document["counts"]
    mark = f"({found['error']}!) " if found["error"] else f"({found['warning']}) " if found["warning"] else ""
    return mark + escape(say("operations.page.title", language))


def counts(document: Row, language: str) -> str:
    """
    Give the one sentence that is read out when it changes.
    """
    found = document["counts"]
    if not any(found.values()):
        return escape(say("operations.findings.none", language))
    told = {"errors": found["error"], "warnings": found["warning"], "notes": found["note"]}
    return escape(say("operations.findings.count", language, **told))


def fragment(document: Row, language: str) -> str:
    """
    Give what stands in ``main``, without ages: the script counts them, and nothing is sent where nothing changed.
    """
    return body(document, Words(language, document["at"], ages=False))


def body(document: Row, words: Words) -> str:
    """
    Give the findings, and behind them all tables.
    """
    parts = (
        _findings(document, words),
        *(_table(name, document, words) for name in TABLES),
    )
    return "\n".join(parts)


def _findings(document: Row, words: Words) -> str:
    found = document["findings"]
    if not found:
        calm = f'<p class="calm"><span class="state ok"><i class="mark"></i>{words.say("findings.none")}</span></p>'
    else:
        calm = f'<ol class="findings">{"".join(_finding(one, words) for one in found)}</ol>'
    return f'<section id="findings" tabindex="-1"><h2>{words.say("heading.findings")}</h2>{calm}</section>'


def _finding(one: Row, words: Words) -> str:
    told = one[words.language]
    level = "unknown" if one["severity"] == "note" else one["severity"]
    word = words.say("severity." + one["severity"])
    since = "" if one["since"] is None else (
        f'<span class="since">{words.say("column.since")} {clock(one["since"], words.now)} · {words.ago(one["since"])}</span>'
    )  # fmt: skip
    stale = ""
    if one["stale_since"] is not None:
        stale = f'<span class="stale">{words.say("state.old")} · {words.ago(one["stale_since"])}</span>'
    command = f"<code>{escape(one['command'])}</code>" if one["command"] else ""
    book = (
        f'<span class="book">{words.say("runbook", page=told["runbook"].removeprefix("docs/runbooks/"))}</span>'
        if told["runbook"]
        else ""
    )
    return (
        f'<li data-key="{escape(one["key"])}" class="{level}"><span class="state {level}"><i class="mark"></i>{word}</span>'
        f'<p class="what">{escape(told["what"])}</p>{since}{stale}'
        f'<p class="do">{escape(told["do"])} {command} {book}</p></li>'
    )


def _cell(column: Column, row: Row, words: Words) -> str:
    value = row.get(column.key)
    if column.form == "state":
        return words.state(row)
    if column.form == "ago":
        return words.ago(value)
    if column.form == "why" and value:
        return f'<span class="why" lang="en">{escape(value)}</span>'  # what a process says of itself is English
    return escape(plain(column, row, words.language, words.now)) or NOTHING


def _table(name: str, document: Row, words: Words) -> str:
    columns, rows = TABLES[name], document[name]
    stale, since = stale_since(document, name)
    told = f' <span class="stale">{words.say("state.old")} · {words.ago(since)}</span>' if stale else ""
    heading = f'<h2 id="h-{name}">{words.say("heading." + name)}{told}</h2>'
    if not rows:
        return f'<section id="{name}">{heading}<p class="calm">{words.say("empty." + name)}</p></section>'
    head = "".join(f'<th scope="col"{_class(one)}>{words.say("column." + one.name)}</th>' for one in columns)
    lines = "".join(f'<tr data-key="{escape(row["key"])}">{"".join(_cells(row, columns, words))}</tr>' for row in rows)
    return (
        f'<section id="{name}"{" class=old" if stale else ""}>{heading}<div class="wide"><table aria-labelledby="h-{name}">'
        f"<thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table></div></section>"
    )


def _cells(row: Row, columns: Sequence[Column], words: Words) -> Iterator[str]:
    for place, column in enumerate(columns):
        tag = 'th scope="row"' if place == 0 else "td"
        yield f"<{tag}{_class(column)}>{_cell(column, row, words)}</{tag.partition(' ')[0]}>"


def _class(column: Column) -> str:
    return ' class="n"' if column.numeric else ""
