"""
A message in the words of both languages: what, where it comes from, how sure, how old, what was withheld, what to do until when.

Every sentence is of the catalogue, or of the rule that is declared. A text tells only facts that its rule shows, and of them only
what its recipient has: the situation holds nothing else.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from babel.dates import format_datetime, format_timedelta
from babel.numbers import format_decimal

from boutre.language import LANGUAGES, say
from boutre.processors.alerts.message import CANCEL, UPDATE, Message, Sending
from boutre.processors.alerts.rule import Rule
from boutre.processors.alerts.rules import Rules
from boutre.processors.alerts.thread import DAY_S, MOST, PROPOSED, VALIDATED, Thread, message_id, references

PRIME: Final = "\N{PRIME}"
HALF_DAY_S: Final = 43_200.0
HALF_HOUR_S: Final = 1_800.0
DAY_FORM: Final = "d MMMM y"
MINUTE_FORMS: Final = {"en": "d MMMM y, HH:mm 'UTC'", "fr": "d MMMM y, HH:mm 'UTC'"}
SPACES: Final = str.maketrans({"\N{NO-BREAK SPACE}": " ", "\N{NARROW NO-BREAK SPACE}": " "})
"""The catalogue shows no character that is not seen, so the spaces of numbers are ordinary ones."""


def compose(rules: Rules, rule: Rule, thread: Thread, sending: Sending) -> Message:
    """
    Make the next message of *thread*, as it stands.
    """
    situation, scales = thread.situation, rules.scales
    codes = (
        scales.code("severity", thread.severity),
        scales.code("urgency", thread.urgency),
        scales.code("certainty", thread.certainty),
    )
    texts = {language: Writer(rules, rule, thread, sending, language=language) for language in LANGUAGES}
    onset = situation.observed if situation.observed is None or "time" in rule.show else situation.observed // DAY_S * DAY_S
    return Message(
        id=message_id(thread.id, thread.serial + 1),
        thread=thread.id,
        rule=rule.name,
        recipient=thread.recipient,
        exercise=thread.exercise,
        serial=thread.serial + 1,
        kind=sending.kind,
        reasons=sending.reasons,
        references=references(thread),
        at=sending.at,
        quiet=thread.late or (sending.kind == CANCEL and (thread.quiet or not thread.live or sending.reasons == ("dismissed",))),
        proposed=thread.validation == PROPOSED,
        validation="validated" if thread.validation == VALIDATED else "not-validated",
        late=thread.late,
        category=rule.category,
        event=rule.event,
        severity=thread.severity,
        urgency=thread.urgency,
        certainty=thread.certainty,
        codes=codes,
        response=("None",) if sending.kind == CANCEL else rule.response,
        onset=onset,
        expires=sending.expires,
        due=thread.due,
        lives_at_risk=situation.lives_at_risk,
        headline={language: text.headline() for language, text in texts.items()},
        description={language: " ".join(filter(None, text.description())) for language, text in texts.items()},
        instruction={language: " ".join(filter(None, text.instruction())) for language, text in texts.items()},
        derived_from=tuple(sorted(thread.records))[:MOST],
        to=sending.to,
    )


class Writer:
    """
    Writes one message in one language.
    """

    def __init__(self, rules: Rules, rule: Rule, thread: Thread, sending: Sending, *, language: str) -> None:
        self.rules, self.rule, self.thread, self.sending, self.language = rules, rule, thread, sending, language
        self.situation = thread.situation

    def headline(self) -> str:
        """One line: what it is, and as much of where and how many as the rule shows."""
        title = self._own(self.rule.title.model_dump())
        if self.thread.late:
            line = say("alert.headline.late", self.language, title=title, count=self._count())
        elif self.thread.many:
            line = say("alert.headline.many", self.language, title=title, count=self._count(), place=self._place())
        else:
            line = say("alert.headline.first", self.language, title=title, persons=self._persons(), place=self._place())
        if self.sending.kind == CANCEL:
            line = say("alert.headline.cancel", self.language, title=title)
        elif self.sending.kind == UPDATE:
            line = say("alert.headline.update", self.language, line=line)
        return say("alert.headline.exercise", self.language, line=line) if self.thread.exercise else line

    def description(self) -> Iterator[str]:
        """What is known, sentence by sentence."""
        for reason in self.sending.reasons:
            yield say(f"alert.reason.{reason}", self.language)
        if self.thread.occurrences:
            yield from self._known()
        yield say(f"alert.standing.{self.thread.validation}", self.language, rule=self.rule.name)

    def _known(self) -> Iterator[str]:
        if self.thread.many:
            yield say("alert.count", self.language, count=self._count())
        yield self._sentence("alert.persons", self._persons())
        yield self._sentence("alert.place", self._place())
        yield self._time()
        if "outcome" in self.rule.show:
            labels = [self.rules.label("event-outcome@1", code, self.language) for code in self.situation.outcomes]
            yield self._sentence("alert.outcome", ", ".join(labels))
        yield self._sources()
        yield self._roots()
        if self.situation.probability is not None and len(self.situation.records) > 1:
            yield say("alert.linked", self.language, **self._chance(self.situation.probability))
        yield say("alert.sure", self.language, **self._chance(self.thread.certainty))
        yield self._withheld()

    def instruction(self) -> Iterator[str]:
        """What to do, and until when."""
        if self.sending.kind == CANCEL:
            yield say("alert.nothing-to-do", self.language)
            return
        for one in self.sending.to:
            yield say("alert.called", self.language, to=self._own(one))
        yield self._own(self.rule.instruction.model_dump())
        if self.thread.answered is None:
            yield say("alert.deal-by", self.language, time=instant(self.thread.due, self.language))

    def _own(self, texts: dict[str, str]) -> str:
        return texts[self.language]

    def _sentence(self, key: Literal["alert.persons", "alert.place", "alert.outcome"], value: str) -> str:
        return say(key, self.language, value=value) if value else ""

    def _count(self) -> str:
        count = len(self.thread.occurrences)
        return say("alert.at-least", self.language, count=count) if count >= MOST else str(count)

    def _persons(self) -> str:
        least, most = self.situation.persons_least, self.situation.persons_most
        if "persons" not in self.rule.show or most is None:
            return ""
        text = number(most, self.language)
        if least is None:
            text = say("alert.at-most", self.language, count=text)
        elif least != most:
            text = say("alert.between", self.language, least=number(least, self.language), most=text)
        return say("alert.person" if most == 1 and least == 1 else "alert.people", self.language, count=text)

    def _place(self) -> str:
        latitude, longitude = self.situation.latitude, self.situation.longitude
        if "position" not in self.rule.show or latitude is None or longitude is None:
            return ""
        sides = "EW" if self.language == "en" else "EO"
        text = f"{angle(latitude, 2, 'NS', self.language)} {angle(longitude, 3, sides, self.language)}"
        radius = self.situation.accuracy_m
        return text if radius is None else f"{text} ± {number(radius / 1000, self.language)} km"

    def _time(self) -> str:
        observed, within = self.situation.observed, self.situation.within_s
        if observed is None:
            return say("alert.time-unknown", self.language)
        if "time" not in self.rule.show:
            within = max(within, HALF_DAY_S)
        return say(
            "alert.time",
            self.language,
            time=instant(observed, self.language, within),
            age=length(max(0.0, self.sending.at - observed), self.language, within),
        )

    def _chance(self, probability: float) -> dict[str, str]:
        words = self.rules.scales.words(probability, self.language)
        return {"words": words, "percent": number(probability * 100, self.language, 0)}

    def _sources(self) -> str:
        sources = self.situation.sources if "sources" in self.rule.show else ()
        if not sources:
            return say("alert.sources-hidden", self.language)
        return say("alert.sources", self.language, sources=", ".join(self.rules.name_of(one, self.language) for one in sources))

    def _roots(self) -> str:
        roots = self.situation.roots
        return say("alert.roots-unknown", self.language) if roots is None else say("alert.roots", self.language, count=roots)

    def _withheld(self) -> str:
        groups = dict.fromkeys(field.partition(".")[0] for field in self.situation.withheld)
        if not groups:
            return say("alert.nothing-withheld", self.language)
        return say("alert.withheld", self.language, groups=", ".join(say(f"group.{name}", self.language) for name in groups))


def number(value: float, language: str, digits: int = 1) -> str:
    """
    Give a number as the language writes it, with at most *digits* after its decimal sign.
    """
    text: str = format_decimal(value, format=f"#,##0.{'#' * digits}" if digits else "#,##0", locale=language)
    return text.translate(SPACES)


def angle(degrees: float, digits: int, sides: str, language: str) -> str:
    """
    Give degrees and minutes with one decimal, and the side of the equator or of Greenwich; a question mark for what is no number.
    """
    if not math.isfinite(degrees):
        return "?"
    tenths = round(abs(degrees) * 600)
    minutes = f"{tenths % 600 / 10:04.1f}".replace(".", "," if language == "fr" else ".")
    return f"{tenths // 600:0{digits}}°{minutes}{PRIME}{sides[degrees < 0]}"


def instant(at: float, language: str, within_s: float = 0.0) -> str:
    """
    Give an instant (seconds since 1970, in the years 1 to 9999) in UTC and in words: to the minute, or to the day.
    """
    form = DAY_FORM if within_s >= HALF_DAY_S else MINUTE_FORMS[language]
    text: str = format_datetime(datetime.fromtimestamp(at, UTC), form, tzinfo=UTC, locale=language).translate(SPACES)
    # French counts the first of a month, and only that one.
    return f"1er {text[2:]}" if language == "fr" and text.startswith("1 ") else text


def length(seconds: float, language: str, within_s: float = 0.0) -> str:
    """
    Give a length of time in words, no finer than it is known.
    """
    if within_s >= HALF_DAY_S and seconds < DAY_S:
        return say("alert.less-than-a-day", language)
    unit: Literal["day", "hour", "minute"] = "day" if within_s >= HALF_DAY_S else "hour" if within_s >= HALF_HOUR_S else "minute"
    text: str = format_timedelta(timedelta(seconds=seconds), granularity=unit, threshold=2, locale=language)
    return text.translate(SPACES)
