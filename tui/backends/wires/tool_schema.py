"""The JSON schemas of tools, as the asked server takes them."""

from __future__ import annotations

import json
from typing import Any, Literal

from tui.core.messages import Json

_KEPT = frozenset(
    {
        "type",
        "description",
        "properties",
        "required",
        "items",
        "enum",
        "anyOf",
        "minimum",
        "maximum",
        "minItems",
        "maxItems",
    }
)
"""Keywords that all servers take; Gemini refuses a schema with one that it does not know."""
_DEPTH = 12
"""A schema that refers to itself ends here."""


def parameters_for(schema: Json, form: Literal["full", "subset"]) -> Json:
    """A tool's `parameters`: as they are, but a plain object at the root, or brought to what all servers take.

    The subset (Gemini, Kimi): `enum` of strings, `items` for each array, `required` of known properties only, no `type`
    beside `anyOf`, no references, and no keyword that is not known everywhere.
    """
    if form == "full":
        return schema if _is_plain_root(schema) else _plain_root(schema)
    definitions = {**_object(schema.get("definitions")), **_object(schema.get("$defs"))}
    return _plain_root(_subset(_plain_root(schema), definitions, 0))


def _is_plain_root(schema: Json) -> bool:
    return schema.get("type") == "object" and not {"anyOf", "oneOf", "allOf"} & schema.keys()


def _plain_root(schema: Json) -> Json:
    """An object at the root without alternatives (OpenAI, Claude and Bedrock refuse them): the properties of all."""
    root = {key: value for key, value in schema.items() if key not in ("anyOf", "oneOf", "allOf", "type")}
    properties = dict(_object(root.get("properties")))
    required = [name for name in _list(root.get("required")) if isinstance(name, str)]
    for key in ("allOf", "anyOf", "oneOf"):
        for part in map(_object, _list(schema.get(key))):
            properties = _object(part.get("properties")) | properties
            if key == "allOf":  # all of them hold; of alternatives it is not known which one does
                required += [name for name in _list(part.get("required")) if name not in required]
    root = {"type": "object"} | root | {"properties": properties}
    if required:
        root["required"] = required
    return root


def _subset(schema: Any, definitions: Json, depth: int) -> Json:
    if not isinstance(schema, dict) or depth > _DEPTH:
        return {"type": "string"}
    schema = _resolved(schema, definitions)
    if "const" in schema:
        schema = schema | {"enum": [schema["const"]]}
    alternatives = _list(schema.get("anyOf")) or _list(schema.get("oneOf"))
    kinds = [kind for kind in _list(schema.get("type")) if kind != "null"]
    if len(kinds) > 1:
        alternatives = [
            {key: value for key, value in schema.items() if key != "description"} | {"type": kind} for kind in kinds
        ]
    elif kinds:
        schema = schema | {"type": kinds[0]}
    alternatives = [part for part in alternatives if _object(part).get("type") != "null"]
    if len(alternatives) == 1:
        schema = {key: value for key, value in schema.items() if key not in ("anyOf", "oneOf")} | _object(
            alternatives[0]
        )
        return _subset(schema, definitions, depth + 1)
    words = {"description": schema["description"]} if isinstance(schema.get("description"), str) else {}
    if alternatives:
        return words | {"anyOf": [_subset(part, definitions, depth + 1) for part in alternatives]}
    return words | _simple(schema, definitions, depth)


def _simple(schema: Json, definitions: Json, depth: int) -> Json:
    """A schema of one type, without alternatives."""
    kind = schema.get("type")
    if not isinstance(kind, str) or kind == "null":
        kind = "object" if "properties" in schema else "array" if "items" in schema else "string"
    result = {key: value for key, value in schema.items() if key in _KEPT and key not in ("anyOf", "description")}
    result["type"] = kind
    if isinstance(values := result.pop("enum", None), list):
        words = [value if isinstance(value, str) else json.dumps(value) for value in values if value is not None]
        result |= {"type": "string", "enum": [word for word in words if word] or words} if words else {}
    if result["type"] == "array":
        result["items"] = _subset(schema.get("items", {"type": "string"}), definitions, depth + 1)
    if result["type"] != "array":
        result = {key: value for key, value in result.items() if key not in ("items", "minItems", "maxItems")}
    if result["type"] != "object":
        return {key: value for key, value in result.items() if key not in ("properties", "required")}
    properties = _object(schema.get("properties"))
    result["properties"] = {name: _subset(part, definitions, depth + 1) for name, part in properties.items()}
    required = [name for name in _list(result.pop("required", None)) if isinstance(name, str) and name in properties]
    return result | ({"required": required} if required else {})


def _resolved(schema: Json, definitions: Json) -> Json:
    """The schema with what it refers to, and what all of its parts say, in place."""
    for _ in range(_DEPTH):
        if isinstance(target := schema.get("$ref"), str):
            found = _object(definitions.get(target.rpartition("/")[2]))
            schema = found | {key: value for key, value in schema.items() if key != "$ref"}
        elif parts := _list(schema.get("allOf")):
            schema = _together([{key: value for key, value in schema.items() if key != "allOf"}, *map(_object, parts)])
        else:
            break
    return schema


def _together(parts: list[Json]) -> Json:
    whole: Json = {}
    for part in parts:
        properties = _object(whole.get("properties")) | _object(part.get("properties"))
        required = [*_list(whole.get("required")), *_list(part.get("required"))]
        whole = part | whole
        whole |= {"properties": properties} if properties else {}
        whole |= {"required": required} if required else {}
    return whole


def _object(value: Any) -> Json:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
