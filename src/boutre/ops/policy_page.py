"""
The agreements as one page that a lawyer can read: recipients by fields, and what each agreement says of itself, in both languages.

One file with nothing from anywhere else: no script, no font, no image, and a policy in its head that forbids them. Every text of an
agreement is escaped. It is read in black and white: a sign and words for each answer, and never a colour alone.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Final

from boutre.connectors.phrases import listed
from boutre.connectors.side_by_side import WHOLE
from boutre.language import LANGUAGES
from boutre.ops.assembly import Assembly
from boutre.ops.policy_tables import Columns, Fields, columns
from boutre.ops.policy_words import ANY_SIGN, SIGNS, Tongue
from boutre.processors.agreement import Agreement
from boutre.processors.ways import Line, Way, folded
from boutre.schemas.fields import FieldInfo

STYLE: Final = """
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem; max-width: 110rem; font: 15px/1.45 system-ui, "Segoe UI", "DejaVu Sans", sans-serif;
  color: #111; background: #fff; }
nav { display: flex; flex-wrap: wrap; gap: .2rem 1rem; padding-bottom: .5rem; border-bottom: 1px solid #888; }
a { color: inherit; }
body:has(#fr:target, #fr :target) #en, body:has(#en:target, #en :target) #fr { display: none; }
section + section { border-top: 3px solid #111; margin-top: 3rem; }
h1 { font-size: 1.7rem; } h2 { font-size: 1.3rem; margin-top: 2.5rem; } h3 { font-size: 1.05rem; margin: 0 0 .3rem; }
p, dl { max-width: 60rem; }
.legend { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: .3rem 1.6rem; }
.sign { display: inline-block; min-width: 1.1em; font-weight: bold; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .86rem; min-width: 100%; }
th, td { border: 1px solid #999; padding: .28rem .4rem; text-align: left; vertical-align: top; }
thead th { background: #eee; min-width: 7rem; }
tbody th { font-weight: normal; position: sticky; left: 0; background: #fff; min-width: 15rem; max-width: 22rem; }
tbody th b { display: block; }
td.withheld { color: #444; background: #f4f4f4; }
code { font: .82em ui-monospace, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; color: #333; }
td code { display: block; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 38rem), 1fr)); gap: 1rem; }
article { border: 1px solid #999; padding: .8rem 1rem; break-inside: avoid; }
dl { display: grid; grid-template-columns: 11rem 1fr; gap: .15rem 1rem; margin: 0; }
dt { font-weight: bold; } dd { margin: 0; }
@page { size: A3 landscape; margin: 12mm; }
@media print {
  body { padding: 0; font-size: 9pt; max-width: none; }
  nav { display: none; }
  .wide { overflow: visible; }
  thead { display: table-header-group; } thead th, tbody th { position: static; }
  table { table-layout: fixed; font-size: 6.5pt; min-width: 0; width: 100%; }
  thead th, tbody th { min-width: 0; max-width: none; overflow-wrap: anywhere; }
  thead tr:first-child th:first-child { width: 12%; }
  tr { break-inside: avoid; } h2 { break-after: avoid; }
  section + section, h2.kind { break-before: page; }
}
@media (max-width: 40rem) { dl { grid-template-columns: 1fr; } dd { margin-bottom: .4rem; } tbody th { position: static; } }
"""


def page(assembly: Assembly, fields: Fields, kinds: Sequence[str], files: Mapping[str, str]) -> str:
    """
    Write the page for the agreements of a bus; *files* say where each stands, by its id.
    """
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    tongues = [Tongue.of(assembly, language, files) for language in LANGUAGES]
    title = " / ".join(tongue.say("policy.title") for tongue in tongues)
    parts = [
        "<!DOCTYPE html>",
        f'<html lang="{LANGUAGES[0]}"><head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{escape(policy)}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="referrer" content="no-referrer">',
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body>",
        '<nav><a href="#en" lang="en">English</a> <a href="#fr" lang="fr">Français</a> <a href="#">English + français</a></nav>',
        *(line for tongue in tongues for line in _section(assembly, tongue, fields, kinds)),
        "</body></html>",
    ]
    return "\n".join(parts) + "\n"


def _section(assembly: Assembly, tongue: Tongue, fields: Fields, kinds: Sequence[str]) -> Iterator[str]:
    policy = assembly.pipeline.policy
    mine = {kind: columns(policy, fields, kind) for kind in kinds}
    yield f'<section id="{tongue.language}" lang="{tongue.language}">'
    yield f"<h1>{escape(tongue.say('policy.title'))}</h1><p>{escape(tongue.say('policy.intro'))}</p>"
    yield f"<p>{escape(tongue.say('policy.clause-note'))}</p>"
    yield from _legend([way for each in mine.values() for _, given in each for way in given.values()], tongue)
    yield from _contents(kinds, tongue)
    yield f'<h2 id="{tongue.language}-agreements">{escape(tongue.say("policy.agreements"))}</h2><div class="cards">'
    for agreement in policy.agreements:
        yield from _agreement(agreement, tongue)
    yield "</div>"
    for kind in kinds:
        yield f'<h2 class="kind" id="{tongue.language}-kind-{kind}">{escape(tongue.label("kind@1", kind))}</h2>'
        yield from _matrix(kind, mine[kind], fields[kind], tongue)
    yield "</section>"


def _contents(kinds: Sequence[str], tongue: Tongue) -> Iterator[str]:
    places = {"agreements": tongue.say("policy.agreements"), **{f"kind-{kind}": tongue.label("kind@1", kind) for kind in kinds}}
    links = " ".join(f'<a href="#{tongue.language}-{place}">{escape(name)}</a>' for place, name in places.items())
    yield f"<nav>{links}</nav>"


def _legend(given: Sequence[Way], tongue: Tongue) -> Iterator[str]:
    yield f'<ul class="legend" aria-label="{escape(tongue.say("policy.legend"))}">'
    for way in {way.state: way for way in given}.values():
        yield f'<li><span class="sign">{SIGNS.get(way.state, ANY_SIGN)}</span> {escape(tongue.state(way))}</li>'
    yield "</ul>"
    clauses = dict.fromkeys(way.clause for way in given if way.clause and "." not in way.clause)
    if clauses:
        told = listed((f"<code>{escape(clause)}</code> {escape(tongue.clause(clause))}" for clause in clauses), tongue.language)
        yield f"<p>{told}</p>"


def _agreement(agreement: Agreement, tongue: Tongue) -> Iterator[str]:
    title = f"{escape(getattr(agreement.title, tongue.language))} <code>{escape(agreement.name)}</code>"
    yield f'<article id="{tongue.language}-{escape(agreement.id)}"><h3>{title}</h3><dl>'
    for key, name, value in tongue.terms(agreement):
        yield f"<dt>{escape(name)}</dt><dd>{escape(value)} <code>{escape('start, end' if key == 'term' else key)}</code></dd>"
    file = tongue.files.get(agreement.id)
    if file is not None:
        yield f"<dt>{escape(tongue.say('policy.key.file'))}</dt><dd><code>{escape(file)}</code></dd>"
    yield "</dl></article>"


def _matrix(kind: str, mine: Columns, infos: Sequence[FieldInfo], tongue: Tongue) -> Iterator[str]:
    if not mine:
        yield f"<p>{escape(tongue.say('policy.no-agreement'))}</p>"
        return
    yield f'<div class="wide" tabindex="0" role="region" aria-label="{escape(tongue.label("kind@1", kind))}"><table><thead><tr>'
    yield f'<th scope="col" rowspan="2">{escape(tongue.say("explain.column.field"))}</th>'
    recipients = [agreement.recipient for agreement, _ in mine]
    for name in dict.fromkeys(recipients):
        yield f'<th scope="colgroup" colspan="{recipients.count(name)}">{escape(tongue.party(name))}</th>'
    yield "</tr><tr>"
    for agreement, _ in mine:
        link = f'<a href="#{tongue.language}-{escape(agreement.id)}">{escape(agreement.name)}</a>'
        # What gives more than the others, and when, is to be seen where it does.
        only = [f"<br>{escape(tongue.key(key))}" for key in ("scope", "safety_of_life") if getattr(agreement, key)]
        yield f'<th scope="col"><code>{link}</code>{"".join(only)}</th>'
    yield "</tr></thead><tbody>"
    paths = dict.fromkeys(path for _, given in mine for path in given)
    for line in folded({path: tuple(_cell(given.get(path)) for _, given in mine) for path in _in_order(paths, infos)}):
        yield "<tr>" + _head(line, infos, tongue)
        yield from (_answer(given.get(line.fields[0]), tongue) for _, given in mine)
        yield "</tr>"
    yield "</tbody></table></div>"


def _in_order(paths: Mapping[str, None], infos: Sequence[FieldInfo]) -> Iterator[str]:
    return (info.path for info in infos if info.path in paths)


def _cell(way: Way | None) -> tuple[object, ...] | None:
    return None if way is None else (*way.outcome, way.clause)


def _head(line: Line, infos: Sequence[FieldInfo], tongue: Tongue) -> str:
    """Name the fields of a row: its group, and each field with its path; parts of one value as that value."""
    named = dict.fromkeys(shown(path, line.fields, infos) for path in line.fields)
    each = ", ".join(f"{escape(tongue.field(path))} <code>{escape(path)}</code>" for path in named if path != line.group)
    return f'<th scope="row"><b>{escape(tongue.group(line.group))}</b>{each or f"<code>{escape(line.group)}</code>"}</th>'


def shown(path: str, row: Sequence[str], infos: Sequence[FieldInfo]) -> str:
    """
    Give the path by which a field is named: that of the value of which it is a part, where all parts stand in the same row.
    """
    types = {info.path: info.type_name for info in infos}
    parts = path.split(".")
    for length in range(1, len(parts)):
        above = ".".join(parts[:length])
        if types.get(above) in WHOLE and all(
            other in row for other in types if other.startswith(f"{above}.") and _leaf(other, types)
        ):
            return above
    return path


def _leaf(path: str, types: Mapping[str, str]) -> bool:
    return not any(other.startswith(f"{path}.") for other in types)


def _answer(way: Way | None, tongue: Tongue) -> str:
    if way is None:
        return "<td></td>"
    sign = f'<span class="sign">{SIGNS.get(way.state, ANY_SIGN)}</span>'
    clause = f"<code>{escape(way.clause).replace('.', '.<wbr>')}</code>" if way.clause else ""
    return f'<td class="{escape(way.state)}">{sign} {escape(tongue.brief(way))}{clause}</td>'
