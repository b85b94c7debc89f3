"""The outline of a body says what it holds in few words."""

from headwater.web.docs import outline

SCHEMA = {
    "components": {
        "schemas": {
            "Thing": {
                "type": "object",
                "required": ["id", "next"],
                "properties": {
                    "id": {"type": "string"},
                    "next": {"anyOf": [{"type": "string"}, {"type": "null"}]},
                    "kind": {"enum": ["a", "b"]},
                    "size": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
                },
            }
        }
    }
}
THING = {"$ref": "#/components/schemas/Thing"}
OUTLINE = (
    '{\n  "id": string,\n  "next": string | null,\n  "kind"?: "a" | "b",\n  "size"?: integer\n}'
)


def test_an_object_shows_its_fields_and_what_may_be_left_out() -> None:
    """Null is said only where the field must be there."""
    assert outline(SCHEMA, THING) == OUTLINE


def test_a_list_of_what_came_before_is_said_in_words() -> None:
    """Doors take one item or several; the item is shown once."""
    both = {"oneOf": [THING, {"type": "array", "items": THING}]}
    assert outline(SCHEMA, both) == f"{OUTLINE} | a list of these"
    assert outline(SCHEMA, {"type": "array", "items": THING}) == f"[{OUTLINE}]"
