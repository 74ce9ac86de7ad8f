"""
The command `boutre`: one group, whose commands are imported only when they are called.

Exit statuses: 0 done; 1 done, and the answer is no (a drift, a failed check); 2 what was declared or typed cannot be used;
3 something outside does not answer, try again after what the message says. Data go to stdout, messages to stderr.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from importlib import import_module
from pathlib import Path
from typing import Concatenate, Final, ParamSpec, TypeVar, cast

import click

from boutre.errors import BusError, DeclarationError, Unavailable
from boutre.ops.settings import Language, Settings, load

# name -> (module:command, what it is for)
COMMANDS: Final[dict[str, tuple[str, str]]] = {
    "audit": ("boutre.ops.audit_command:audit", "Keep the log of what was released, prove and witness it."),
    "access": ("boutre.ops.access_command:access", "Compare the cluster's access rules with what is declared, and apply them."),
    "asyncapi": ("boutre.ops.asyncapi_command:asyncapi", "Write what one party may read or write, as AsyncAPI."),
    "answers": ("boutre.ops.answers_command:answers", "Answer views, ask for more, reply to requests."),
    "cases": ("boutre.ops.cases_command:cases", "Keep the keys of personal groups, and destroy those of what is erased."),
    "clocks": ("boutre.ops.clocks_command:clocks", "Show which alerts wait, which feeds are silent, and what ends soon."),
    "probe": ("boutre.ops.probe_command:probe", "Send exercises through the bus, and measure until they have arrived."),
    "recall": ("boutre.ops.recall_command:recall", "Show what became of records that were taken back, and who is overdue."),
    "connector": ("boutre.ops.connector_command:connector", "Bring a member's reports onto the bus."),
    "form": ("boutre.ops.form_command:form", "Write an empty reporting form, or try a filled one."),
    "lag": ("boutre.ops.lag_command:lag", "Show how far behind each consumer group is, in records and in time."),
    "keys": ("boutre.ops.keys_command:keys", "Make, hand over, rotate and revoke the keys of a bus."),
    "dashboards": ("boutre.ops.dashboards_command:dashboards", "Write the dashboards for Grafana."),
    "demo": ("boutre.ops.demo_command:demo", "Publish the sample feeds on a bus of its own and show what each recipient got."),
    "down": ("boutre.ops.demo_command:down", "Stop what boutre up started."),
    "up": ("boutre.ops.demo_command:up", "Start a whole bus on this machine and leave it running."),
    "check": ("boutre.ops.check_command:check", "Prove all that is declared, without a broker."),
    "evaluate": ("boutre.ops.evaluate_command:evaluate", "Hold what matching finds to pairs that are known."),
    "explain": ("boutre.ops.explain_command:command", "Say who would get a record, what of it, and why not the rest."),
    "graph": ("boutre.ops.check_command:graph", "Draw the pipeline as Mermaid."),
    "kafka": ("boutre.ops.kafka_command:kafka", "Start and stop the embedded Kafka of this folder."),
    "doctor": ("boutre.ops.doctor_command:doctor", "Find what is not as it should be, and say what to do next."),
    "status": ("boutre.ops.status_command:status", "Show the bus as it is: processors, connectors, sinks, and what is late."),
    "links": (
        "boutre.ops.links_command:links",
        "Show which records are of one, as a recipient's links say, and why.",
    ),
    "migration": ("boutre.ops.migration_command:migration", "Look into the migration database, its personal groups opened."),
    "movement": ("boutre.ops.movement_command:movement", "List what the tracks of craft in a file of NMEA show, and draw them."),
    "operations": ("boutre.ops.operations_command:operations", "Serve the page of operations: what is late, and what to do."),
    "policy": ("boutre.ops.policy_command:policy", "Test, compare, replay and draw the sharing agreements."),
    "quotas": ("boutre.ops.quotas_command:group", "Compare what each party may ask of the brokers with what is declared."),
    "schemas": ("boutre.ops.schemas_command:schemas", "Check the schemas, lock new versions, fill a registry."),
    "rejects": ("boutre.ops.rejects_command:rejects", "See what was rejected and why, mend it, and send it again."),
    "rules": ("boutre.ops.rules_command:rules", "Write the alarms as rules for Prometheus."),
    "sink": ("boutre.ops.sink_command:sink", "Take a recipient's views into files or a database."),
    "scope": ("boutre.ops.scope_command:scope", "See, activate and end the operations inside which more is shared."),
    "simulate": ("boutre.ops.simulate_command:simulate", "Simulate nights in a corridor, and judge matching by the truth."),
    "settings": ("boutre.ops.settings_command:settings", "Show the settings in effect, secrets hidden."),
    "strimzi": ("boutre.ops.strimzi_command:strimzi", "Write the bus as resources for Kubernetes and Strimzi."),
    "watch": ("boutre.ops.watch_command:watch", "Show the views of one recipient as they come."),
    "zones": ("boutre.ops.zones_command:zones", "Show which waters a position lies in, and who claims them."),
    "worker": ("boutre.ops.worker_command:worker", "Run one Faust worker of one processor."),
    "top": ("boutre.ops.top_command:top", "Show the findings and tables of operations in a terminal."),
    "topics": ("boutre.ops.topics_command:topics", "Compare the cluster's topics with what is declared, and apply it."),
}

UNUSABLE: Final = 2
UNAVAILABLE: Final = 3

P = ParamSpec("P")
R = TypeVar("R")


class Rooms(click.Group):
    """
    A group that imports a command when it is called, and turns the bus's errors into sentences and exit statuses.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        """
        The names of all commands, in the order of the alphabet.
        """
        return sorted({*super().list_commands(ctx), *COMMANDS})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """
        Import one command.
        """
        if cmd_name not in COMMANDS:
            return super().get_command(ctx, cmd_name)
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        return cast("click.Command", getattr(import_module(module), name))

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """
        List the commands without importing them.
        """
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name][1]) for name in self.list_commands(ctx) if name in COMMANDS])

    def invoke(self, ctx: click.Context) -> object:
        """
        Run a command; an error of the bus ends it with a sentence, never with a traceback.
        """
        try:
            return super().invoke(ctx)
        except DeclarationError as error:
            for fault in error.faults:
                click.echo(str(fault), err=True)
            count = len(error.faults)
            click.echo(f"{count} {'fault' if count == 1 else 'faults'}; nothing was done", err=True)
            ctx.exit(UNUSABLE)
        except Unavailable as error:
            click.echo(str(error), err=True)
            ctx.exit(UNAVAILABLE)
        except BusError as error:
            click.echo(str(error), err=True)
            ctx.exit(1)


@click.group(
    cls=Rooms,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Example: boutre kafka start && boutre topics apply --yes",
)
@click.option("--bus", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Folder that declares the bus.")
@click.option("--language", type=click.Choice(["en", "fr"]), help="Language of what people read.")
@click.version_option(package_name="boutre")
@click.pass_context
def main(ctx: click.Context, bus: Path | None, language: Language | None) -> None:
    """
    A message bus for States that share what they see at sea without giving away what they may not.
    """
    ctx.obj = {"bus": bus, "language": language}


def with_settings(command: Callable[Concatenate[Settings, P], R]) -> Callable[P, R]:
    """
    Hand the settings to a command as its first argument; they are read when it runs, so that --help always works.
    """

    @click.pass_context
    def given(ctx: click.Context, /, *args: P.args, **kwargs: P.kwargs) -> R:
        if not isinstance(ctx.obj, Settings):
            ctx.obj = load(**(ctx.obj or {}))
        return ctx.invoke(command, ctx.obj, *args, **kwargs)

    return cast("Callable[P, R]", wraps(command)(given))


if __name__ == "__main__":
    main()
