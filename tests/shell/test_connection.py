"""
How workers reach a cluster that asks for certificates: the key's password is used, and never asked for at a terminal.
"""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from boutre.errors import DeclarationError
from boutre.ops.certificates import Authority
from boutre.processors.runtime.connection import Connection
from boutre.processors.runtime.worker import faust_settings

PASSWORD = "of-the-key"


@pytest.fixture
def cluster(tmp_path: Path) -> dict[str, str]:
    """
    The settings of a worker with a certificate and an encrypted key.
    """
    authority = Authority.made("Worker authority")
    (tmp_path / "ca.pem").write_bytes(authority.pem())
    pair = str(authority.pair("bus.release", tmp_path / "release.pem", password=PASSWORD))
    return {"bootstrap": "kafka:9093", "protocol": "SSL", "ca": str(tmp_path / "ca.pem"), "certificate": pair, "key": pair}


def test_a_key_with_a_password_is_used(cluster: dict[str, str]) -> None:
    """
    Faust and aiokafka both get a context with the certificate, and neither shows the password.
    """
    made = Connection(**cluster, key_password=PASSWORD)

    assert isinstance(made.aiokafka()["ssl_context"], ssl.SSLContext)
    assert isinstance(faust_settings(made)["broker_credentials"].context, ssl.SSLContext)
    assert PASSWORD not in repr(made)


@pytest.mark.parametrize("change", [{}, {"key_password": "another"}, {"ca": "missing.pem"}, {"key": "missing.pem"}])
def test_what_cannot_be_used_is_said_and_asked_of_nobody(cluster: dict[str, str], change: dict[str, str]) -> None:
    """
    No password, a wrong one, a file that is not there: a sentence, without a path's content or a password in it.
    """
    with pytest.raises(DeclarationError, match="cannot be used") as caught:
        Connection(**{**cluster, **change}).aiokafka()

    assert "another" not in str(caught.value)
