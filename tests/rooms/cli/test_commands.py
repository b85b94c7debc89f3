"""The command line: helps, exit codes, and one server at a time on a directory."""

import json
import signal
import subprocess
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from headwater.cli import _COMMANDS
from headwater.cli import headwater as root
from tests.support.server import environment, headwater, run_cli, serving


def _commands(group: click.Group, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    context = click.Context(group)
    found: list[tuple[str, ...]] = [path]
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        below = (*path, name)
        found += _commands(command, below) if isinstance(command, click.Group) else [below]
    return found


@pytest.mark.parametrize("command", _commands(root), ids=" ".join)
def test_every_command_explains_itself(command: tuple[str, ...]) -> None:
    """Each `--help` says what the command does, and names every option with its meaning."""
    done = CliRunner().invoke(root, [*command, "--help"])

    assert done.exit_code == 0, done.output
    assert "Usage:" in done.output
    lines = [line.strip() for line in done.output.splitlines()]
    assert len(lines) > 4
    assert lines[2], "no sentence says what it does"


def test_wrong_usage_ends_with_two(tmp_path: Path) -> None:
    """An unknown command or option is the caller's mistake, told apart from a failure."""
    runner = CliRunner()

    assert runner.invoke(root, ["frobnicate"]).exit_code == 2
    assert runner.invoke(root, ["apps", "list", "--colour"]).exit_code == 2
    failed = runner.invoke(root, ["apps", "rotate", "app_none", "--data", str(tmp_path)])
    assert failed.exit_code == 1
    assert "There is no app 'app_none'" in failed.output
    assert "Hint:" in failed.output


def test_configuration_needs_no_server(tmp_path: Path) -> None:
    """Apps, logins and tokens can be made before anything runs."""
    (default,) = run_cli(tmp_path, "apps", "list")
    made = run_cli(tmp_path, "apps", "create", "Parcel API", "--timezone", "Europe/Berlin")
    login = run_cli(
        tmp_path, "users", "create", "ana@parcel.example", "--password-stdin",
        stdin="four unrelated words\n",
    )  # fmt: skip
    token = run_cli(tmp_path, "tokens", "create", "ci", "--scope", "read,write")

    assert default["name"] == "default"
    assert len(default["collector_application_id"]) >= 50
    assert (made["name"], made["timezone"]) == ("Parcel API", "Europe/Berlin")
    assert (login["email"], login["role"]) == ("ana@parcel.example", "owner")
    assert token["token"].startswith("hw_")


def test_sampling_is_set_piece_by_piece_or_as_a_whole(tmp_path: Path) -> None:
    """Options change what they name; a file replaces all; a wrong one changes nothing."""
    (app,) = run_cli(tmp_path, "apps", "list")
    ask = ("apps", "sampling", app["app_id"])
    rule = {"conditions": [{"path": "request.route", "value": "^/health"}], "sample_rate": 0}

    first = run_cli(tmp_path, *ask, "--rate", "25", "--user", "u-81=100")
    second = run_cli(tmp_path, *ask, "--user", "u=1=60", "--drop-route", "^/health")
    shown = run_cli(tmp_path, *ask)
    wrong = run_cli(tmp_path, *ask, "--spec", "-", stdin='{"sample_rate": 0.5}', ok=False)
    whole = run_cli(tmp_path, *ask, "--spec", "-", stdin='{"company_sample_rate": {"c": 5}}')
    reset = run_cli(tmp_path, *ask, "--reset", "--rate", "0")

    assert (first["sample_rate"], first["user_sample_rate"]) == (25, {"u-81": 100})
    assert (second["sample_rate"], second["user_sample_rate"]) == (25, {"u-81": 100, "u=1": 60})
    assert second["regex_config"] == [rule]
    assert len(second["warnings"]) == 1
    assert shown == second
    assert (wrong.returncode, "$.sample_rate" in wrong.stderr) == (1, True)
    assert (whole["sample_rate"], whole["company_sample_rate"]) == (100, {"c": 5})
    assert whole["regex_config"] == []
    assert (reset["sample_rate"], reset["company_sample_rate"]) == (0, {})


def test_masking_is_set_piece_by_piece_or_as_a_whole(tmp_path: Path) -> None:
    """Options add to what is there; a file replaces all; a wrong one changes nothing."""
    (app,) = run_cli(tmp_path, "apps", "list")
    ask = ("apps", "masking", app["app_id"])

    first = run_cli(tmp_path, *ask, "--mask", "ssn", "--emails")
    second = run_cli(tmp_path, *ask, "--mask", "date-of-birth", "--keep", "page_token")
    shown = run_cli(tmp_path, *ask)
    wrong = run_cli(tmp_path, *ask, "--keep", "password", ok=False)
    off = run_cli(tmp_path, *ask, "--no-emails")
    whole = run_cli(tmp_path, *ask, "--spec", "-", stdin='{"fingerprint": ["tenant"]}')
    reset = run_cli(tmp_path, *ask, "--reset")

    assert (first["mask"], first["emails"]) == (["ssn"], True)
    assert (second["mask"], second["keep"]) == (["ssn", "date-of-birth"], ["page_token"])
    assert shown == second
    assert (wrong.returncode, "$.keep[1]" in wrong.stderr) == (1, True)
    assert (off["emails"], off["mask"]) == (False, second["mask"])
    assert (whole["fingerprint"], whole["mask"]) == (["tenant"], [])
    assert reset["fingerprint"] == []


def test_a_misspelt_setting_is_named(tmp_path: Path) -> None:
    """A typo in the environment stops the start, and says where it is."""
    done = subprocess.run(
        headwater("serve", "--data", str(tmp_path), "--port", "0"),
        env=environment({"HEADWATER_SERVER__PROT": "1"}),
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip

    assert done.returncode == 1
    assert "prot" in done.stderr
    assert "Traceback" not in done.stderr


def test_one_server_at_a_time_then_a_clean_end(tmp_path: Path) -> None:
    """The second server on a directory ends at once and says why; SIGTERM ends the first with 0."""
    with serving(tmp_path) as server:
        second = subprocess.run(
            headwater("serve", "--data", str(tmp_path), "--port", "0"),
            env=environment(), capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert second.returncode == 1
        assert "Another Headwater" in second.stderr
        assert str(server.process.pid) in second.stderr
        assert "Traceback" not in second.stderr

        card = json.loads((tmp_path / "run" / "serve.json").read_text())
        assert card["url"] == server.url
        assert server.ask("GET", "/health").status == 200

        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(timeout=30) == 0
    assert not (tmp_path / "run" / "serve.json").exists()


def test_questions_work_with_and_without_a_server(tmp_path: Path) -> None:
    """`headwater query` and `doctor` ask the running server, or start one for the moment."""
    app_id = run_cli(tmp_path, "apps", "list")[0]["app_id"]

    alone = run_cli(tmp_path, "query", "count", "--app", app_id, "--spec", "-", stdin="{}")
    with serving(tmp_path) as server:
        served = server.cli("query", "count", "--app", app_id, "--spec", "-", stdin="{}")
        health = server.cli("doctor")

    assert alone["count"] == served["count"] == 0
    assert health["ok"]
    assert set(health["checks"]) == {"log", "store", "configdb", "disk"}


@pytest.mark.parametrize(("name", "summary"), [(n, help_) for n, (_, help_) in _COMMANDS.items()])
def test_commands_are_listed_as_they_describe_themselves(name: str, summary: str) -> None:
    """The list is written down, so that it needs no imports: it must say the same."""
    command = root.get_command(click.Context(root), name)
    assert command is not None
    assert command.get_short_help_str(300) == summary
    assert f"{name} " in CliRunner().invoke(root, ["--help"]).output
