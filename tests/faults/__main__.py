"""
``python -m faults``: inject every fault into a whole bus on a real Kafka, and write down what was said of each, and after how long.

Takes half an hour, as root, with Debian's prometheus. The last line of stdout is JSON; with ``--write`` the table of
docs/operations.md is written anew. Exit status 1 where a fault was not said within 30 seconds, or something is missing at the end.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any, Final

import click

from faults.ground import Ground, ground
from faults.hearing import WAYS, Hearing, watched
from faults.tide import Tide
from faults.trials import TRIALS, Trial, during
from records import ROOT

RESULTS: Final = ROOT / "docs" / "operations" / "faults.json"
WITHIN_S: Final = 30.0
SAID_S: Final = 75.0
GIVEN_S: Final = 240.0
MENDED_S: Final = 240.0


def say(line: str) -> None:
    """Tell how far it is."""
    click.echo(line, err=True)


def tried(trial: Trial, here: Ground, tide: Tide, hearing: Hearing) -> dict[str, Any]:
    """
    Inject one fault, note what is said and after how many seconds, mend it, and note when it is taken back.
    """
    hearing.silent_s = 0.0
    name, labels = trial.alarm

    def told(way: str) -> bool:
        return hearing.said(trial.codes, trial.subject)[way]

    def alarmed() -> str:
        return hearing.alarm(name, labels)

    with during(trial, here, tide):
        said = watched(
            SAID_S + trial.lead_s, *((way, lambda way=way: told(way)) for way in WAYS), ("pending", lambda: alarmed() != "")
        )
        say(f"  said after {said}")
        given = watched(GIVEN_S, ("firing", lambda: alarmed() == "firing")) if trial.fires else {"firing": None}
        so_far = max((value for value in said.values() if value is not None), default=0.0)
    mended = watched(
        MENDED_S,
        ("page", lambda: not hearing.said(trial.codes, trial.subject)["page"]),
        ("alarm", lambda: alarmed() == ""),
    )
    say(f"  mended after {mended}")
    return {
        "fault": trial.name,
        "codes": trial.codes,
        **{way: _since(said[way], trial.lead_s) for way in WAYS},
        "alarm": name,
        "pending": _since(said["pending"], trial.lead_s),
        "firing": None if given["firing"] is None else round(so_far + given["firing"] - trial.lead_s, 1),
        "cleared": mended["page"],
        "resolved": mended["alarm"],
        "page_slowest_s": round(hearing.silent_s, 2),
    }


def _since(found: float | None, lead_s: float) -> float | None:
    return None if found is None else round(max(0.0, found - lead_s), 1)


def with_those_before(rows: list[dict[str, Any]], run: dict[str, Any]) -> dict[str, Any]:
    """
    Put what was tried now in the place of what was known of it; what was not tried stays, with the run that tried it last.
    """
    known = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {"faults": [], "runs": []}
    found = {row["fault"]: row for row in (*known["faults"], *rows)}
    before = ({**one, "faults": [name for name in one["faults"] if name not in run["faults"]]} for one in known["runs"])
    runs = [one for one in before if one["faults"]]
    return {"faults": [found[trial.name] for trial in TRIALS if trial.name in found], "runs": [*runs, run]}


@click.command()
@click.option("--only", multiple=True, help="Only faults whose name holds this; may be given again.")
@click.option("--write", is_flag=True, help="Keep the results for docs/operations.md.")
def main(*, only: tuple[str, ...], write: bool) -> None:
    """Try every fault."""
    rows: list[dict[str, Any]] = []
    with ground() as here:
        tide, hearing = Tide(here), Hearing(here)
        hearing.begin()
        tide.begin()
        say("up")
        calm = watched(
            120, ("calm", lambda: not {one["code"] for one in hearing.findings()} & {c for t in TRIALS for c in t.codes})
        )
        say(f"calm after {calm['calm']}: {sorted({one['code'] for one in hearing.findings()})}")
        for trial in TRIALS:
            if not only or any(part in trial.name for part in only):
                say(trial.name)
                rows.append(tried(trial, here, tide, hearing))
        account = tide.end()
    run = {"at": time.strftime("%Y-%m-%d", time.gmtime()), "faults": [row["fault"] for row in rows], **account}
    if write:
        RESULTS.write_text(json.dumps(with_those_before(rows, run), indent=2) + "\n", encoding="utf-8")
    click.echo(json.dumps({"faults": rows, "runs": [run]}))
    late = [row["fault"] for row in rows if any(row[way] is None or row[way] > WITHIN_S for way in WAYS)]
    say(f"not said in time: {late or 'none'}; account: {account}")
    sys.exit(1 if late or not account["account"]["adds_up"] else 0)


if __name__ == "__main__":
    main()
