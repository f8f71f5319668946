"""Names and schemas, whatever a server makes of them."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui.backends.spec import ToolSpec
from tui.core.errors import UsageError
from tui.settings.schema import server_name
from tui.tools.mcp.mentions import Mention
from tui.tools.mcp.names import tool_name
from tui.tools.mcp.offer import PromptInfo
from tui.tools.mcp.schemas import description_of, parameters_of
from tui.tools.mcp.servers import prompt_arguments
from tui.tools.registry import validate

_WORDS = ["type", "properties", "items", "$ref", "#", "#/properties/a", "enum", "anyOf", "required", "object", "array"]
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(_WORDS) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(_WORDS) | st.text(max_size=5), inner),
    max_leaves=30,
)


@settings(deadline=None)  # the first check imports what it is made with
@given(_json, st.dictionaries(st.text(max_size=5), _json, max_size=3))
def test_any_schema_becomes_one_that_arguments_can_be_checked_with(schema: Any, arguments: dict[str, Any]) -> None:
    made = parameters_of(schema)
    assert made["type"] == "object" and "$ref" not in json.dumps(_keys(made))
    validate(ToolSpec("tool", "", made), arguments)


def _keys(schema: Any) -> Any:
    """A schema without its values, which may be called anything."""
    if isinstance(schema, dict):
        kept = {key: part for key, part in schema.items() if key not in ("enum", "const", "default", "required")}
        properties = kept.pop("properties", {})
        return [list(kept), [_keys(part) for part in properties.values()], [_keys(part) for part in kept.values()]]
    return [_keys(part) for part in schema] if isinstance(schema, list) else None


def test_a_schema_of_a_well_behaved_server_keeps_what_it_says() -> None:
    schema = {
        "type": "object",
        "properties": {
            "place": {"$ref": "#/$defs/Place"},
            "count": {"type": "integer", "minimum": 1, "description": "how many"},
        },
        "required": ["place"],
        "$defs": {"Place": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}},
    }
    made = parameters_of(schema)
    place = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    assert made["properties"]["place"] == place and made["required"] == ["place"]
    assert made["properties"]["count"] == {"type": "integer", "description": "how many", "minimum": 1}
    assert validate(ToolSpec("tool", "", made), {"place": {}}) is not None


@given(st.text(max_size=200), st.text(max_size=200))
def test_names_fit_every_vendor_and_two_tools_have_two(one: str, other: str) -> None:
    names = [tool_name("lab", tool) for tool in (one, other)]
    assert all(re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", name) for name in names)
    assert (names[0] == names[1]) == (one.encode("utf-8", "replace") == other.encode("utf-8", "replace"))


def test_names_of_servers_leave_no_doubt_whose_a_tool_is() -> None:
    assert server_name("my-lab_2") is None
    assert all(server_name(name) for name in ("a__b", "_a", "a_", "", "ä", "a/b", "x" * 33))


def test_a_description_is_cut_and_shows_its_controls() -> None:
    assert description_of("\x1b[2Jhello") == "␛[2Jhello"
    assert len(description_of("x" * 100_000)) == 2000
    assert description_of(None) == ""


def test_mentions_are_found_only_of_servers_that_there_are() -> None:
    words = "see @notes:file:///a and @notes:file:///a, mail me@notes:x or @other:y"
    assert Mention.all_in(words, {"notes"}) == [("notes", "file:///a"), ("notes", "file:///a,")]


def test_arguments_of_prompts_come_by_name_and_by_order() -> None:
    info = PromptInfo("review", "", ("topic", "style"), ("topic",))
    assert prompt_arguments(info, "style=long 'the plan'") == {"style": "long", "topic": "the plan"}
    assert prompt_arguments(info, "plan very long") == {"topic": "plan", "style": "very long"}
    for words, wrong in (("", "needs topic"), ("'open", "cannot be read"), ("topic=a style=b c", "no such argument")):
        with pytest.raises(UsageError, match=wrong):
            prompt_arguments(info, words)
