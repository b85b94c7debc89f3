"""Keep the map true: README, folders, docstrings, settings and links are checked like code."""

import ast
import re
from pathlib import Path

import msgspec
import pytest

from headwater.base.settings import Settings

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "headwater"
MODULES = sorted(SOURCE.rglob("*.py"))
PAGES = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "benchmarks").glob("*.md")]
)
LONGEST_MODULE_LINES = 400
LONGEST_FUNCTION_LINES = 40


def _rooms() -> set[str]:
    return {path.parent.name for path in SOURCE.glob("*/__init__.py")}


def test_the_readme_maps_every_room_and_no_other() -> None:
    """The table of rooms in the README names exactly the folders."""
    rows = re.findall(r"^\| `(\w+)` \|", (ROOT / "README.md").read_text(), re.MULTILINE)

    assert _rooms() == set(rows)


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_every_module_says_what_it_does(module: Path) -> None:
    """A docstring opens each module; modules and functions stay small enough to hold in mind."""
    text = module.read_text("utf-8")
    tree = ast.parse(text)

    assert ast.get_docstring(tree)
    assert text.count("\n") <= LONGEST_MODULE_LINES
    if "migrations" not in module.parts:
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                assert lines <= LONGEST_FUNCTION_LINES, node.name


def test_every_setting_is_documented() -> None:
    """docs/reference/settings.md names each setting with its default."""
    page = (ROOT / "docs" / "reference" / "settings.md").read_text("utf-8")
    for room in msgspec.structs.fields(Settings):
        if room.name == "data":
            continue
        for field in msgspec.structs.fields(room.type):
            line = f"| `{room.name}.{field.name}` | `{field.default}` |"
            assert line in page, f"docs/reference/settings.md lacks: {line}"


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    """Every relative link and image of the documentation exists."""
    for target in re.findall(r"\]\((?!https?:|mailto:|#)([^)#\s]+)", page.read_text("utf-8")):
        assert (page.parent / target).exists(), target


def test_every_dependency_has_its_reason() -> None:
    """ADR 0002 gives a reason for each run-time dependency."""
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    page = (ROOT / "docs" / "adr" / "0002-dependencies.md").read_text("utf-8")
    for requirement in project["dependencies"]:
        name = re.split(r"[\[<>=; ]", requirement)[0]
        assert f"| {name} |" in page, f"{name} has no reason in ADR 0002"
