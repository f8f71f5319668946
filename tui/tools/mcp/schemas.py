"""The schema of a server's tool, made harmless: bounded, without references, and always that of an object.

A server writes it, and this program checks arguments by it. So references are put in place of themselves (one to
another host would be fetched, one to itself never ends), patterns are left out (some take forever), and what is no
schema at all becomes one that allows everything.
"""

from __future__ import annotations

import json
from typing import Any

from tui.core.messages import Json
from tui.core.text import clean

DESCRIPTION_CHARACTERS = 2000
_NOTE_CHARACTERS = 300
_SCHEMA_CHARACTERS = 16_000
_DEEPEST = 8
_MOST_PARTS = 600

_NUMBERS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")
_COUNTS = ("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties")
_TYPES = ("string", "number", "integer", "boolean", "object", "array", "null")


def anything() -> Json:
    """Any object: what is put in place of a schema that cannot be used."""
    return {"type": "object", "properties": {}}


def description_of(text: Any) -> str:
    """For the model: its controls made visible, not longer than is useful."""
    return _cut(text, DESCRIPTION_CHARACTERS)


def parameters_of(schema: Any) -> Json:
    """A JSON schema that can be sent to every vendor and checked with in a moment. Raises nothing. Blocking, short."""
    if not isinstance(schema, dict):
        return anything()
    for notes in (_NOTE_CHARACTERS, 0):
        made = _Cleaner(schema, notes).root()
        if len(json.dumps(made)) <= _SCHEMA_CHARACTERS and _is_schema(made):
            return made
    return anything()


def _is_schema(schema: Json) -> bool:
    from jsonschema import Draft202012Validator, SchemaError

    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError:
        return False
    return True


def _cut(text: Any, limit: int) -> str:
    if not isinstance(text, str):
        return ""
    cut = clean(text[: 2 * limit]).strip()
    return cut if len(cut) <= limit else cut[: limit - 1] + "…"


class _Cleaner:
    """Copies a schema keyword by keyword; what is not known is left out."""

    def __init__(self, schema: Json, note_characters: int) -> None:
        self._whole, self._note_characters = schema, note_characters
        self._parts = 0

    def root(self) -> Json:
        made = self._schema(self._whole, 0)
        kept = {key: made[key] for key in ("required", "additionalProperties") if key in made}
        properties = made.get("properties", {})
        if "required" in kept:
            kept["required"] = [name for name in kept["required"] if name in properties]
        return {"type": "object", "properties": properties} | kept

    def _schema(self, schema: Any, depth: int) -> Json:
        """Of what is nested too deep, or too much of it, nothing is asked."""
        self._parts += 1
        if not isinstance(schema, dict) or depth > _DEEPEST or self._parts > _MOST_PARTS:
            return {}
        if isinstance(target := schema.get("$ref"), str):
            return self._schema(self._found(target) | {k: v for k, v in schema.items() if k != "$ref"}, depth + 1)
        made: Json = {}
        kind = schema.get("type")
        kinds = [item for item in (kind if isinstance(kind, list) else [kind]) if item in _TYPES]
        if kinds:
            made["type"] = kinds[0] if len(kinds) == 1 else list(dict.fromkeys(kinds))
        if self._note_characters and (note := _cut(schema.get("description"), self._note_characters)):
            made["description"] = note
        made |= _plain(schema)
        made |= self._nested(schema, depth + 1)
        return made

    def _nested(self, schema: Json, depth: int) -> Json:
        made: Json = {}
        if isinstance(properties := schema.get("properties"), dict):
            made["properties"] = {
                name: self._schema(part, depth) for name, part in properties.items() if name == clean(name)
            }
        if isinstance(required := schema.get("required"), list):
            made["required"] = list(dict.fromkeys(name for name in required if isinstance(name, str)))
        for key in ("items", "additionalProperties"):
            if isinstance(part := schema.get(key), dict):
                made[key] = self._schema(part, depth)
        if schema.get("additionalProperties") is False:
            made["additionalProperties"] = False
        for key in ("anyOf", "oneOf", "allOf", "prefixItems"):
            if isinstance(parts := schema.get(key), list) and parts:
                made[key] = [self._schema(part, depth) for part in parts]
        return made

    def _found(self, target: str) -> Json:
        """What a reference within the schema points to; nothing for one that leads elsewhere."""
        at: Any = self._whole
        for name in target.removeprefix("#/").split("/") if target.startswith("#/") else ():
            at = at.get(name.replace("~1", "/").replace("~0", "~")) if isinstance(at, dict) else None
        return at if isinstance(at, dict) and at is not self._whole else {}


def _plain(schema: Json) -> Json:
    """The keywords whose values are no schemas, as far as they are well-formed."""
    made: Json = {}
    if isinstance(values := schema.get("enum"), list) and values:
        made["enum"] = values
    for key in ("const", "default"):
        if key in schema:
            made[key] = schema[key]
    for key in _NUMBERS:
        if isinstance(number := schema.get(key), int | float) and not isinstance(number, bool):
            made[key] = number
    for key in _COUNTS:
        if isinstance(count := schema.get(key), int) and not isinstance(count, bool):
            made[key] = count
    if schema.get("uniqueItems") is True:
        made["uniqueItems"] = True
    if isinstance(form := schema.get("format"), str):
        made["format"] = _cut(form, 40)
    return made
