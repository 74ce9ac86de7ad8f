"""
The data folder of an embedded Kafka: its cluster has an id that Kafka takes, and says which it is.
"""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from boutre.errors import Unavailable
from boutre.ops import storage


def test_an_id_is_a_uuid_in_base_64() -> None:
    """
    22 characters that stand for 16 bytes, none of them an option of a command, and another one each time.
    """
    made = {storage.new_cluster_id() for _ in range(500)}

    assert 500 == len(made)
    assert {(22, 16)} == {(len(one), len(base64.urlsafe_b64decode(one + "=="))) for one in made}
    assert not any(one.startswith("-") for one in made)


def test_a_folder_says_whose_it_is(tmp_path: Path) -> None:
    """
    A folder is ready once it names its cluster; one that names none is no folder to go on with.
    """
    assert not storage.formatted(tmp_path)

    (tmp_path / "meta.properties").write_text("version=1\ncluster.id=abc\nnode.id=2\n", encoding="utf-8")
    assert storage.formatted(tmp_path)
    assert "abc" == storage.cluster_id(tmp_path)

    (tmp_path / "meta.properties").write_text("version=1\n", encoding="utf-8")
    with pytest.raises(Unavailable, match="names no cluster id"):
        storage.cluster_id(tmp_path)
