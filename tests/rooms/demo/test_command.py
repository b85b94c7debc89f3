"""`headwater demo`, small: all is connected, a second start repeats nothing, Ctrl-C ends it."""

import json
import signal
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.support.eventually import eventually
from tests.support.server import environment, headwater, run_cli

pytestmark = pytest.mark.xdist_group("demo_command")

Loaded = tuple[Path, dict[str, Any]]
STARTED_WITHIN_S = 60


def _demo(data: Path, *args: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        headwater("demo", "--data", str(data), "--port", "0", *args),
        capture_output=True, text=True, timeout=90, env=environment(), check=False,
    )  # fmt: skip


@contextmanager
def _running_demo(data: Path, *args: str) -> Iterator["subprocess.Popen[str]"]:
    with subprocess.Popen(
        headwater("demo", "--data", str(data), "--port", "0", *args),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(),
    ) as process:  # fmt: skip
        try:
            yield process
        finally:
            process.kill()


def _ask(data: Path, app_id: str, kind: str, **spec: object) -> Any:
    question = json.dumps({name.rstrip("_"): value for name, value in spec.items()})
    return run_cli(data, "query", kind, "--app", app_id, "--spec", "-", stdin=question)


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    """A demo that was loaded once, and its ready line."""
    data = tmp_path_factory.mktemp("demo") / "data"
    done = _demo(data, "--users", "40", "--days", "5", "--exit-when-loaded")
    assert done.returncode == 0, done.stderr
    return data, json.loads(done.stdout)


def test_one_identify_of_each_user_is_in_the_warehouse(loaded: Loaded) -> None:
    """The first ones, with a whole day's numbers: the history was in before they were sent."""
    data, facts = loaded
    with duckdb.connect(facts["warehouse"], read_only=True) as connection:
        rows = connection.execute(
            "SELECT user_id, daily_aggregation_date, daily_aggregation_total_calls"
            " FROM headwater_api_analytics.identifies"
            " QUALIFY row_number() OVER (PARTITION BY user_id ORDER BY sent_at) = 1"
        ).fetchall()

    (day,) = {day for _, day, _ in rows}
    of_that_day = _ask(
        data, facts["app_id"], "count",
        from_=day.isoformat(), to=(day + timedelta(days=1)).isoformat(),
    )  # fmt: skip
    assert facts["ready"] is True
    assert len(rows) == facts["identifies"] == 40
    assert sum(calls for *_, calls in rows) == of_that_day["count"] > 0


def test_a_second_start_adds_nothing_but_live_traffic(loaded: Loaded) -> None:
    """Even one that does not know that everything was loaded; Ctrl-C ends it with exit code 0."""
    data, facts = loaded
    plan = json.loads((data / "demo.json").read_text())
    (data / "demo.json").write_text(json.dumps({**plan, "loaded": None}))

    with _running_demo(data) as process:
        assert process.stdout is not None
        again = json.loads(process.stdout.readline())
        history = _ask(data, facts["app_id"], "count", from_="-1M", to=plan["end"])
        live = {"from_": plan["end"], "to": "now"}
        eventually(lambda: _ask(data, facts["app_id"], "count", **live)["count"], within_s=30)
        things = [run_cli(data, kind, "list") for kind in ("sources", "destinations", "warehouses")]
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=40)

    assert again["calls"] == facts["calls"] == history["count"] > 100
    assert (history["meta"]["late_events"], history["meta"]["dropped_events"]) == (0, 0)
    assert [len(found) for found in things] == [1, 1, 1]
    assert process.returncode == 0, errors
    assert "Traceback" not in errors


def test_what_it_remembers_is_for_its_owner(loaded: Loaded) -> None:
    """The file holds a password."""
    data, _ = loaded

    assert stat.S_IMODE((data / "demo.json").stat().st_mode) == 0o600


def test_another_size_needs_another_directory(loaded: Loaded) -> None:
    """Rather than mixing two histories."""
    data, _ = loaded

    done = _demo(data, "--users", "41")

    assert done.returncode == 1
    assert "40 users and 5 days" in done.stderr


def test_real_data_is_left_alone(tmp_path: Path) -> None:
    """Invented calls are never put into a Headwater that is no demo."""
    run_cli(tmp_path, "apps", "list")

    done = _demo(tmp_path, "--exit-when-loaded")

    assert done.returncode == 1
    assert "no demo" in done.stderr


def test_a_start_that_is_stopped_while_it_loads_ends_well(tmp_path: Path) -> None:
    """SIGTERM in the middle: exit code 0, no ready line, and the next start will go on."""
    data = tmp_path / "data"
    with _running_demo(data, "--users", "2000") as process:
        eventually((data / "run" / "serve.json").exists, within_s=STARTED_WITHIN_S)
        process.send_signal(signal.SIGTERM)
        output, errors = process.communicate(timeout=40)

    assert process.returncode == 0, errors
    assert output == ""
    assert json.loads((data / "demo.json").read_text())["loaded"] is None
