"""
`boutre quotas plan | apply | drift`: how much each party may ask of the brokers, as the declarations have it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Literal, TypeVar

import click

from boutre.ops.apply import check_cluster, expected_cluster
from boutre.ops.cluster import Cluster
from boutre.ops.command import with_settings
from boutre.ops.quotas import Plan, Quota, plan, quotas
from boutre.ops.quotas_tool import QuotasTool
from boutre.ops.settings import Settings
from boutre.topics import bus

Output = Literal["table", "json"]
F = TypeVar("F", bound=Callable[..., object])


def _options(command: F) -> F:
    form = click.option(
        "--output", type=click.Choice(["table", "json"]), default="table", show_default=True, help="Form of the answer."
    )
    return click.option("--cluster-id", help="Id of the cluster that is meant; another one is refused.")(form(command))


@click.group("quotas", epilog="Example: boutre quotas plan")
def group() -> None:
    """
    Compare what each party may ask of the brokers with what is declared (rate, in topics/members.toml), and bring them to it.

    Needs the extra broker: Kafka's own tool does it.
    """


def _compared(settings: Settings, cluster_id: str | None) -> tuple[QuotasTool, Plan]:
    wanted = quotas(bus.load(settings.folder()))
    client = settings.kafka.client()
    check_cluster(Cluster(client).identity(), expected_cluster(settings, cluster_id), settings.state)
    tool = QuotasTool(client, cache=settings.broker.cache, repository=settings.broker.repository)
    return tool, plan(wanted, tool.found())


@group.command("plan", epilog="Example: boutre quotas plan --output json")
@_options
@with_settings
def plan_command(settings: Settings, cluster_id: str | None, output: Output) -> None:
    """
    Show what apply would do, and do nothing.
    """
    _, todo = _compared(settings, cluster_id)
    _show(todo, output)


@group.command("apply", epilog="Example: boutre quotas apply --yes")
@_options
@click.option("--yes", is_flag=True, help="Do not ask.")
@with_settings
def apply_command(settings: Settings, cluster_id: str | None, output: Output, *, yes: bool) -> None:
    """
    Set what differs. Asks first. A quota that is too much is shown and left.
    """
    tool, todo = _compared(settings, cluster_id)
    _show(todo, output)
    if todo.set and not yes:
        if not sys.stdin.isatty():
            raise click.UsageError("there is nobody to ask; say --yes")
        click.confirm(f"Set the quotas of these {len(todo.set)} parties?", abort=True, err=True)
    tool.set(todo.set, lambda line: click.echo(line, err=True))
    click.echo(f"{len(todo.set)} changes made" if todo.set else "nothing to do", err=True)


@group.command("drift", epilog="Example: boutre quotas drift")
@_options
@with_settings
@click.pass_context
def drift_command(ctx: click.Context, settings: Settings, cluster_id: str | None, output: Output) -> None:
    """
    Exit with 1 when the cluster's quotas are other than declared, and show in what.
    """
    _, todo = _compared(settings, cluster_id)
    _show(todo, output)
    if todo.differs:
        ctx.exit(1)


def _show(todo: Plan, output: Output) -> None:
    if output == "json":
        click.echo(json.dumps(todo.as_json(), indent=2))
        return
    for quota in todo.set:
        click.echo(f"{'set':<8}  {_line(quota)}")
    for name in todo.surplus:
        click.echo(f"{'surplus':<8}  {name}")
    click.echo(f"{todo.unchanged} quotas are as declared", err=True)


def _line(quota: Quota) -> str:
    rate = "any rate" if quota.rate is None else f"{quota.rate} bytes a second"
    return f"{quota.principal}: {rate}, {quota.share} per cent of a thread, for each broker"
