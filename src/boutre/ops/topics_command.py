"""
`boutre topics plan | apply | drift`: the topics of the cluster, compared with what is declared.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from typing import Literal, TypeVar

import click

from boutre.ops.apply import check_cluster, compare, expected_cluster, perform, remember_cluster
from boutre.ops.cluster import Cluster
from boutre.ops.command import with_settings
from boutre.ops.plan import Plan
from boutre.ops.settings import Settings
from boutre.topics.bus import Declarations, load

Output = Literal["table", "json"]
F = TypeVar("F", bound=Callable[..., object])


def _cluster_option(command: F) -> F:
    return click.option("--cluster-id", help="Id of the cluster that is meant; another one is refused.")(command)


def _output_option(command: F) -> F:
    return click.option(
        "--output", type=click.Choice(["table", "json"]), default="table", show_default=True, help="Form of the answer."
    )(command)


def _loss_option(command: F) -> F:
    return click.option("--allow-loss", is_flag=True, help="Also do what lets Kafka throw away records that it keeps now.")(command)


@click.group(epilog="Example: boutre topics plan")
def topics() -> None:
    """
    Compare the cluster's topics with what is declared, and bring them to it. Nothing here deletes a topic.
    """


@topics.command("plan", epilog="Example: boutre topics plan --output json")
@_cluster_option
@_output_option
@_loss_option
@with_settings
def plan_command(settings: Settings, cluster_id: str | None, output: Output, *, allow_loss: bool) -> None:
    """
    Show what apply would do, and do nothing.
    """
    _, _, found, todo = _compared(settings, cluster_id, allow_loss=allow_loss)
    _show(todo, found, output)


@topics.command("apply", epilog="Example: boutre topics apply --yes")
@_cluster_option
@_output_option
@_loss_option
@click.option("--yes", is_flag=True, help="Do not ask.")
@with_settings
def apply_command(settings: Settings, cluster_id: str | None, output: Output, *, allow_loss: bool, yes: bool) -> None:
    """
    Bring the cluster to what is declared: create, add partitions, set what differs. Asks first.

    When a difference is refused, nothing at all is done and the exit status is 2.
    """
    bus, cluster, found, todo = _compared(settings, cluster_id, allow_loss=allow_loss)
    _show(todo, found, output)
    if todo.steps and not todo.refused and not yes:
        if not sys.stdin.isatty():
            raise click.UsageError("there is nobody to ask; say --yes")
        click.confirm(f"Do these {todo.steps} things to the cluster {found} at {cluster.address}?", abort=True, err=True)
    perform(todo, bus, settings, cluster, done=lambda line: click.echo(line, err=True))
    if not settings.kafka.embedded:
        remember_cluster(found, settings.state)
    click.echo(f"{todo.steps} changes made" if todo.steps else "nothing to do", err=True)


@topics.command("drift", epilog="Example: boutre topics drift --output json")
@_cluster_option
@_output_option
@with_settings
@click.pass_context
def drift_command(ctx: click.Context, settings: Settings, cluster_id: str | None, output: Output) -> None:
    """
    Exit with 1 when the cluster is other than declared, and show in what, with what stands there undeclared.
    """
    _, _, found, todo = _compared(settings, cluster_id, allow_loss=True)
    _show(todo, found, output)
    if todo.differs:
        ctx.exit(1)


def _compared(settings: Settings, cluster_id: str | None, *, allow_loss: bool) -> tuple[Declarations, Cluster, str, Plan]:
    bus = load(settings.folder())
    cluster = Cluster(settings.kafka.client())
    found = cluster.identity()
    check_cluster(found, expected_cluster(settings, cluster_id), settings.state)
    return bus, cluster, found, compare(bus, settings, cluster, allow_loss=allow_loss)


def _show(todo: Plan, cluster_id: str, output: Output) -> None:
    if output == "json":
        click.echo(json.dumps({"cluster_id": cluster_id, **todo.as_json()}, indent=2, ensure_ascii=False))
        return
    lines = list(_lines(todo))
    for sign, name, what in lines:
        width = max(len(line[1]) for line in lines)
        click.echo(f"{sign:<10} {name:<{width}}  {what}".rstrip())
    click.echo(f"{todo.unchanged} topics are as declared", err=True)


def _lines(todo: Plan) -> Iterator[tuple[str, str, str]]:
    for topic in todo.create:
        config = " ".join(f"{key}={value}" for key, value in sorted(topic.config.items()))
        yield "create", topic.name, f"partitions={topic.partitions} replication={topic.replication} {config}"
    for grown in todo.grow:
        yield "grow", grown.name, f"partitions {grown.before} -> {grown.after}"
    for changed in todo.configure:
        yield "configure", changed.name, ", ".join(f"{key} {old} -> {new}" for key, (old, new) in changed.changes.items())
    for refused in todo.refused:
        yield "refused", refused.name, refused.why
    for name, keys in todo.strays.items():
        yield "stray", name, f"set on the topic, not declared, left alone: {', '.join(keys)}"
    for name in todo.undeclared:
        yield "undeclared", name, "not declared, left alone"
