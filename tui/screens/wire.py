"""What went over the wire in a step: the exact request, the raw reply, and the request as a `curl` command."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from tui.core.events import Record, ReplyReceived, Retrying, StepStarted
from tui.core.messages import Json
from tui.settings.credentials import key_variable
from tui.widgets.line_view import Line, lines_of

MASK = "•••"
_KEY_HEADERS = ("authorization", "x-api-key", "api-key", "x-goog-api-key")
_LONGEST_ARGUMENT_BYTES = 100_000
"""Linux takes no argument of 128 kB or more: a longer body goes through a pipe."""


def wire(records: Sequence[Record], body: Json) -> list[Line]:
    """The request as it was sent last, and each reply as it came, with what was not kept or may be secret masked."""
    started = _started(records)
    if started is None:
        return [Line("Nothing was sent in this step.", "muted")]
    lines = [
        Line("request", "heading"),
        *lines_of(f"POST {started.url}"),
        *_headers(started.headers),
        Line(""),
        *lines_of(sent_text(body), "json"),
    ]
    replies = [record.event for record in records if isinstance(record.event, ReplyReceived | Retrying)]
    for reply in replies:
        if isinstance(reply, Retrying):
            lines += [Line(""), *lines_of(f"sent again after {reply.wait_s:.3g} s", "warning")]
            continue
        lines += [Line(""), Line("reply", "heading"), Line(f"HTTP {reply.status}"), *_headers(reply.headers)]
        lines += [Line(""), *lines_of(reply.body.replace("\r\n", "\n"), "json")]
    return lines if replies else [*lines, Line(""), Line("No reply was kept.", "muted")]


class Curl(NamedTuple):
    """A command, and the variables that have to be set before it is run; `key` is that of the key, if it is one."""

    command: str
    key: str = ""
    others: Sequence[str] = ()


def curl_of(records: Sequence[Record], body: Json, credential: object = None) -> Curl | None:
    """The step's request as a command; None when none was sent. `credential` is the backend's, as it is set now."""
    started = _started(records)
    if started is None:
        return None
    is_key = {name: value == MASK and name.lower() in _KEY_HEADERS for name, value in started.headers.items()}
    headers = {name: value for name, value in started.headers.items() if not (is_key[name] and credential == "none")}
    variable = credential.get("env") if isinstance(credential, Mapping) else None
    key_name = variable or key_variable(started.origin.backend)
    command = curl_command(started.url, headers, sent_text(body), key_name)
    return Curl(
        command,
        _variable(key_name) if variable is None and any(is_key[name] for name in headers) else "",
        [_variable(name) for name, value in headers.items() if value == MASK and not is_key[name]],
    )


def curl_command(url: str, headers: Mapping[str, str], body: str, key_name: str) -> str:
    """A command for `sh` that sends exactly `body`. What is masked becomes an environment variable: the key `key_name`,
    another header one of its own name."""
    is_long = len(body.encode()) > _LONGEST_ARGUMENT_BYTES
    words = [f"curl -N {shlex.quote(url)}"]
    words += [f"-H {_header(name, value, key_name)}" for name, value in headers.items()]
    words.append("--data-binary @-" if is_long else f"--data-binary {shlex.quote(body)}")
    command = " \\\n  ".join(words)
    return f"printf %s {shlex.quote(body)} | {command}" if is_long else command


def sent_text(body: Json) -> str:
    """The body's text, byte for byte."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace").decode()


def _header(name: str, value: str, key_name: str) -> str:
    if value != MASK:
        return shlex.quote(f"{name}: {value}")
    is_key = name.lower() in _KEY_HEADERS
    variable = _variable(key_name if is_key else name)
    scheme = "Bearer " if name.lower() == "authorization" else ""
    return f'{shlex.quote(f"{name}: {scheme}")}"${variable}"'


def _variable(name: str) -> str:
    """A name that `sh` takes for a variable."""
    if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        return name
    found = re.sub(r"[^A-Za-z0-9_]", "_", name).upper()
    return found if found[:1].isalpha() else f"_{found}"


def _headers(headers: Mapping[str, str]) -> list[Line]:
    return [line for name, value in headers.items() for line in lines_of(f"{name}: {value}", "muted")]


def _started(records: Sequence[Record]) -> StepStarted | None:
    return next((record.event for record in records if isinstance(record.event, StepStarted)), None)
