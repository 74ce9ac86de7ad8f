"""
The rules and passwords of a cluster, read and changed by its admin API. Nothing here decides anything: `access_plan` does.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin._acl import AclBinding, AclBindingFilter, AclOperation, AclPermissionType
from confluent_kafka.admin._resource import ResourcePatternType, ResourceType
from confluent_kafka.admin._scram import (
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialAlteration,
    UserScramCredentialUpsertion,
)

from boutre.errors import Unavailable
from boutre.ops.access_plan import Entry
from boutre.ops.cluster import Cluster

# Kafka calls the cluster's own rights those of a broker here, and nowhere else.
_TYPES: Final[Mapping[str, ResourceType]] = {
    "topic": ResourceType.TOPIC,
    "group": ResourceType.GROUP,
    "transactional-id": ResourceType.TRANSACTIONAL_ID,
    "cluster": ResourceType.BROKER,
}
_NAMES: Final = {kind: name for name, kind in _TYPES.items()}

# A filter says None where anything will do; its types do not know that.
_any: Final[Any] = AclBindingFilter

# Seconds.
_PATIENCE: Final = 30.0
_SETTLE: Final = 30.0

ITERATIONS: Final = 8_192
"""Of SCRAM: twice what Kafka asks for at least. Passwords made here are 32 random bytes, which no number of guesses finds."""


class Authorizer(Cluster):
    """
    The authorizer of one cluster; see `Cluster`.
    """

    def entries(self) -> frozenset[Entry]:
        """
        All rules of the cluster about topics, groups, transactional ids and the cluster itself.

        Raises:
            Unavailable: the cluster does not answer, has no authorizer, or does not let this client see its rules.
        """
        with self._asking():
            rights = self._admin.describe_cluster(include_authorized_operations=True, request_timeout=_PATIENCE).result(
                2 * _PATIENCE
            )
            # librdkafka shows no rules to who may not see them, and says nothing: that would look as if there were none.
            if AclOperation.DESCRIBE not in (rights.authorized_operations or ()):
                raise Unavailable("this user may not see the rules of the cluster; sign in as staff.admin or as a super user")
            found: set[Entry] = set()
            for kind in _TYPES.values():
                everything = _any(kind, None, ResourcePatternType.ANY, None, None, AclOperation.ANY, AclPermissionType.ANY)
                found.update(map(_entry, self._admin.describe_acls(everything, request_timeout=_PATIENCE).result(2 * _PATIENCE)))
            if not found:
                self._see_authorizer()
        return frozenset(found)

    def grant(self, entries: Sequence[Entry], done: Callable[[str], None] = lambda _line: None) -> None:
        """
        Create rules, and return once the brokers know them.
        """
        if entries:
            bindings = {_binding(AclBinding, entry): entry for entry in entries}
            with self._asking():
                futures = self._admin.create_acls(list(bindings), request_timeout=_PATIENCE)
            self._each({str(bindings[binding]): future for binding, future in futures.items()}, "allowed", done)
            self._settle(lambda found: found.issuperset(entries))

    def revoke(self, entries: Sequence[Entry], done: Callable[[str], None] = lambda _line: None) -> None:
        """
        Remove rules, each by all that it says, and return once the brokers have forgotten them.
        """
        if entries:
            filters = {_binding(AclBindingFilter, entry): entry for entry in entries}
            with self._asking():
                futures = self._admin.delete_acls(list(filters), request_timeout=_PATIENCE)
            self._each({str(filters[one]): future for one, future in futures.items()}, "removed", done)
            self._settle(lambda found: found.isdisjoint(entries))

    def set_passwords(self, passwords: Mapping[str, str], done: Callable[[str], None] = lambda _line: None) -> None:
        """
        Let each user (without ``User:``) sign in by its password from now on, by SCRAM-SHA-512.

        Who has a password on the cluster is never asked: the client library dies where it may not know.
        """
        if passwords:
            how = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, ITERATIONS)
            asked: list[UserScramCredentialAlteration] = [
                UserScramCredentialUpsertion(user, how, password.encode()) for user, password in passwords.items()
            ]
            with self._asking():
                futures: Mapping[str, Any] = self._admin.alter_user_scram_credentials(asked, request_timeout=_PATIENCE)
            self._each(futures, "password of", done)

    def _settle(self, there: Callable[[frozenset[Entry]], bool]) -> None:
        # The controller has decided; a broker hears of it a moment later.
        deadline = time.monotonic() + _SETTLE
        while not there(self.entries()):
            if time.monotonic() > deadline:
                raise Unavailable("the rules have not come into effect yet; run the same command again")
            time.sleep(0.05)

    def _see_authorizer(self) -> None:
        """A cluster without an authorizer looks as one without rules; it says so only to who wants to change them: here none."""
        nobody = _any(ResourceType.GROUP, "-", ResourcePatternType.LITERAL, "User:-", None, AclOperation.ANY, AclPermissionType.ANY)
        (answer,) = self._admin.delete_acls([nobody], request_timeout=_PATIENCE).values()
        try:
            answer.result(2 * _PATIENCE)
        except KafkaException as error:
            if error.args[0].code() != KafkaError.SECURITY_DISABLED:
                raise
            raise Unavailable(
                f"the cluster at {self.address} has no authorizer: everybody may do everything there. "
                "Set authorizer.class.name on its brokers (ops/kafka/server.properties)"
            ) from None


def _entry(binding: Any) -> Entry:  # its attributes are typed as what its constructor takes
    return Entry(
        str(binding.principal),
        _NAMES.get(binding.restype, _word(binding.restype.name)),
        str(binding.name),
        _word(binding.resource_pattern_type.name),
        _word(binding.operation.name),
        _word(binding.permission_type.name),
        str(binding.host),
    )


def _binding(kind: type[Any], entry: Entry) -> Any:
    return kind(
        _TYPES[entry.resource],
        entry.name,
        ResourcePatternType[_shout(entry.pattern)],
        entry.principal,
        entry.host,
        AclOperation[_shout(entry.operation)],
        AclPermissionType[_shout(entry.permission)],
    )


def _word(name: str) -> str:
    return name.lower().replace("_", "-")


def _shout(word: str) -> str:
    return word.upper().replace("-", "_")
