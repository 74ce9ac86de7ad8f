"""
The sinks to files: JSON lines and GeoJSON, and what they stand on.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boutre.connectors.plain import plain
from boutre.connectors.sinks import geojson, jsonl
from boutre.connectors.sinks.feature import feature, geometry
from boutre.connectors.sinks.lines import Lines
from boutre.connectors.sinks.trial import WITHHELD, SinkContract, delivery
from boutre.errors import DeclarationError, Retry, Unavailable


def read(path: Path) -> list[Any]:
    """Read a file of JSON lines."""
    return [json.loads(line) for line in path.read_text().split("\n")[:-1]]


class TestJsonLines(SinkContract):
    """JSON lines are a sink."""

    sink = jsonl.write

    def options(self, folder: Path) -> jsonl.Options:
        """Below a folder that is not there yet."""
        return jsonl.Options(folder / "out")

    def effect(self, options: jsonl.Options) -> Sequence[str]:
        """The ids of all lines."""
        return [line["id"] for path in options.folder.glob("*/*.jsonl") for line in read(path)]

    def test_a_view_stands_in_the_file_of_its_recipient_and_kind(self, tmp_path: Path) -> None:
        """The whole view is there as plain data, and its file is its owner's alone."""
        view = delivery("interception", recipient="france")
        with jsonl.write.open(jsonl.Options(tmp_path)) as write:
            write([view, delivery("alert", recipient="rcoc")])
        file = tmp_path / "france" / "interception.jsonl"

        assert [plain(view.value)] == read(file)
        assert file.stat().st_mode & 0o777 == 0o600
        assert (tmp_path / "rcoc" / "alert.jsonl").exists()

    def test_two_sinks_never_write_to_one_folder(self, tmp_path: Path) -> None:
        """The second is told so, and the first goes on."""
        with jsonl.write.open(jsonl.Options(tmp_path)) as first, jsonl.write.open(jsonl.Options(tmp_path)) as second:
            first([delivery()])
            with pytest.raises(Unavailable, match="another sink"):
                second([delivery(number=1)])
            first([delivery(number=2)])

        assert len(read(tmp_path / "rcoc" / "sighting.jsonl")) == 2


class TestGeoJson(SinkContract):
    """GeoJSON is a sink."""

    sink = geojson.write

    def options(self, folder: Path) -> geojson.Options:
        """Below a folder that is not there yet."""
        return geojson.Options(folder / "out")

    def effect(self, options: geojson.Options) -> Sequence[str]:
        """The ids of all features of all collections."""
        return [each["id"] for path in options.folder.glob("*/*.geojson") for each in json.loads(path.read_text())["features"]]

    def test_the_collection_is_behind_after_a_kill_and_catches_up(self, tmp_path: Path) -> None:
        """Features that were added without the collection being written are in it once the batch comes again."""
        options = geojson.Options(tmp_path)
        with geojson.write.open(options) as write:
            write([delivery()])
        (tmp_path / "rcoc" / "sighting.geojson").write_text("")
        with geojson.write.open(options) as write:
            write([delivery()])

        assert [delivery().id] == self.effect(options)

    def test_what_could_not_be_collected_is_collected_with_the_next_try(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A disk that was full while the collection was written leaves no feature out of it for good."""
        options = geojson.Options(tmp_path)
        collect = geojson.collect

        def full(*_: Path) -> None:
            raise Retry("full")

        with geojson.write.open(options) as write:
            write([delivery()])
            monkeypatch.setattr(geojson, "collect", full)
            with pytest.raises(Retry):
                write([delivery(number=1)])
            monkeypatch.setattr(geojson, "collect", collect)
            write([delivery(number=1)])

        assert sorted([delivery().id, delivery(number=1).id]) == sorted(self.effect(options))


# --- a file of lines -------------------------------------------------------------------------------------------------------


@given(cut=st.integers(0, 200))
def test_a_torn_last_line_is_cut_off_and_written_again(tmp_path_factory: pytest.TempPathFactory, cut: int) -> None:
    """Wherever a power cut ends the file, whole lines stay, nothing stands twice, and what is missing can be added."""
    path = tmp_path_factory.mktemp("torn") / "lines.jsonl"
    lines = [(str(number), json.dumps({"id": str(number), "text": "é" * number})) for number in range(12)]
    with Lines(path) as file:
        file.add(lines)
    whole = path.read_bytes()
    path.write_bytes(whole[: min(cut, len(whole))])
    with Lines(path) as file:
        added = file.add(lines)

    assert whole == path.read_bytes()
    assert 12 - whole[: min(cut, len(whole))].count(b"\n") == added


def test_a_torn_line_longer_than_a_page_is_cut_off(tmp_path: Path) -> None:
    """The end of the last whole line is found however far back it is."""
    path = tmp_path / "lines.jsonl"
    path.write_bytes(b'{"id":"1"}\n' + b"x" * 200_000)
    with Lines(path) as file:
        assert "1" in file

    assert path.read_bytes() == b'{"id":"1"}\n'


@pytest.mark.parametrize("strange", [b"hello\n", b'{"no": "id"}\n', b"[1]\n", b'{"id": 4}\n', b"\xff\xfe\n"])
def test_a_file_of_somebody_else_is_left_as_it_is(tmp_path: Path, strange: bytes) -> None:
    """A file with a line that this sink cannot have written is refused, with its line, and not touched."""
    path = tmp_path / "lines.jsonl"
    path.write_bytes(b'{"id":"1"}\n' + strange)
    with pytest.raises(DeclarationError, match="line 2"), Lines(path):
        pass

    assert path.read_bytes() == b'{"id":"1"}\n' + strange


def test_a_full_disk_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    """What was half written is taken back, the sink asks to try later, and then the line is there once."""
    path = tmp_path / "lines.jsonl"
    with Lines(path) as file:
        file.add([("1", '{"id":"1"}')])
        real = file._file

        class Full:
            """A file on a disk that takes three bytes more."""

            def write(self, content: bytes) -> int:
                """Take three bytes, then no more."""
                if path.stat().st_size > 11:
                    raise OSError(28, "No space left on device")
                return real.write(content[:3])

            def __getattr__(self, name: str) -> Any:
                return getattr(real, name)

        file._file = Full()  # type: ignore[assignment]  # a file that fails cannot be had otherwise
        with pytest.raises(Retry, match="No space left"):
            file.add([("2", '{"id":"2"}')])

        assert path.read_bytes() == b'{"id":"1"}\n'

        file._file = real
        file.add([("2", '{"id":"2"}')])

    assert path.read_bytes() == b'{"id":"1"}\n{"id":"2"}\n'


# --- features --------------------------------------------------------------------------------------------------------------


def test_longitude_stands_before_latitude() -> None:
    """RFC 7946 has it so; the accuracy of a coarse position and how it was made coarse go with it."""
    made = feature(delivery())

    assert made["geometry"] == {"type": "Point", "coordinates": [44.75, -12.25]}
    assert made["properties"]["accuracy_m"] == 39_358.0
    assert made["properties"]["altered"] == {"position": "grid 0.5 degree"}
    assert made["id"] == delivery().id


def test_a_withheld_position_is_no_unknown_one() -> None:
    """Both have no geometry; that it was withheld, by whom and whom to ask, stands in the properties."""
    unknown, kept_back = feature(delivery(position=None)), feature(delivery(position=WITHHELD))

    assert unknown["geometry"] is None
    assert kept_back["geometry"] is None
    assert "position" not in unknown["properties"]["withheld"]
    assert plain(WITHHELD)["withheld"] == kept_back["properties"]["withheld"]["position"]
    assert set(unknown["properties"]["withheld"]) == {"claims", "provenance", "origin.unit"}


def test_an_alert_without_a_position_has_its_area() -> None:
    """The outer ring is closed and goes round against the clock."""
    assert feature(delivery("alert"))["geometry"] == {
        "type": "Polygon",
        "coordinates": [[[45.0, -12.5], [45.0, -12.0], [44.5, -12.0], [45.0, -12.5]]],
    }


def test_a_link_is_in_the_table_and_not_on_the_map() -> None:
    """It has no place of its own; its columns tell what it links, how surely and whether it stands, and no other kind has them."""
    group = delivery("link").value["link"]
    gone = {**group, "status": "withdrawn", "reason": "recalled"}
    made, withdrawn = feature(delivery("link")), feature(delivery("link", 1, link=gone))
    told = {name: made["properties"][name] for name in made["properties"] if name.startswith("link_")}

    assert made["geometry"] is None
    assert told == {
        **{f"link_{name}": group[name] for name in ("type", "status", "reason", "views", "records", "rule", "by", "probability")},
        **{f"link_explanation_{language}": group["explanation"][language] for language in ("en", "fr")},
        "link_independent": True,
        "link_evidence": plain(group["evidence"]),
    }
    assert (withdrawn["properties"]["link_status"], withdrawn["properties"]["link_reason"]) == ("withdrawn", "recalled")
    assert [name for name in feature(delivery())["properties"] if name.startswith("link_")] == []


@given(latitude=st.floats() | st.none(), longitude=st.floats() | st.none())
def test_a_point_is_on_the_globe_or_is_none(latitude: float | None, longitude: float | None) -> None:
    """No position of a view, however odd, gives coordinates that a map refuses."""
    found = geometry({"position": {"latitude": latitude, "longitude": longitude}})

    assert found is None or (-180 <= found["coordinates"][0] <= 180 and -90 <= found["coordinates"][1] <= 90)


def test_a_collection_opens_as_json_and_holds_no_other_system_of_coordinates(tmp_path: Path) -> None:
    """It is one FeatureCollection in WGS 84 without the member crs, which RFC 7946 took out."""
    odd = replace(
        delivery(),
        id="odd",
        value={**delivery(number=1).value, "narrative": [{"language": "en", "text": "\u2028", "translation_of": None}]},
    )
    with geojson.write.open(geojson.Options(tmp_path)) as write:
        write([delivery(), odd])
    collection = json.loads((tmp_path / "rcoc" / "sighting.geojson").read_text())

    assert set(collection) == {"type", "features"}
    assert collection["type"] == "FeatureCollection"
    assert {each["type"] for each in collection["features"]} == {"Feature"}
    assert len(collection["features"]) == 2
    assert [path.name for path in (tmp_path / "rcoc").iterdir() if path.name.startswith(".sighting")] == []
