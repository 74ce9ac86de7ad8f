"""
Quotas: what each party may ask of the brokers, compared with what a cluster has, and how Kafka's own tool is told to sign in.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boutre.ops.quotas import Quota, plan, quotas
from boutre.ops.quotas_tool import properties
from boutre.topics import bus

ROOT: Final = Path(__file__).parents[2]
BUS: Final = bus.load(ROOT)
WANTED: Final = quotas(BUS)


def test_every_party_outside_has_one_and_only_they() -> None:
    """
    Each member is held to its declared rate, and members and recipients to a share; the bus and those who run it to nothing.
    """
    members = {f"member.{name}": member.rate for name, member in BUS.members.items()}
    recipients = dict.fromkeys((f"recipient.{name}" for name in BUS.recipients), None)

    assert members | recipients == {one.principal: one.rate for one in WANTED}
    assert all(0 < one.share <= 100 for one in WANTED)
    assert all(rate >= 1_024 for rate in members.values())


def test_what_is_as_declared_is_left() -> None:
    """
    On a cluster that has them all there is nothing to do; on one that has none all are set.
    """
    there = {one.principal: one.configs for one in WANTED}

    assert not plan(WANTED, there).differs
    assert len(WANTED) == plan(WANTED, there).unchanged
    assert WANTED == plan(WANTED, {}).set


@given(st.sampled_from(WANTED), st.sampled_from(["producer_byte_rate", "request_percentage"]), st.sampled_from([-1.0, 1.0, None]))
def test_any_difference_is_mended(quota: Quota, name: str, by: float | None) -> None:
    """
    A value that is other, missing or too much at one principal leads to that principal being set, and to nothing else.
    """
    there = {one.principal: dict(one.configs) for one in WANTED}
    if by is None and name in there[quota.principal]:
        del there[quota.principal][name]
    else:
        there[quota.principal][name] = there[quota.principal].get(name, 1000.0) + (by or 1.0)
    todo = plan(WANTED, there)

    assert (quota,) == todo.set
    assert len(WANTED) - 1 == todo.unchanged


def test_what_nobody_declared_is_shown_and_left() -> None:
    """
    A quota of the bus's own processes slows the bus and is shown; one of somebody else on a shared cluster is not looked at.
    """
    there = {one.principal: one.configs for one in WANTED} | {"bus.release": {"producer_byte_rate": 1.0}, "tenant": {"x_rate": 1.0}}
    todo = plan(WANTED, there)

    assert (("bus.release",), ()) == (todo.surplus, todo.set)
    assert todo.differs


@pytest.mark.parametrize("rate", [1_024, 262_144, 10_000_000])
def test_a_rate_says_the_same_everywhere(rate: int) -> None:
    """
    To Kafka's tool and to Strimzi.
    """
    quota = replace(WANTED[0], rate=rate)

    assert {"producer_byte_rate": float(rate), "request_percentage": 50.0} == quota.configs
    assert {"producerByteRate": rate, "requestPercentage": 50} == quota.as_strimzi()


def test_the_tool_signs_in_as_the_bus_does(tmp_path: Path) -> None:
    """
    A password with quotes and backslashes, an authority and a certificate arrive in the words of Kafka's Java client.
    """
    (tmp_path / "client.pem").write_text("CERTIFICATE\n", encoding="ascii")
    (tmp_path / "client.key").write_text("KEY\n", encoding="ascii")
    password = properties(
        {
            "security.protocol": "SASL_SSL",
            "sasl.mechanism": "SCRAM-SHA-512",
            "sasl.username": "staff.admin",
            "sasl.password": 'a"b\\c',
            "ssl.ca.location": "/ca.pem",
        }
    )
    certificate = properties(
        {
            "security.protocol": "SSL",
            "ssl.certificate.location": str(tmp_path / "client.pem"),
            "ssl.key.location": str(tmp_path / "client.key"),
        }
    )

    assert password["sasl.jaas.config"].endswith('required username="staff.admin" password="a\\"b\\\\c";')
    assert ("PEM", "/ca.pem") == (password["ssl.truststore.type"], password["ssl.truststore.location"])
    assert ("CERTIFICATE\n", "KEY\n") == (certificate["ssl.keystore.certificate.chain"], certificate["ssl.keystore.key"])
    assert "sasl.mechanism" not in certificate
