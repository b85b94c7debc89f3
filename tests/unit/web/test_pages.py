"""Where a page may send people, and how lists are cut."""

import pytest

from headwater.base.errors import InvalidInputError
from headwater.web.api.paging import page_of
from headwater.web.docs import outline
from headwater.web.pages import safe_next


@pytest.mark.parametrize(
    "path",
    [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "/a\\b",
        "\t//x",
        "/a\nb",
        "",
        "x",
    ],
)
def test_nobody_is_sent_to_another_site(path: str) -> None:
    """Only plain paths of this server are followed after a login."""
    assert safe_next(path) == "/"


@pytest.mark.parametrize("path", ["/", "/?app=app_1", "/api/docs", "/a//b?x=https://y"])
def test_a_path_of_our_own_is_followed(path: str) -> None:
    """The page that was wanted is shown after the login."""
    assert safe_next(path) == path


def test_following_the_cursors_visits_each_item_once() -> None:
    """Pages put together are the list, and the last one has no cursor."""
    names, cursor, seen = [f"n{n}" for n in range(7)], "", []
    while True:
        page = page_of(names, str, 3, cursor)
        seen.extend(page.items)
        if page.next_cursor is None:
            break
        cursor = page.next_cursor
    assert seen == names


@pytest.mark.parametrize(("limit", "cursor"), [(0, ""), (1001, ""), (10, "stranger")])
def test_a_wrong_limit_or_cursor_is_refused(limit: int, cursor: str) -> None:
    """A cursor of another list is an error, not an empty page."""
    with pytest.raises(InvalidInputError):
        page_of(["a"], str, limit, cursor)


def test_a_body_is_outlined_with_its_optional_fields_marked() -> None:
    """References are followed, lists and alternatives are named."""
    schema = {
        "components": {
            "schemas": {
                "App": {
                    "type": "object",
                    "required": ["name"],
                    "properties": {
                        "name": {"type": "string"},
                        "made": {"type": "string", "format": "date-time"},
                        "tags": {
                            "type": "array",
                            "items": {"oneOf": [{"type": "string"}, {"type": "null"}]},
                        },
                    },
                }
            }
        }
    }
    assert outline(schema, {"$ref": "#/components/schemas/App"}) == (
        '{\n  "name": string,\n  "made"?: date-time,\n  "tags"?: [string | null]\n}'
    )


def test_a_schema_that_holds_itself_ends() -> None:
    """A tree of filters can be outlined."""
    tree = {
        "components": {
            "schemas": {
                "T": {"type": "object", "properties": {"all": {"$ref": "#/components/schemas/T"}}}
            }
        }
    }
    assert "…" in outline(tree, {"$ref": "#/components/schemas/T"})
