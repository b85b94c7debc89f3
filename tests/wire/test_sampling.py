"""The promise about sampling: a call that stands for four is four, whichever client weighed it.

Each library that fetches the sampling policy runs unmodified, and is asked for a quarter.
"""

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.clients import Recording, Stage, record
from tests.support.npm import NODE

pytestmark = pytest.mark.timeout(300)
"""The first test may install the packages."""
_RATE, _WEIGHT = 25, 4
_MORE = 60
"""Enough that none or all of them being picked by chance means a fault."""


def _counted(stage: Stage) -> dict[str, Any]:
    """Return what every way of counting says of the same calls."""
    server, app_id = stage.server, stage.app_id
    server.settle()
    series = {
        measure: server.query(app_id, "timeseries", measure=measure)["series"][0]["total"]
        for measure in ("calls", "sum:response.status", "error_rate")
    }
    (ana,) = server.query(app_id, "users", filters={"field": "user_id", "value": "ana"})["users"]
    total = server.query(app_id, "count")
    return {**series, "count": total["count"], "events": total["events"], "user": ana["calls"]}


def _sampled(folder: Path, command: tuple[str, ...], env: dict[str, str]) -> Recording:
    counted: dict[str, Any] = {}

    def play(stage: Stage) -> None:
        stage.ask_for(_RATE)
        stage.run(*command, calls=_WEIGHT, more=str(_MORE), env=env)
        counted.update(_counted(stage))

    kept = record(folder, play)
    weights = [call["weight"] for call in kept.calls]
    failed = [call["weight"] for call in kept.calls if call["response"]["status"] >= 400]
    assert counted == {
        "calls": sum(weights),
        "count": sum(weights),
        "events": len(weights),
        "user": sum(weights),
        "error_rate": pytest.approx(sum(failed) / sum(weights)),
        "sum:response.status": sum(c["weight"] * c["response"]["status"] for c in kept.calls),
    }
    return kept


@pytest.mark.parametrize("library", ["moesifwsgi", "moesifasgi", "moesifdjango"])
def test_python_libraries_report_a_part_and_weigh_it(tmp_path: Path, library: str) -> None:
    """Once they know the policy, every stored call weighs the same."""
    program = str(Path(__file__).parent / "programs" / f"{library}_app.py")
    kept = _sampled(tmp_path, (sys.executable, program), {**os.environ})
    assert {call["weight"] for call in kept.calls} == {_WEIGHT}
    assert 0 < len(kept.calls) < _MORE


def test_nodejs_reports_a_part_and_weighs_it(tmp_path: Path, node_modules: Path) -> None:
    """It learns the policy while it serves: what it reported before that weighs one."""
    env = {**os.environ, "NODE_PATH": str(node_modules)}
    kept = _sampled(tmp_path, ("node", str(NODE / "moesif_nodejs_app.cjs")), env)
    later = [call for call in kept.calls if "/v2/labels/1" in call["request"]["uri"]]
    assert {call["weight"] for call in later} == {_WEIGHT}
    assert 0 < len(later) < _MORE
