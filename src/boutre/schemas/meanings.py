"""
The closed sets that a field's meaning is made of: sharing categories and units, a sentence each.

They are the bus's own and in code, since agreements, coarsening and validation are written against them: a new one is a decision
for all of those, not a line of data.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

CATEGORIES: Final[Mapping[str, str]] = {
    "administrative": "What the bus and its agreements need to handle the record; it says nothing of the event.",
    "alert": "What a warning asks and how pressing it is.",
    "assessment": "How far the source and its report can be believed.",
    "craft": "What a craft looks like and does, without what it is called.",
    "enforcement": "Suspects, offences and what tells of an investigation; in some laws special-category data.",
    "event": "What kind of thing happened.",
    "identity": "What a craft is called or can be told by.",
    "location": "Where, and where to.",
    "migration": "A journey of migrants, without their names.",
    "narrative": "Free text; it may hold anything and is never cut in part.",
    "operation": "What an authority does, with whom and by which means.",
    "origin": "Which member and authority reports.",
    "person-identity": "Who a person is: name, birth, papers, nationality, role. Never the same rule as a craft's name.",
    "persons": "People counted, never named.",
    "protection": "What people need, for those who care for them.",
    "rejected-content": "Input that was not accepted, as it came; for its owner only.",
    "source-method": "By what and from whom it is known; giving it away can burn a source.",
    "time": "When.",
    "unmapped": "Fields of a source that nobody has looked at; they may hold anything.",
    "victim": "What tells of persons to be protected.",
}
"""
The sharing categories: what an agreement may speak of when it does not name a field. Closed.
"""

UNITS: Final[Mapping[str, str]] = {
    "1": "A plain number without a unit.",
    "amount in currency": "An amount in the currency that stands beside it.",
    "byte": "Bytes.",
    "code": "A code of the vocabulary named, or of the international standard that the doc names.",
    "day": "Days, or a day of the calendar.",
    "degree WGS 84": "Degrees of latitude or longitude, WGS 84, north and east positive.",
    "degree true": "Degrees from true north, clockwise.",
    "engine": "Engines.",
    "group": "No value of its own: a group of fields.",
    "identifier": "An identifier; compared whole, never parsed.",
    "kilowatt": "Kilowatts.",
    "knot": "Knots.",
    "metre": "Metres.",
    "millisecond UTC": "Milliseconds since 1970-01-01T00:00Z.",
    "person": "Persons.",
    "probability": "From 0 to 1.",
    "second": "Seconds.",
    "text": "Words as somebody wrote them.",
    "year": "A year of the Gregorian calendar.",
    "yes or no": "True or false.",
}
"""
The units that a field may be in. Closed.
"""
