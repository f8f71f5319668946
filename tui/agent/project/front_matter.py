"""The head of a Markdown file: YAML between two lines of `---`, read leniently, since people write it by hand."""

from __future__ import annotations

import re
from typing import NamedTuple

_FENCE = re.compile(r"---[ \t]*\n(.*?)^(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE)
_LINE = re.compile(r"([A-Za-z][\w-]*)[ \t]*:(?:[ \t]+(.*))?")
_LIMIT_CHARACTERS = 16_000


class Document(NamedTuple):
    """A file with its head taken off."""

    fields: dict[str, str]
    """The plain values of the head; lists and tables in it are left out."""
    body: str


def read_document(text: str) -> Document:
    """The head and the body of a Markdown file. Raises nothing: what cannot be read as YAML is read line by line."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    found = _FENCE.match(text)
    if not found or len(found[1]) > _LIMIT_CHARACTERS:
        return Document({}, text)
    fields = _as_yaml(found[1])
    return Document(_as_lines(found[1]) if fields is None else fields, text[found.end() :])


def head_problem(text: str) -> str:
    """What in the head of a file can be read neither as YAML nor line by line, in words; mostly nothing."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    if (found := _FENCE.match(text)) is None:
        is_open = text.partition("\n")[0].rstrip() == "---"
        return "its head, which begins with `---`, does not end with another line `---`" if is_open else ""
    if len(found[1]) > _LIMIT_CHARACTERS:
        return f"its head is longer than {_LIMIT_CHARACTERS:,} characters"
    if _as_yaml(found[1]) is not None:
        return ""
    lines = (line for line in found[1].split("\n") if line.strip() and line[0] not in " \t#")
    stray = next((line for line in lines if not _LINE.fullmatch(line.rstrip())), None)
    return "" if stray is None else f"its head cannot be read as YAML: {stray[:60]!r} is no `key: value`"


def _as_yaml(head: str) -> dict[str, str] | None:
    """None for what is no YAML table: an unquoted colon in a description is the usual reason."""
    import yaml

    try:  # this loader makes texts, lists and tables only: `version: 1.10` is no number
        table = yaml.load(head, Loader=yaml.BaseLoader)  # noqa: S506
    except (yaml.YAMLError, RecursionError, ValueError):
        return None
    if not isinstance(table, dict):
        return None
    return {name: value.strip() for name, value in table.items() if isinstance(name, str) and isinstance(value, str)}


def _as_lines(head: str) -> dict[str, str]:
    fields: dict[str, str] = {}
    last = ""
    for line in head.split("\n"):
        if match := _LINE.fullmatch(line.rstrip()):
            last = match[1]
            fields[last] = _unquoted((match[2] or "").strip())
        elif last and line[:1] in (" ", "\t") and line.strip():
            fields[last] = f"{fields[last]} {line.strip()}".strip()
    return {
        name: "" if value in (">", "|", ">-", "|-") else re.sub(r"^[>|]-? ", "", value)
        for name, value in fields.items()
    }


def _unquoted(value: str) -> str:
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'" else value
