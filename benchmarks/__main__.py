"""Run every benchmark, or those named, and write one dated file of results.

In: names of benchmarks (`python -m benchmarks collect import`), none for all. Out: JSON on stdout
and in benchmarks/results/YYYY-MM-DD.json. Nothing here passes or fails: figures are for reading.
"""

import importlib
import json
import os
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path

HERE = Path(__file__).parent
NAMES = sorted(path.stem.removeprefix("bench_") for path in HERE.glob("bench_*.py"))


def main(wanted: list[str]) -> None:
    """Run the benchmarks and store what they say."""
    unknown = set(wanted) - set(NAMES)
    if unknown:
        sys.exit(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    now = datetime.now(UTC)
    path = HERE / "results" / f"{now:%Y-%m-%d}.json"
    results = json.loads(path.read_text()) if path.exists() else {}
    for name in wanted or NAMES:
        print(f"{name} …", file=sys.stderr)
        results[name] = importlib.import_module(f"benchmarks.bench_{name}").run()
    results["machine"] = {
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "system": platform.platform(terse=True),
        "at": now.isoformat(timespec="seconds"),
    }
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(results, indent=2, sort_keys=True) + "\n")
    print(json.dumps(results, indent=2, sort_keys=True))


main(sys.argv[1:])
