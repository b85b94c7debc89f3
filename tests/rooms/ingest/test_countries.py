"""Addresses have countries, by the file that the operator gives and renews."""

import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from mmdb_writer import MMDBWriter
from netaddr import IPSet

from headwater.base.clock import SetClock
from headwater.base.errors import MisconfiguredError
from headwater.ingest.countries import Countries

GERMANY, FRANCE = {"country": {"iso_code": "DE"}}, {"country": {"iso_code": "FR"}}
MINUTE = timedelta(seconds=61)


def write(path: Path, networks: dict[str, Any], ip_version: int = 6) -> Path:
    """Write a real MMDB file, as the publishers do."""
    writer = MMDBWriter(ip_version=ip_version, ipv4_compatible=ip_version == 6)
    for network, record in networks.items():
        writer.insert_network(IPSet([network]), record)
    new = path.with_suffix(".new")
    writer.to_db_file(str(new))
    new.replace(path)
    return path


@pytest.fixture
def clock() -> SetClock:
    """A clock that the test moves."""
    return SetClock(datetime(2026, 11, 23, tzinfo=UTC))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file that knows a network of each kind of record."""
    return write(
        tmp_path / "countries.mmdb",
        {
            "203.0.113.0/24": GERMANY,
            "198.51.100.0/25": {"registered_country": {"iso_code": "SE"}},
            "198.51.100.128/25": {"country_code": "it"},
            "192.0.2.0/25": {"country": "BR"},
            "192.0.2.128/25": {"continent": {"code": "EU"}},
            "2001:db8::/32": FRANCE,
        },
    )


@pytest.mark.parametrize(
    ("ip_address", "country"),
    [
        ("203.0.113.7", "DE"),
        ("::ffff:203.0.113.7", "DE"),
        ("198.51.100.1", "SE"),
        ("198.51.100.200", "IT"),
        ("192.0.2.1", "BR"),
        ("192.0.2.200", ""),
        ("2001:db8::1", "FR"),
        ("10.0.0.1", ""),
        ("", ""),
        ("no address", ""),
        ("203.0.113.7, 10.0.0.1", ""),
    ],
)
def test_an_address_has_the_country_of_its_network(
    file: Path, clock: SetClock, ip_address: str, country: str
) -> None:
    """IPv4, IPv6, both at once, and whatever is no address."""
    countries = Countries(str(file), clock)
    assert countries.country_of(ip_address) == country
    countries.close()


def test_without_a_file_no_country_is_known(clock: SetClock) -> None:
    """It is off by default."""
    assert Countries("", clock).country_of("203.0.113.7") == ""


def test_a_file_of_ipv4_alone_knows_no_ipv6(tmp_path: Path, clock: SetClock) -> None:
    """Such a question is no error."""
    file = write(tmp_path / "four.mmdb", {"203.0.113.0/24": GERMANY}, ip_version=4)
    countries = Countries(str(file), clock)
    assert [countries.country_of(ip) for ip in ("203.0.113.7", "2001:db8::1")] == ["DE", ""]
    countries.close()


@pytest.mark.parametrize("content", [None, b"", b"hello" * 1_000])
def test_a_file_that_cannot_be_used_is_told_at_the_start(
    tmp_path: Path, clock: SetClock, content: bytes | None
) -> None:
    """Missing, empty or something else: the message names the file and the setting."""
    path = tmp_path / "broken.mmdb"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(MisconfiguredError) as caught:
        Countries(str(path), clock)
    assert str(path) in caught.value.message
    assert caught.value.field == "ingest.country_database"


def test_a_replaced_file_is_noticed_within_a_minute(file: Path, clock: SetClock) -> None:
    """Not before: it is looked at once a minute at most."""
    countries = Countries(str(file), clock)
    assert countries.country_of("203.0.113.7") == "DE"
    write(file, {"203.0.113.0/24": FRANCE})
    assert countries.country_of("203.0.113.7") == "DE"
    clock.move(MINUTE)
    assert countries.country_of("203.0.113.7") == "FR"
    countries.close()


@pytest.mark.parametrize("break_it", [Path.unlink, lambda path: path.write_bytes(b"half a f")])
def test_a_broken_replacement_leaves_the_old_file_in_use(
    file: Path, clock: SetClock, break_it: Any
) -> None:
    """Half a download, written over the file that is open, harms nobody; a whole one mends it."""
    countries = Countries(str(file), clock)
    break_it(file)
    clock.move(MINUTE)
    assert [countries.country_of(ip) for ip in ("203.0.113.7", "2001:db8::1")] == ["DE", "FR"]
    write(file, {"203.0.113.0/24": FRANCE})
    clock.move(MINUTE)
    assert countries.country_of("203.0.113.7") == "FR"
    countries.close()


def test_a_file_that_is_copied_over_in_place_is_noticed(
    file: Path, tmp_path: Path, clock: SetClock
) -> None:
    """As `cp` does it; the time of the new content tells."""
    countries = Countries(str(file), clock)
    other = write(tmp_path / "other.mmdb", {"203.0.113.0/24": FRANCE})
    shutil.copyfile(other, file)
    os.utime(file, (1, 1))
    clock.move(MINUTE)
    assert countries.country_of("203.0.113.7") == "FR"
    countries.close()


def test_no_copy_is_left_behind(
    file: Path, tmp_path: Path, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The private copy has no name once it is open."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    countries = Countries(str(file), clock)
    assert countries.country_of("203.0.113.7") == "DE"
    assert list(folder.iterdir()) == []
    countries.close()
