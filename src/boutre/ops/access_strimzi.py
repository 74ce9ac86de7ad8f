"""
The same rules for clusters that Strimzi runs: a `KafkaUser` for each principal.

Strimzi's operator makes users, their passwords or certificates and their rules of these, and takes back what they no longer say. So
there `boutre access apply` is not used; `boutre access drift` still tells the truth about the cluster.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, Literal, TypeAlias

from boutre.errors import DeclarationError, Fault
from boutre.ops.access import Resource, Rule
from boutre.ops.quotas import Quota

Authentication: TypeAlias = Literal["scram-sha-512", "tls"]

VERSION: Final = "kafka.strimzi.io/v1"
"""Of the resource: what Strimzi 1.0 and later serve."""

LONGEST_NAME: Final = 64
"""Letters of the common name of a certificate (X.520), which with tls is the user's name."""

_TYPES: Final[Mapping[Resource, str]] = {
    "topic": "topic",
    "group": "group",
    "transactional-id": "transactionalId",
    "cluster": "cluster",
}

_OTHERWISE: Final = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
"""Words that a reader of YAML takes for something else than a word."""


def users(
    rules: Iterable[Rule],
    principals: Sequence[str],
    cluster: str,
    authentication: Authentication,
    namespace: str | None = None,
    *,
    quotas: Iterable[Quota] = (),
) -> list[dict[str, Any]]:
    """
    Give the resources, one for each of *principals*, also for one that may do nothing.

    *cluster* is the name of the Kafka resource that they belong to.

    Raises:
        DeclarationError: a name is too long for a certificate.
    """
    if authentication == "tls" and (long := [name for name in principals if len(name) > LONGEST_NAME]):
        raise DeclarationError(
            [Fault("topics", name, f"is longer than {LONGEST_NAME} letters, and no certificate can name it") for name in long]
        )
    given = {quota.principal: {"quotas": quota.as_strimzi()} for quota in quotas}
    own: dict[str, list[Rule]] = defaultdict(list)
    for rule in sorted(rules):
        own[rule.principal].append(rule)
    return [
        {
            "apiVersion": VERSION,
            "kind": "KafkaUser",
            "metadata": {
                "name": name,
                **({"namespace": namespace} if namespace is not None else {}),
                "labels": {"strimzi.io/cluster": cluster, "app.kubernetes.io/part-of": "boutre"},
            },
            "spec": {
                "authentication": {"type": authentication},
                "authorization": {"type": "simple", "acls": list(_acls(own[name]))},
                **given.get(name, {}),
            },
        }
        for name in principals
    ]


def _acls(rules: Iterable[Rule]) -> Iterator[dict[str, Any]]:
    found: dict[tuple[Resource, str, str], list[str]] = defaultdict(list)
    for rule in rules:
        found[rule.resource, rule.name, rule.pattern].append("".join(map(str.capitalize, rule.operation.split("-"))))
    for (resource, name, pattern), operations in found.items():
        told: dict[str, Any] = {"type": _TYPES[resource]}
        if resource != "cluster":  # there is one, and Strimzi knows its name
            told |= {"name": name, "patternType": "prefix" if pattern == "prefixed" else "literal"}
        yield {"type": "allow", "resource": told, "operations": operations, "host": "*"}


def yaml(resources: Iterable[Mapping[str, Any]]) -> str:
    """
    Write resources as one YAML stream; every text in it is quoted as JSON has it, so that YAML reads nothing into it.
    """
    return "".join("---\n" + "".join(f"{line}\n" for line in _lines(resource)) for resource in resources)


def _lines(value: Mapping[str, Any]) -> Iterator[str]:
    for key, content in value.items():
        if isinstance(content, Mapping) and content and key != "resource":
            yield f"{_scalar(key)}:"
            yield from (f"  {line}" for line in _lines(content))
        elif isinstance(content, list) and any(isinstance(one, Mapping) for one in content):
            yield f"{_scalar(key)}:"
            for one in content:
                first, *rest = _lines(one)
                yield f"  - {first}"
                yield from (f"    {line}" for line in rest)
        else:
            # Lists of words and small mappings in flow style, which is JSON's.
            yield f"{_scalar(key)}: {json.dumps(content)}"


def _scalar(key: str) -> str:
    return key if key.isascii() and key.isalpha() and key.lower() not in _OTHERWISE else json.dumps(key)
