"""The schema of any tool is brought to what the asked server takes."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tui.backends.wires.tool_schema import parameters_for


def subset(**properties: Any) -> Any:
    return parameters_for({"type": "object", "properties": properties}, "subset")["properties"]


def test_a_plain_schema_stays_as_it_is() -> None:
    schema = {
        "type": "object",
        "properties": {
            "path": {"type": "string", "description": "A file."},
            "lines": {"type": "integer", "minimum": 1},
        },
        "required": ["path"],
    }
    assert parameters_for(schema, "full") is schema
    assert parameters_for(schema, "subset") == schema


def test_a_root_with_alternatives_becomes_an_object_with_the_properties_of_all() -> None:
    schema = {"anyOf": [{"properties": {"a": {"type": "string"}}}, {"properties": {"b": {"type": "string"}}}]}
    root = parameters_for(schema, "full")
    assert root == {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}}


def test_the_subset_has_strings_in_enums_items_in_arrays_and_no_type_beside_any_of() -> None:
    assert subset(n={"type": "integer", "enum": [1, 2, None]}) == {"n": {"type": "string", "enum": ["1", "2"]}}
    assert subset(n={"type": "array"}) == {"n": {"type": "array", "items": {"type": "string"}}}
    both = {"type": "string", "anyOf": [{"type": "string"}, {"type": "integer"}], "description": "d"}
    assert subset(n=both) == {"n": {"description": "d", "anyOf": [{"type": "string"}, {"type": "integer"}]}}
    assert subset(n={"anyOf": [{"type": "string"}, {"type": "null"}]}) == {"n": {"type": "string"}}
    assert subset(n={"type": ["integer", "null"]}) == {"n": {"type": "integer"}}
    assert subset(n={"const": "x"}) == {"n": {"type": "string", "enum": ["x"]}}


def test_the_subset_requires_known_properties_only_and_has_no_unknown_keywords() -> None:
    schema = {"$schema": "x", "type": "object", "additionalProperties": False, "properties": {}, "required": ["a"]}
    assert parameters_for(schema, "subset") == {"type": "object", "properties": {}}


def test_the_subset_has_no_references_even_to_itself() -> None:
    schema = {
        "type": "object",
        "properties": {"tree": {"$ref": "#/$defs/Node"}, "n": {"allOf": [{"type": "integer"}, {"description": "d"}]}},
        "$defs": {"Node": {"type": "object", "properties": {"next": {"$ref": "#/$defs/Node"}}}},
    }
    found = parameters_for(schema, "subset")
    assert "$ref" not in str(found) and "$defs" not in found
    assert found["properties"]["tree"]["properties"]["next"]["type"] == "object"
    assert found["properties"]["n"] == {"type": "integer", "description": "d"}


KEYS = st.sampled_from(["type", "enum", "anyOf", "oneOf", "allOf", "items", "properties", "required", "$ref", "const"])
SCHEMAS = st.recursive(
    st.none() | st.booleans() | st.sampled_from(["string", "object", "array", "null", "#/$defs/a"]) | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=12,
)


def checked(schema: Any) -> None:
    assert "$ref" not in schema and ("type" in schema) != ("anyOf" in schema)
    assert all(isinstance(value, str) for value in schema.get("enum", []))
    assert schema.get("type") != "array" or "items" in schema
    assert set(schema.get("required", [])) <= schema.get("properties", {}).keys()
    inner = [*schema.get("properties", {}).values(), *schema.get("anyOf", [])]
    for part in [*inner, *([schema["items"]] if "items" in schema else [])]:
        checked(part)


@given(st.dictionaries(KEYS | st.just("$defs"), SCHEMAS, max_size=4))
@settings(deadline=None, max_examples=200)
def test_whatever_a_tool_says_its_schema_is_becomes_one_that_all_take(schema: dict[str, Any]) -> None:
    found = parameters_for(schema, "subset")
    assert found["type"] == "object"
    checked(found)
    assert parameters_for(schema, "full")["type"] == "object"
