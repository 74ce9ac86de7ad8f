"""
`boutre access plan | apply | drift | matrix | strimzi`: who may do what on the cluster, as the declarations have it.
"""

from __future__ import annotations

import json
import os
import secrets
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

import click

from boutre.errors import DeclarationError, Fault
from boutre.ops.access import Rule, principals, wanted
from boutre.ops.access_cluster import Authorizer
from boutre.ops.access_matrix import as_json, table
from boutre.ops.access_plan import PLAIN, Plan, entries, plan
from boutre.ops.access_strimzi import Authentication, users, yaml
from boutre.ops.apply import check_cluster, expected_cluster, remember_cluster
from boutre.ops.assembly import assemble
from boutre.ops.command import with_settings
from boutre.ops.quotas import Quota, quotas
from boutre.ops.settings import Settings

Output = Literal["table", "json"]
F = TypeVar("F", bound=Callable[..., object])

PASSWORD_BYTES = 32


@dataclass(frozen=True, slots=True)
class Declared:
    """
    The rules of a bus, all of its principals, and what some of them may ask of the brokers.
    """

    rules: frozenset[Rule]
    principals: tuple[str, ...]
    quotas: tuple[Quota, ...]

    @classmethod
    def of(cls, settings: Settings) -> Declared:
        """Read the bus; ``DeclarationError`` with all that is wrong in it."""
        assembly = assemble(settings.folder())
        bus, edges = assembly.declarations, assembly.pipeline.edges
        return cls(wanted(bus, edges), principals(bus, edges), quotas(bus))


@dataclass(frozen=True, slots=True)
class Compared:
    """
    What is declared, beside the cluster that was asked.
    """

    declared: Declared
    authorizer: Authorizer
    cluster_id: str
    todo: Plan

    @classmethod
    def of(cls, settings: Settings, cluster_id: str | None, form: str) -> Compared:
        """Ask the cluster that is meant; another one is refused."""
        declared = Declared.of(settings)
        authorizer = Authorizer(settings.kafka.client())
        found = authorizer.identity()
        check_cluster(found, expected_cluster(settings, cluster_id), settings.state)
        return cls(declared, authorizer, found, plan(entries(declared.rules, form), authorizer.entries(), form))


def _output_option(command: F) -> F:
    return click.option(
        "--output", type=click.Choice(["table", "json"]), default="table", show_default=True, help="Form of the answer."
    )(command)


def _cluster_options(command: F) -> F:
    named = click.option(
        "--names", "form", default=PLAIN, show_default=True, callback=_form,
        help="How the cluster names who signs in; CN={} for certificates whose names are not mapped.",
    )  # fmt: skip
    meant = click.option("--cluster-id", help="Id of the cluster that is meant; another one is refused.")
    return meant(named(command))


def _form(_ctx: click.Context, _option: click.Parameter, form: str) -> str:
    if form.count("{}") != 1 or form.count("{") != 1 or form.count("}") != 1:
        raise click.BadParameter("needs {} in the place of the name, once")
    return form


@click.group(epilog="Example: boutre access matrix")
def access() -> None:
    """
    Compare the cluster's access rules with what is declared, and bring them to it. What no rule allows, Kafka denies.
    """


@access.command("plan", epilog="Example: boutre access plan --output json")
@_cluster_options
@_output_option
@with_settings
def plan_command(settings: Settings, cluster_id: str | None, form: str, output: Output) -> None:
    """
    Show what apply would do, and do nothing.
    """
    compared = Compared.of(settings, cluster_id, form)
    _show(compared, output)


@access.command("apply", epilog="Example: boutre access apply --yes --passwords passwords")
@_cluster_options
@_output_option
@click.option("--remove", is_flag=True, help="Also remove what is allowed and not declared.")
@click.option(
    "--passwords",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of passwords: who has no file there gets a new password, by SCRAM-SHA-512.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@with_settings
def apply_command(
    settings: Settings, cluster_id: str | None, form: str, output: Output, *, remove: bool, passwords: Path | None, yes: bool
) -> None:
    """
    Bring the cluster to what is declared: allow what is missing; with --remove also take back what is too much. Asks first.

    Nothing that somebody denied, and nothing that reaches beyond the bus, is ever touched.
    """
    compared = Compared.of(settings, cluster_id, form)
    _show(compared, output)
    todo, authorizer = compared.todo, compared.authorizer
    removed = todo.surplus if remove else ()
    lacking = _lacking(compared.declared.principals, passwords)
    steps = len(todo.create) + len(removed) + len(lacking)
    if steps and not yes:
        if not sys.stdin.isatty():
            raise click.UsageError("there is nobody to ask; say --yes")
        click.confirm(f"Do these {steps} things to the cluster {compared.cluster_id}?", abort=True, err=True)
    authorizer.grant(todo.create, _told)
    authorizer.revoke(removed, _told)
    if lacking:
        _passwords(authorizer, lacking)
    if not settings.kafka.embedded:
        remember_cluster(compared.cluster_id, settings.state)
    click.echo(f"{steps} changes made" if steps else "nothing to do", err=True)


@access.command("drift", epilog="Example: boutre access drift --output json")
@_cluster_options
@_output_option
@with_settings
@click.pass_context
def drift_command(ctx: click.Context, settings: Settings, cluster_id: str | None, form: str, output: Output) -> None:
    """
    Exit with 1 when the cluster's rules are other than declared, and show in what.
    """
    compared = Compared.of(settings, cluster_id, form)
    _show(compared, output)
    if compared.todo.differs:
        ctx.exit(1)


@access.command("matrix", epilog="Example: boutre access matrix --principal recipient.rmifc")
@click.option("--principal", "only", multiple=True, help="Only this one; several times for several.")
@_output_option
@with_settings
def matrix_command(settings: Settings, only: tuple[str, ...], output: Output) -> None:
    """
    Show who may do what with each topic, group and transactional id; needs no cluster.
    """
    declared = Declared.of(settings)
    shown = _chosen(declared, only)
    rules = [rule for rule in declared.rules if rule.principal in shown]
    if output == "json":
        click.echo(json.dumps(as_json(rules), indent=2))
        return
    for line in table(rules, shown):
        click.echo(line)


@access.command("strimzi", epilog="Example: boutre access strimzi --cluster boutre | kubectl apply -f -")
@click.option("--cluster", required=True, help="Name of the Kafka resource.")
@click.option("--namespace", help="Namespace to write into the resources.")
@click.option(
    "--authentication", type=click.Choice(["scram-sha-512", "tls"]), default="scram-sha-512", show_default=True,
    help="How users sign in.",
)  # fmt: skip
@click.option("--principal", "only", multiple=True, help="Only this one; several times for several.")
@with_settings
def strimzi_command(
    settings: Settings, cluster: str, namespace: str | None, authentication: Authentication, only: tuple[str, ...]
) -> None:
    """
    Write a KafkaUser for each principal, for a cluster that Strimzi runs; needs no cluster.
    """
    declared = Declared.of(settings)
    made = users(declared.rules, _chosen(declared, only), cluster, authentication, namespace, quotas=declared.quotas)
    click.echo(yaml(made), nl=False)


def _chosen(declared: Declared, only: tuple[str, ...]) -> tuple[str, ...]:
    if strange := [name for name in only if name not in declared.principals]:
        known = ", ".join(declared.principals)
        raise DeclarationError([Fault("--principal", name, f"there is none of this name; there are {known}") for name in strange])
    return only or declared.principals


def _lacking(names: tuple[str, ...], folder: Path | None) -> Mapping[str, Path]:
    files = {} if folder is None else {name: folder / f"{name}.password" for name in names}
    return {name: path for name, path in files.items() if not path.exists()}


def _passwords(authorizer: Authorizer, lacking: Mapping[str, Path]) -> None:
    """Make passwords: written first, so that none is in force that nobody has; a file whose password was not taken goes again."""
    made = {name: secrets.token_urlsafe(PASSWORD_BYTES) for name in lacking}
    for name, path in lacking.items():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(f"{made[name]}\n")
    try:
        authorizer.set_passwords(made, _told)
    except BaseException:
        for path in lacking.values():
            path.unlink(missing_ok=True)
        raise


def _told(line: str) -> None:
    click.echo(line, err=True)


def _show(compared: Compared, output: Output) -> None:
    todo = compared.todo
    if output == "json":
        click.echo(json.dumps({"cluster_id": compared.cluster_id, **todo.as_json()}, indent=2))
        return
    for word, some in (("allow", todo.create), ("surplus", todo.surplus)):
        for entry in some:
            click.echo(f"{word:<8}  {entry}")
    for left in todo.left:
        click.echo(f"{'left':<8}  {left.entry}: {left.why}")
    click.echo(f"{todo.unchanged} rules are as declared", err=True)
