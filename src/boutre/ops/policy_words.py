"""
Agreements and what comes of them in words: fields, ways, clauses, conditions, in English and in French.

For lawyers and centres. Codes are told by their vocabularies, parties by their declared names; what has no words here is shown as
it is declared, so that a new rule is never silently left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

from boutre.connectors.phrases import Words, field_name, listed, safe, space
from boutre.connectors.wording import method
from boutre.language import french, keys, say
from boutre.ops.assembly import Assembly
from boutre.processors.agreement import Agreement
from boutre.processors.difference import terms
from boutre.processors.explain import Failing
from boutre.processors.ways import KEPT, MADE, WITHHELD, Way
from boutre.schemas.fields import walk
from boutre.topics.bus import Declarations

NO_BREAK: Final = "\N{NO-BREAK SPACE}"
KINDS: Final = ("sighting", "interception", "alert", "retraction")

SIGNS: Final[Mapping[str, str]] = {
    KEPT: "\N{BLACK CIRCLE}",
    "coarsened": "\N{ALMOST EQUAL TO}",
    "pseudonymised": "\N{WHITE DIAMOND}",
    WITHHELD: "\N{MULTIPLICATION SIGN}",
    MADE: "\N{WHITE SQUARE}",
}
"""A sign for each way, beside its words: for a page in black and white."""

ANY_SIGN: Final = "\N{WHITE UP-POINTING TRIANGLE}"
"""The sign of a way that has none yet."""

VOCABULARY: Final[Mapping[str, str]] = {
    "kinds": "kind@1",
    "purposes": "purpose@1",
    "ask": "contact@1",
    "when.types": "event-type@1",
    "when.not_types": "event-type@1",
    "when.tlp_max": "tlp@2",
    "when.handling": "handling@1",
    "roles": "person-role@1",
}
"""The vocabulary whose codes stand under a key of an agreement."""

SAID: Final[Mapping[str, str]] = {"retention_days": "policy.days", "onward": "policy.onward.{}"}
"""Keys that are told by texts of the catalogue."""

FIRST: Final = ("recipient", "parties", "legal_basis", "purposes", "kinds", "term", "retention_days", "onward", "reason", "ask")
"""What an agreement says of itself, in the order in which a lawyer asks; conditions come after it."""

SILENT: Final = frozenset({"version", "title", "start", "end"})
"""Keys that stand in the heading, or are told by another one."""


ELSEWHERE: Final[Mapping[str, str]] = {
    "condition": "origin.member",
    "not-for-this-event": "processors/pipeline.toml: safety_of_life",
}
"""Where what fails is looked for, for a reason that is not the agreement's own; else it is the record's handling."""


@dataclass(frozen=True, slots=True)
class Tongue:
    """
    One language, with the words and names of one bus.
    """

    language: str
    words: Words
    declarations: Declarations
    files: Mapping[str, str]

    @classmethod
    def of(cls, assembly: Assembly, language: str, files: Mapping[str, str] | None = None) -> Self:
        """Make it; *files* say in which file each agreement stands."""
        fields = {kind: {info.path: info for info in walk(assembly.codec.lock.latest(kind).schema)} for kind in KINDS}
        return cls(language, Words(assembly.vocabularies, fields), assembly.declarations, files or {})

    def say(self, key: str, /, **values: Any) -> str:
        """Give a text of the catalogue; *values* may be texts of it themselves."""
        # The catalogue shows no character that is not printable, and so no space of French typography in a value: it is set anew.
        plain = {name: value.replace(NO_BREAK, " ") if isinstance(value, str) else value for name, value in values.items()}
        text = say(key, self.language, **plain)
        return french(text) if self.language == "fr" else text

    def label(self, scheme: str, code: str) -> str:
        """Give the words for a code."""
        return self.words.vocabularies.label(scheme, safe(code), self.language)

    def party(self, name: str) -> str:
        """Give the declared name of a recipient or member, with its id; the id alone where it is not declared."""
        known = self.declarations.recipients.get(name) or self.declarations.members.get(name)
        return safe(name) if known is None else f"{getattr(known.names, self.language)} ({safe(name)})"

    # --- fields ---------------------------------------------------------------------------------------------------------

    def group(self, name: str) -> str:
        """Give the heading of a group."""
        return self.say(f"group.{name}")

    def headed(self, group: str, paths: Sequence[str]) -> str:
        """Name fields of one group after its heading; the group alone where they are all of it."""
        if tuple(paths) == (group,):
            return self.group(group)
        return f"{self.group(group)}{space(self.language)}: {', '.join(self.field(path) for path in paths)}"

    def field(self, path: str) -> str:
        """Name a field, without its group: that stands above it."""
        _, _, below = path.partition(".")
        parts = below.split(".") if below else []
        return " / ".join(field_name(part, self.language) for part in parts) or self.say("policy.whole-group")

    def state(self, way: Way) -> str:
        """Name what is done to a field."""
        if way.state in {KEPT, MADE}:
            return self.say(f"explain.state.{way.state}")
        return self.label("field-state@1", way.state)

    def way(self, way: Way) -> str:
        """Say what becomes of a field, and by which method."""
        how = self.method(way.method)
        return f"{self.state(way)} ({how})" if how else self.state(way)

    def brief(self, way: Way) -> str:
        """Say the same in a cell beside a sign: the method alone, where there is one."""
        known = f"policy.cell.{way.state}"
        return self.method(way.method) or (self.say(known) if known in keys("policy.cell") else self.state(way))

    def method(self, code: str | None) -> str | None:
        """Say how a field was made less exact."""
        name, _, rest = (code or "").partition(" ")
        if name == "roles":
            return ", ".join(self.label(VOCABULARY["roles"], role) for role in rest.split())
        return method(code, self.language)

    def clause(self, clause: str) -> str:
        """Say what a clause of an agreement is."""
        head, dot, rest = clause.partition(".")
        if f"explain.clause.{head}" not in keys("explain.clause"):
            return safe(clause)
        if head == "categories" or not dot:
            return self.say(f"explain.clause.{head}", name=rest)
        group = self.group(rest.partition(".")[0])
        named = f"{group} / {self.field(rest)}" if "." in rest else group
        return self.say(f"explain.clause.{head}", name=named)

    # --- terms ----------------------------------------------------------------------------------------------------------

    def terms(self, agreement: Agreement) -> Iterator[tuple[str, str, str]]:
        """Give all that an agreement says beside its rules for fields: its key, what that is called, what it says."""
        term = self.say("policy.term", start=agreement.start.isoformat(), end=agreement.end.isoformat())
        said = {**terms(agreement), "term": term, "recipient": agreement.recipient}
        bilingual = {key.rpartition(".")[0] for key in said if key.endswith((".en", ".fr"))}
        for key in bilingual:
            said[key] = said.pop(f"{key}.{self.language}")
            said = {name: value for name, value in said.items() if name not in {f"{key}.en", f"{key}.fr"}}
        for key in (*FIRST, *(key for key in said if key not in FIRST)):
            if key not in SILENT and said.get(key) not in (None, [], {}, False):
                yield key, self.key(key), self.value(key, said[key])

    def key(self, key: str) -> str:
        """Name a key of an agreement; the key itself where the catalogue has no name for it."""
        bare = key.removeprefix("when.")
        head, _, rest = bare.partition(".")
        known = f"policy.key.{head.replace('_', '-')}"
        named = self.say(known) if known in keys("policy.key") else bare
        return f"{named} ({safe(rest)})" if rest else named

    def value(self, key: str, value: Any) -> str:
        """Say what stands under a key of an agreement."""
        match value:
            case list() | tuple():
                return ", ".join(self.value(key, each) for each in value)
            case {"claimed_by": state, "claims": claims}:
                told = ", ".join(self.say(f"policy.claim.{claim}") for claim in claims)
                return self.say("policy.claimed-by", state=state, claims=told)
            case Mapping():
                return "; ".join(f"{name}: {self.value(name, each)}" for name, each in value.items())
            case bool():
                return self.say("watch.yes" if value else "watch.no")
            case _:
                return self._single(key, str(value))

    def _single(self, key: str, value: str) -> str:
        scheme = VOCABULARY.get(key) or VOCABULARY.get(key.partition(".")[0])
        if scheme is not None:
            label = self.label(scheme, value)
            return label if key == "ask" or label == value else f"{label} ({safe(value)})"
        if key in SAID:
            return self.say(SAID[key].format(value), count=value)
        if key in {"recipient", "when.members", "when.not_members"}:
            return self.party(value)
        zone = self.declarations.zones.get(value) if key == "when.zones" else None
        return safe(value) if zone is None else f"{safe(zone.name)} ({safe(value)})"

    # --- why not --------------------------------------------------------------------------------------------------------

    def reason(self, code: str | None) -> str:
        """Say why nothing is given; the words begin small, since they stand inside a sentence."""
        told = self.label("release-reason@1", code or "")
        return f"{told[:1].lower()}{told[1:]}"

    def must_be(self, failing: Failing, agreement: Agreement) -> str:
        """Say what would have to be otherwise for a condition to hold."""
        if failing.key is None:
            own = f"explain.must-be.record-{failing.reason}"
            found = own if own in keys("explain.must-be") else "explain.must-be.record"
            return self.say(found, recipient=self.party(agreement.recipient))
        bare = failing.key.removeprefix("when.").replace("_", "-")
        found = f"explain.must-be.{bare}"
        if found not in keys("explain.must-be"):
            found = "explain.must-be.any"
        allowed = terms(agreement).get(failing.key)
        told = self.value(failing.key, allowed) if allowed not in (None, []) else self.say("mark.empty")
        return self.say(found, allowed=told, start=agreement.start.isoformat(), end=agreement.end.isoformat())

    def where(self, agreement: Agreement, failing: Failing) -> str:
        """Say where in an agreement's file a condition stands; where it is not the agreement's, in the record or in the bus."""
        if failing.key is None:
            return ELSEWHERE.get(failing.reason, "handling")
        shown = "start, end" if failing.key == "term" else failing.key
        return f"{self.files.get(agreement.id, agreement.name)}: {shown}"

    def ask(self, codes: Sequence[str]) -> str:
        """Say whom to ask."""
        return listed((self.label("contact@1", code) for code in codes), self.language)
