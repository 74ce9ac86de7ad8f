"""
``python -m chaos``: one run; the last line of stdout is the verdict as JSON, and everything else is said on stderr.

Exit status 0 where nothing was lost, nothing came twice and nothing is other than it should be; 1 else; 3 where there is no Kafka.
"""

from __future__ import annotations

import json
import secrets
import shutil
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from boutre.errors import Unavailable
from chaos import effects, feeds
from chaos.ground import Ground
from chaos.judging import verdict
from chaos.scenarios import SCENARIOS
from chaos.storm import Plan, Storm

FIRST = ("kills", "in_flight_kills", "in", "out", "lost", "duplicates", "wrong", "strays", "aborted_copies")


def run(folder: Path, plan: Plan, records: int, nodes: int, console: Console, *, postgresql: bool = True) -> dict[str, Any]:
    """
    Do one run in *folder*, which stays; gives the verdict with all that was measured.
    """
    begun = time.monotonic()

    def say(line: str) -> None:
        console.print(f"{time.monotonic() - begun:7.1f} s  {line}", highlight=False, soft_wrap=True)

    say(f"seed {plan.seed}, in {folder}")
    made = feeds.folder(folder / "bus", records, plan.seed)
    with ExitStack() as stack:
        server = stack.enter_context(effects.postgresql()) if postgresql else None
        ground = stack.enter_context(Ground(folder, made, effects.chosen(folder, server), nodes, say))
        storm = Storm(ground, plan, say)
        measured = storm.run()
        ground.leave(*ground.processes)
        told, copies = verdict(ground, frozenset(storm.strays), say)
    for example in (*told.examples, *measured["failures"]):
        say(example)
    whole = {
        **measured,
        **told.summary(),
        **copies,
        "did_not_stop": ground.unwilling,
        "rejects_sent_again": told.sent_again,
        "records": records,
        "nodes": nodes,
        "seed": plan.seed,
        "postgresql": server is not None,
    }
    return {**{name: whole[name] for name in FIRST}, **whole}


def good(result: dict[str, Any]) -> bool:
    """
    Say whether a run may be called a success.
    """
    return not any(result[fault] for fault in ("lost", "duplicates", "wrong", "strays", "failures"))


@click.command()
@click.option("--records", type=click.IntRange(100), default=5_000, show_default=True, help="Lines that the feeds have together.")
@click.option("--kills", type=click.IntRange(1), default=10, show_default=True, help="How many SIGKILLs.")
@click.option("--nodes", type=click.IntRange(1, 5), default=1, show_default=True, help="Kafka nodes; three can lose one.")
@click.option("--seed", type=int, default=None, help="What decides who is killed when.  [default: any; it is said]")
@click.option(
    "--scenario", "scenarios", multiple=True, type=click.Choice(list(SCENARIOS)), help="Only this; several times for several."
)
@click.option("--pace", type=float, default=4.0, show_default=True, help="Seconds between two of them, on average.")
@click.option("--patience", type=float, default=120.0, show_default=True, help="Seconds without movement until what lacks is lost.")
@click.option("--folder", type=click.Path(path_type=Path), default=Path("out/chaos"), show_default=True, help="Logs and data.")
@click.option("--output", type=click.Choice(["json", "table"]), default="json", show_default=True, help="A table before the JSON.")
def main(
    *,
    records: int,
    kills: int,
    nodes: int,
    seed: int | None,
    scenarios: tuple[str, ...],
    pace: float,
    patience: float,
    folder: Path,
    output: str,
) -> None:
    """Kill everything that can die on a real Kafka, and account for every record."""
    chosen = scenarios or tuple(name for name in SCENARIOS if nodes > 1 or name != "lose-a-node")
    if "lose-a-node" in chosen and nodes == 1:
        raise click.UsageError("lose-a-node needs --nodes 3")
    shutil.rmtree(folder, ignore_errors=True)
    plan = Plan(kills, chosen, secrets.randbelow(10**6) if seed is None else seed, pace, patience, max(3, records // 500))
    try:
        result = run(folder.absolute(), plan, records, nodes, Console(stderr=True))
    except Unavailable as error:
        click.echo(str(error), err=True)
        sys.exit(3)
    if output == "table":
        _show(result)
    click.echo(json.dumps(result))
    sys.exit(0 if good(result) else 1)


def _show(result: dict[str, Any]) -> None:
    table = Table("recipient", *(heads := ("delivered", "withheld", "repeat", "lost", "duplicates")))
    for recipient, counts in result["per_recipient"].items():
        table.add_row(recipient, *(str(counts.get(head, 0)) for head in heads))
    Console().print(table)


if __name__ == "__main__":
    main()
