"""The numbered files are complete and readable."""

from headwater.eventstore.migrate import read_steps, split_statements


def test_statements_are_split_without_comments() -> None:
    """Comment lines go, a semicolon inside a line stays."""
    text = "-- why; because\nSELECT 1,\n    ';'\n;\n\nSELECT 2;\n-- end\n"
    assert split_statements(text) == ("SELECT 1,\n    ';'", "SELECT 2")


def test_versions_are_numbered_without_a_gap() -> None:
    """1, 2, 3, …: a missing file would be a missing migration."""
    versions = [step.version for step in read_steps()]
    assert versions == list(range(1, len(versions) + 1))
