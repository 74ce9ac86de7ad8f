"""
What goes wrong in declarations, file by file, and the key that must be named for it.
"""

from __future__ import annotations

Break = tuple[str, str, str, str]
"""A file, what stands there, what is put in its place, and the key that must be named."""

UNREADABLE: tuple[Break, ...] = (
    ("topics/members.toml", 'state = "SYC"', 'state = "Seychelles"', "member[seychelles].state"),
    ("topics/members.toml", 'id = "comoros"\n', 'id = "comoros"\nlanguage = "fr"\n', "member[comoros].language"),
    ("topics/recipients.toml", 'body = "protection"', 'body = "friends"', "recipient[protection-partner].body"),
    ("topics/national.toml", 'retention = "30d"', 'retention = "long"', "topic[national.{member}.{kind}]"),
    ("topics/views.toml", "partitions = 1", "partitions = 0", "topic[for.{recipient}.{kind}].partitions"),
    ("topics/zones/contested.geojson", "{", "", "line 1"),
    ("schemas/vocabularies/tlp.toml", "fr = ", "french = ", "title.fr"),
    ("processors/pipeline.toml", "cell_deg = 0.1", "cell_deg = -1", "repeats[same-day-same-place].cell_deg"),
    ("processors/agreements/rcoc-ais.toml", "tlp_max", "tlp_most", "when.tlp_most"),
    ("processors/agreements/rmifc-ais.toml", "version = ", "version == ", "is not TOML"),
    ("connectors/seychelles-table.toml", 'reference = "reference"', 'refrence = "reference"', "options.refrence"),
    ("connectors/mauritius-lines.toml", 'source = "lines"', 'source = "pigeons"', "source"),
)
"""Files that cannot be read, each for itself."""

UNKNOWN_NAMES: tuple[Break, ...] = (
    ("topics/recipients.toml", 'member = "comoros"', 'member = "comores"', "recipient[comoros].member"),
    ("processors/pipeline.toml", '"madagascar"', '"madagaskar"', "accept-reports"),
    ("processors/pipeline.toml", "distress = 900", "distres = 900", "repeats, deadlines and safety_of_life"),
    ("processors/agreements/rcoc-ais.toml", 'recipient = "rcoc"', 'recipient = "rcco"', "recipient"),
    ("processors/agreements/rmifc-ais.toml", 'zones = ["demonstration"]', 'zones = ["demo"]', "when.zones"),
    ("processors/agreements/rmifc-ais.toml", '"victims"', '"victim"', "fields.victim"),
    ("connectors/seychelles-table.toml", 'member = "seychelles"', 'member = "seychelle"', "member"),
    ("connectors/seychelles-table.toml", '"position.latitude"', '"position.latitud"', "options.rules[2] latitude"),
    ("connectors/mauritius-lines.toml", 'tlp = "GREEN"', 'tlp = "PURPLE"', "handling.tlp"),
)
"""Files that can be read, and name what does not exist."""
