"""
The agreements of this bus are right, and whatever is broken in one is said with its file and key, all at once.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from boutre.errors import Fault
from boutre.processors.coarsen import METHODS
from boutre.processors.cut import OWN
from boutre.processors.policy import Known, Policy, describe, load
from boutre.topics import bus
from records import FIELDS, LOCK, RECIPIENTS, ROOT, real_pipeline, words

FOLDER = ROOT / "processors" / "agreements"
FILES = sorted(path.name for path in FOLDER.glob("*.toml"))
ONE = "comoros-information.toml"


@pytest.fixture(scope="module")
def known() -> Known:
    """
    What this bus's agreements may name.
    """
    declared = bus.load(ROOT)
    return Known(
        frozenset(declared.recipients),
        frozenset(declared.members),
        frozenset(declared.zones),
        words().codes("event-type@1"),
        words().codes("purpose@1"),
        words().codes("person-role@1"),
        frozenset(scope.id for scope in real_pipeline().scopes),
        words().codes("consent@1"),
        {name: zone.claims for name, zone in declared.zones.items()},
        declared.regions,
        real_pipeline().file.safety_of_life,
    )


@pytest.fixture(scope="module")
def zones_at() -> Callable[[float, float], frozenset[str]]:
    """
    The real zones.
    """
    zones = bus.load(ROOT).zones
    return lambda latitude, longitude: frozenset(zones.at(latitude, longitude))


Read = Callable[[Path], tuple[Policy, list[Fault]]]


@pytest.fixture(scope="module")
def read(known: Known, zones_at: Callable[[float, float], frozenset[str]]) -> Read:
    """
    Reads a folder of agreements.
    """

    def reading(folder: Path) -> tuple[Policy, list[Fault]]:
        faults: list[Fault] = []
        return load(folder, LOCK, known, zones_at, faults), faults

    return reading


def broken(folder: Path, *changes: tuple[str, str], name: str = ONE) -> None:
    """Copy one real agreement into a folder, with each text in it replaced by another."""
    content = (FOLDER / name).read_text(encoding="utf-8")
    for old, new in changes:
        assert re.search(old, content, re.MULTILINE), old
        content = re.sub(old, new, content, count=1, flags=re.MULTILINE)
    (folder / name).write_text(content, encoding="utf-8")


# --- The real ones ---------------------------------------------------------------------------------------------------------


def test_the_agreements_of_this_bus_are_right(read: Read) -> None:
    """
    Every file is read, every example comes out, and every recipient has an agreement.
    """
    policy, faults = read(FOLDER)

    assert [] == faults
    assert len(FILES) == len(policy.agreements)
    assert set(RECIPIENTS) == set(policy.cuts)
    assert {True} == {"retraction" in kinds for kinds in policy.cuts.values()}


@pytest.mark.parametrize("name", FILES)
def test_no_agreement_names_a_person(name: str, read: Read, tmp_path: Path) -> None:
    """
    Whoever a person is, victims, suspects and the unmapped fields of a source, go to nobody on this bus.
    """
    shutil.copy(FOLDER / name, tmp_path)
    policy, _ = read(tmp_path)

    for kinds in policy.cuts.values():
        for kind, cuts in kinds.items():
            people = {info.path for info in FIELDS[kind] if info.category in ("person-identity", "unmapped")}
            told = {node.info.path for cut in cuts for _, node in cut.nodes if node.apply is not None}
            assert all(people.isdisjoint(cut.kept) for cut in cuts)
            assert told.isdisjoint({"victims", "suspects", "unmapped"})


def test_every_field_that_is_not_as_given_is_told_with_a_clause(read: Read) -> None:
    """
    The description says of each recipient and kind what is coarsened and withheld, and no field is both kept and so.
    """
    policy, _ = read(FOLDER)
    told = describe(policy)

    assert set(RECIPIENTS) == set(told)
    for recipient, kinds in policy.cuts.items():
        for kind, cuts in kinds.items():
            for cut, row in zip(cuts, told[recipient][kind], strict=True):
                assert cut.agreement.name == row["agreement"]
                assert {"coarsened", "withheld"} >= {state for _, state, _ in row["fields"]}
                assert cut.kept.isdisjoint(field for field, _, _ in row["fields"])


def test_a_fingerprint_is_that_of_the_rules_and_not_of_the_examples(read: Read, tmp_path: Path) -> None:
    """
    A view names the rules that made it: another rule is another fingerprint, another example is not.
    """
    prints = []
    for change in ((), (('^name = "half', 'name = "a half'),), (("^retention_days = 90", "retention_days = 91"),)):
        broken(tmp_path, *change)
        prints.append(read(tmp_path)[0].fingerprint("comoros", "sighting"))

    assert prints[0] == prints[1] != prints[2]


@pytest.mark.parametrize(
    ("rules", "consent", "right"),
    [
        ('"victims.name" = "keep"', "", False),
        ('"victims.name" = "pseudonymise"', "", False),
        ('"victims.name" = "keep"', 'consent = ["no-such"]', False),
        ('"victims.name" = "keep"', "consent = []", False),
        ('"victims.name" = "keep"', 'consent = ["CODE"]', True),
        ('"victims.needs" = "keep"', "", True),
        ('"victims" = "withhold"', "", True),
    ],
)
def test_who_a_victim_is_goes_nowhere_without_consent(rules: str, consent: str, right: bool, read: Read, tmp_path: Path) -> None:  # noqa: FBT001 - a table
    """
    An agreement that gives the name of a victim, or a pseudonym of it, must say which consent it asks for; needs alone name nobody.
    """
    code = min(words().codes("consent@1"))
    said = ("^not_types", f"{consent.replace('CODE', code)}\nnot_types")
    broken(tmp_path, ('^"victims" = .*', rules), said, ("^ask = ", "encrypt = true\nask = "))
    faults = [fault for fault in read(tmp_path)[1] if not fault.key.startswith("example")]

    assert right == (faults == []), faults
    assert right or {"when.consent"} == {fault.key.partition("[")[0] for fault in faults}


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        ('"victims.needs" = "keep"', "victims.needs"),
        ('"narrative" = "keep"', "narrative"),
        ('"trafficking.status" = "keep"', "trafficking.status"),
        ('"trafficking.means" = "keep"', "trafficking.means"),
        ('"vulnerability" = "keep"', "vulnerability.needs"),
        ('"vulnerability.referral" = "keep"', "vulnerability.referral"),
        ('"vulnerability.medical_urgent" = "keep"', None),
        ('"vulnerability.pregnant" = { coarsen = "band", width = 5 }', None),
        ('"vulnerability.unaccompanied_children" = "keep"', None),
        ('"trafficking.perpetrators" = "keep"', None),
        ('"victims" = "withhold"', None),
    ],
)
@pytest.mark.parametrize("sealed", [False, True])
def test_what_is_personal_leaves_the_bus_sealed(rules: str, told: str | None, sealed: bool, read: Read, tmp_path: Path) -> None:  # noqa: FBT001 - a table
    """
    An agreement that gives anything personal must say that its views are sealed; for numbers and a need for a doctor it need not.
    """
    broken(tmp_path, ('^"victims" = .*', rules), *([("^ask = ", "encrypt = true\nask = ")] if sealed else []))
    faults = [fault for fault in read(tmp_path)[1] if fault.key == "encrypt"]

    assert (told is not None and not sealed) == bool(faults), faults
    assert told is None or all(told in fault.message for fault in faults)


# --- What can be wrong -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "key", "message"),
    [
        (('^recipient = "comoros"', 'recipient = "comoro"'), "recipient", "did you mean 'comoros'"),
        (("^not_members = .*", 'not_members = ["madagscar"]'), "when.not_members", "did you mean 'madagascar'"),
        (("^not_members = .*", 'members = ["nobody"]'), "when.members", "'nobody' is not known"),
        (("^not_types = .*", 'types = ["atack"]'), "when.types", "did you mean 'attack'"),
        (("^not_types = .*", 'not_types = ["aiss"]'), "when.not_types", "did you mean 'ais'"),
        (("^not_types = .*", 'zones = ["eez-comoro"]'), "when.zones", "did you mean 'eez-comoros'"),
        (('"Safety"', '"Safty"'), "purposes", "did you mean 'Safety'"),
        (('^identity = "withhold"', 'identities = "withhold"'), "categories", "did you mean 'identity'"),
        (('^identity = "withhold"', 'identity = "keeep"'), "categories.identity", "keep"),
        (('^"craft.kind"', '"craft.kin"'), "fields.craft.kin", "did you mean 'craft.kind'"),
        (('^"craft.kind"', '"view"'), "fields.view", "no record of its kinds has this field"),
        (('^"craft.kind"', '"id"'), "fields.id", "no record of its kinds has this field"),
        (('^"craft.kind" = .*', '"craft.kind" = { coarsen = "time", to = "day" }'), "fields.craft.kind", "time is for Moment"),
        (('^"position" = .*', '"position" = { coarsen = "band", width = 1 }'), "fields.position", "band is for Range"),
        (
            ('^"craft.kind" = .*', '"craft.length_m" = { coarsen = "band", width = 1 }'),
            "fields.craft.length_m",
            "for what is counted",
        ),
        (
            ('^"times.observed" = .*', '"times.observed.at" = { coarsen = "time", to = "day" }'),
            "fields.times.observed.at",
            "coarsen the whole time",
        ),
        (('^"position" = .*', '"position" = { coarsen = "grid" }'), "fields.position", "takes degrees and nothing else"),
        (('^"position" = .*', '"position" = { coarsen = "grid", degrees = 0 }'), "fields.position", "greater than or equal"),
        (('^"position" = .*', '"position" = { coarsen = "grid", degrees = 1, to = "day" }'), "fields.position", "takes degrees"),
        (('^"position" = .*', '"position" = { coarsen = "blur", degrees = 1 }'), "fields.position", "grid"),
        (("^end = .*", "end = 2018-04-29"), "", "end lies after start"),
        (("^end = .*", 'end = "tomorrow"'), "end", "date"),
        (("^end = .*", ""), "end", "is missing"),
        (("^not_members = .*", "members = []"), "when.members", "an empty list is for nobody"),
        (("^not_members = .*", "types = []"), "when.types", "an empty list is for nobody"),
        (("^not_members = .*", "zones = []"), "when.zones", "an empty list is for nobody"),
        (("^purposes = .*", "purposes = []"), "purposes", "at least 1"),
        (("^parties = .*", "parties = []"), "parties", "at least 1"),
        (("^kinds = .*", "kinds = []"), "kinds", "at least 1"),
        (("^kinds = .*", 'kinds = ["link"]'), "kinds", "sighting"),
        (("^tlp_max = .*", 'tlp_max = "WHITE"'), "when.tlp_max", "CLEAR"),
        (("^tlp_max = .*", ""), "", "when.tlp_max is missing"),
        (("^title.fr = .*", ""), "title.fr", "is missing"),
        (("^title.fr = .*", 'title.fr = ""'), "title.fr", "at least 1"),
        (("^ask = .*", 'ask = ""'), "ask", "at least 1"),
        (("^version = 2", "version = 0"), "version", "greater than or equal"),
        (("^version = 2", 'version = "1"'), "version", "integer"),
        (("^retention_days = 90", "retention_days = 0"), "retention_days", "greater than or equal"),
        (("^id = .*", 'id = "Comoros Information"'), "id", "pattern"),
        (("^onward = ", "onwards = "), "onwards", "did you mean onward"),
        (('^"victims" = "withhold"', '"recall.record" = "withhold"'), "fields", "recall.record is withheld"),
        (('^administrative = "keep"', 'administrative = "withhold"'), "fields", "recall.record is withheld"),
        (("^sends.position = .*", "sends.position = { latitude = 12.25 }"), "example[0]", "sends {"),
        (("^sends.origin = .*", ""), "example[0]", "sends {"),
        (('^withheld = "empty-audience"', 'withheld = "condition"'), "example[1]", "withheld for empty-audience"),
        (('^withheld = "empty-audience"', 'sends.id = "x"'), "example[1]", "withheld for empty-audience"),
        (('^withheld = "empty-audience"', ""), "example[", "either sends something or is withheld"),
        (("^given.sensor = .*", "given.sensor = { kin = 1 }"), "example[0]", "given is no sighting"),
        (("^given.sensor = .*", "given.invented = 1"), "example[0]", "given is no sighting"),
        (("^handling = .*", 'handling = ["H3"]'), "when.handling", "H0"),
        (("^handling = .*", 'handling = ["H0"]'), None, None),
        (("^purposes = .*", 'purposes = ["SAR"]'), None, None),
        (('^onward = "none"', 'onward = "own-organisation"'), "", "H2 forbids passing on"),
        (("^handling = .*", 'handling = ["EX:CHR"]'), "fields.origin", "nothing of the source"),
        (("^not_types = .*", "waters = []"), "when.waters", "an empty list is for nobody"),
        (
            ("^not_types = .*", 'waters = [{ claimed_by = "COM", claims = ["sovereignty"] }]'),
            "example[0]",
            "withheld for condition",
        ),
        (
            ("^not_types = .*", 'waters = [{ claimed_by = "KEN", claims = ["sovereignty"] }]'),
            "when.waters[0]",
            "KEN claims no zone",
        ),
        (("^not_types = .*", 'waters = [{ claimed_by = "Kenya", claims = ["sovereignty"] }]'), "when.waters", "pattern"),
        (("^ask = ", 'scope = "no-such"\nask = '), "scope", "'no-such' is not known"),
        (("^ask = ", "safety_of_life = true\nask = "), "", "whatever the marking"),
        (('^"victims" = .*', '"victims" = "pseudonymise"'), "fields.victims", "a pseudonym is for free text"),
        (('^"craft.kind" = .*', '"craft.kind" = "pseudonymise"'), "fields.craft.kind", "a pseudonym is for free text"),
        (('^"craft.kind" = .*', '"craft.source_kind" = "pseudonymise"'), None, "sends {"),
        (('^"position" = .*', '"position" = { coarsen = "region", level = 3 }'), "fields.position", "no region of level 3"),
        (
            ('^"position" = .*', '"position" = { coarsen = "region", degrees = 3 }'),
            "fields.position",
            "takes level and nothing else",
        ),
        (("^\\[fields\\]", '[roles]\nvictims = ["victim"]\n[fields]'), "roles.victims", "victims.role is withheld"),
        (("^\\[fields\\]", '[roles]\nclaims = ["victim"]\n[fields]'), "roles.claims", "is no list of persons"),
        (("^\\[fields\\]", '[roles]\nvictims = ["victm"]\n[fields]'), "roles.victims", "did you mean 'victim'"),
        (("^\\[fields\\]", "[roles]\nvictims = []\n[fields]"), "roles.victims", "at least 1"),
        (("^id = ", "id ="), None, None),
        (("^id = .*", 'id = "unfinished'), "", "is not TOML"),
    ],
)
def test_what_is_wrong_in_an_agreement_is_said(
    change: tuple[str, str], key: str | None, message: str | None, read: Read, tmp_path: Path
) -> None:
    """
    The fault names the file, the key and what to do; an agreement with a fault gives nothing to anybody.
    """
    broken(tmp_path, change)
    policy, faults = read(tmp_path)

    if key is None or message is None:
        assert [] == faults
        return
    assert faults, "no fault was found"
    assert {True} == {fault.file.endswith(ONE) for fault in faults}
    assert any(fault.key.startswith(key) and message in fault.message for fault in faults), [str(fault) for fault in faults]
    assert "example" in key or {} == policy.cuts


def test_all_faults_come_at_once(read: Read, tmp_path: Path) -> None:
    """
    Of one file and of several: nobody mends one only to be told of the next.
    """
    broken(tmp_path, ('"Safety"', '"Safty"'), ('^"craft.kind"', '"craft.kin"'), ("^recipient = .*", 'recipient = "x"'))
    broken(tmp_path, ("^purposes = .*", "purposes = []"), ("^ask = .*", 'ask = ""'), name="rcoc-ais.toml")

    keys = {(Path(fault.file).name, fault.key) for fault in read(tmp_path)[1]}

    assert {(ONE, "purposes"), (ONE, "fields.craft.kin"), (ONE, "recipient")} <= keys
    assert {("rcoc-ais.toml", "purposes"), ("rcoc-ais.toml", "ask")} <= keys


@pytest.mark.parametrize("other", [(), (('"Safety"', '"Safty"'),)])
def test_an_id_stands_once(other: tuple[tuple[str, str], ...], read: Read, tmp_path: Path) -> None:
    """
    Two files of one id are a fault, also where the first of them has others.
    """
    broken(tmp_path, *other)
    shutil.copy(FOLDER / ONE, tmp_path / "later.toml")
    faults = read(tmp_path)[1]

    assert [("later.toml", "id", True)] == [
        (Path(one.file).name, one.key, "stands in" in one.message) for one in faults if one.key == "id"
    ]


def test_grids_of_one_recipient_are_made_of_one_another(read: Read, tmp_path: Path) -> None:
    """
    Half a degree is no multiple of three tenths: the cell of one would tell more than the other allows.
    """
    broken(tmp_path)
    content = (FOLDER / ONE).read_text(encoding="utf-8").replace('id = "comoros-information"', 'id = "other"')
    for degrees, expected in (("0.25", []), ("0.3", [(ONE, "0.5 degrees is no multiple of the 0.3 of other")])):
        (tmp_path / "other.toml").write_text(content.replace("degrees = 0.5", f"degrees = {degrees}"), encoding="utf-8")
        found = [fault for fault in read(tmp_path)[1] if fault.key == "fields.position"]

        assert expected == [(Path(fault.file).name, fault.message.partition(",")[0]) for fault in found]


def test_no_agreement_at_all_is_a_fault(read: Read, tmp_path: Path) -> None:
    """
    A bus that would give nothing to anybody was not meant.
    """
    _, faults = read(tmp_path)

    assert ["no agreement is declared, so nobody would get anything"] == [fault.message for fault in faults]


def test_every_way_to_coarsen_is_for_fields_that_exist() -> None:
    """
    Each method fits some field of the schemas, and none that release writes itself.
    """
    types = {info.type_name for infos in FIELDS.values() for info in infos if info.top not in OWN}

    assert {True} == {bool(method.types & types) for method in METHODS.values()}
    assert {True} == {bool(method.gives) for method in METHODS.values()}
