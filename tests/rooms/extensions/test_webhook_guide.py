"""The receiver of the guide, run as it is printed, before the real extension."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from headwater.base.errors import InvalidInputError
from headwater.extensions.webhook.fields import COMPANY, USER
from tests.rooms.extensions.room import Room

ROOT = Path(__file__).parents[3]
GUIDE = ROOT / "docs" / "guides" / "send-profile-changes-to-a-webhook.md"
REFERENCE = ROOT / "docs" / "reference" / "webhook-extension.md"
SECRET = "whsec_" + "QUFB" * 8


@contextmanager
def receiving(folder: Path) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    """Run the program that the guide prints; yield its URL and its process."""
    (program,) = re.findall(r"```python\n(.*?)```", GUIDE.read_text("utf-8"), re.DOTALL)
    (folder / "receiver.py").write_text(program, "utf-8")
    with subprocess.Popen(
        [sys.executable, str(folder / "receiver.py")],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        env={**os.environ, "WEBHOOK_SECRET": SECRET, "PORT": "0"},
    ) as process:  # fmt: skip
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip(), process
        finally:
            process.terminate()


async def test_the_receiver_of_the_guide_verifies(unconnected: Room, tmp_path: Path) -> None:
    """It takes what we sign, is known to verify, and refuses everybody else."""
    room = unconnected
    room.clock.at = datetime.now(UTC)
    with receiving(tmp_path) as (url, process):
        values = {"url": url, "secret": SECRET, "subjects": "both"}
        await room.extensions.connect(room.app, "webhook", values)
        (connection,) = await room.extensions.connections()
        assert connection.secret_check.startswith("accepted")
        await room.store_profile("ann", {"metadata": {}}, company_id="acme")
        await room.store_profile("acme", {"metadata": {"name": "Acme"}}, kind="company")
        assert (await room.extensions.sync(room.app, "webhook")).delivered == 2
        assert process.stdout is not None
        heard = {process.stdout.readline().strip() for _ in range(2)}
        assert heard == {"user.changed ann", "company.changed acme"}
        with pytest.raises(InvalidInputError, match="401"):
            await room.extensions.connect(
                room.app, "webhook", {**values, "secret": "whsec_" + "QkJC" * 8}
            )
        unsigned = await room.egress.send("POST", url, body=b"{}", headers={}, timeout_s=5)
        assert unsigned.status == 401


def test_the_reference_names_every_field() -> None:
    """Of users and of companies."""
    rows = re.findall(
        r"^\| (`.*?`) \| (?:user|company|both) \|", REFERENCE.read_text("utf-8"), re.MULTILINE
    )
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert named == {*USER, *COMPANY}
