"""Calls between tags or special tokens, as chat templates of many models have them; a parser for each form.

Forms from the models' own templates and vLLM's tool parsers: Hermes and Qwen, Qwen-Agent, Qwen3-Coder and MiMo,
Llama, Mistral, Granite, Kimi K2, DeepSeek V3 to V3.2 (DSML), GLM 4.5, MiniMax M2, Claude's old form, gpt-oss
(harmony); and Cline's, whose tags are the names of tools and parameters themselves.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from tui.agent.strategies.loose_json import NotJson, exact, mended
from tui.agent.strategies.shapes import Written, calls_in, python_calls
from tui.core.messages import Json

_WORDS = r"tool_calls?|function_calls?|functions?|tools?"
OPEN = re.compile(
    rf"<(?:\w+:)?(?:{_WORDS})>|<[|｜](?:{_WORDS})[|｜]?>|<[|｜]python_tag[|｜]>|\[TOOL_CALLS\]"
    r"|<\|tool_calls_section_begin\|>|<[|｜]tool[_▁]calls[_▁]begin[|｜]>|<[|｜]DSML[|｜](?:\w+)>"
)
_CLOSE = re.compile(
    rf"</(?:\w+:)?(?:{_WORDS})>|<[|｜]/(?:{_WORDS})[|｜]?>|\[/TOOL_CALLS\]"
    r"|<\|tool_calls_section_end\|>|<[|｜]tool[_▁]calls[_▁]end[|｜]>|</[|｜]DSML[|｜](?:\w+)>"
)
START = re.compile(
    rf"{OPEN.pattern}|<function=|<(?:[|｜]DSML[|｜])?invoke[ >]|<\|tool_call_begin\|>"
    r"|<[|｜]tool[_▁]call[_▁]begin[|｜]>|<\|channel\|>(?:commentary|analysis) to="
    r"|<[a-z]+(?:_[a-z]+)+>(?=\s*</?[a-z_]+>)|✿FUNCTION✿"
)
"""Where such a call may begin."""
_NAME = r"[\w.:/-]{1,100}"
_BETWEEN = re.compile(r"[\s,;]*")


class Parsed(NamedTuple):
    calls: list[Written]
    end: int


def parse(text: str, at: int) -> Parsed | None:
    """The calls that begin at `at` and follow each other there, and where the last of them ends."""
    calls: list[Written] = []
    is_open, end = False, at
    while True:
        at = _skip(text, at)
        if opening := OPEN.match(text, at):
            is_open, at = True, opening.end()
        elif closing := _CLOSE.match(text, at):
            at = end = closing.end()
        elif found := _next(text, at, is_open):
            calls += found.calls
            at = end = found.end
        else:
            return Parsed(calls, end) if calls else None


def _skip(text: str, at: int) -> int:
    match = _BETWEEN.match(text, at)
    return match.end() if match else at


def _next(text: str, at: int, is_open: bool) -> Parsed | None:
    for form in _FORMS if not is_open else (*_FORMS, *_OPEN_FORMS):
        if found := form(text, at):
            return found
    return None


def _json_until(text: str, at: int, close: str) -> tuple[str, int] | None:
    """The JSON that begins at `at`, as text, and the end of what closes it; that may be missing at the text's end."""
    at = _skip(text, at)
    if text[at : at + 1] not in ("{", "["):
        return None
    try:
        _, end = exact(text, at)
    except NotJson:
        closing = re.compile(close).search(text, at)
        end = closing.start() if closing else len(text)
    closing = re.compile(rf"\s*(?:{close})").match(text, end)
    return text[at:end], closing.end() if closing else end


def _parameters(text: str, at: int, one: re.Pattern[str]) -> tuple[Json, int]:
    """Arguments of which each is between tags of its own. `one` has groups `name`, `value` and perhaps `json`."""
    arguments: Json = {}
    while match := one.match(text, _skip(text, at)):
        value = match["value"].removeprefix("\n").removesuffix("\n")
        arguments[match["name"].strip()] = (
            _value(value) if "is_json" in match.re.groupindex and match["is_json"] else value
        )
        at = match.end()
    return arguments, at


def _value(text: str) -> object:
    try:
        return mended(text) if text.strip()[:1] in ("{", "[") else exact(text.strip())[0]
    except NotJson:
        return text


_FUNCTION = re.compile(rf"<function=\s*[\"']?({_NAME})[\"']?\s*>")
_FUNCTION_VALUE = re.compile(r"<parameter=(?P<name>[^>\n]{1,100})>(?P<value>.*?)</parameter>", re.DOTALL)


def _function(text: str, at: int) -> Parsed | None:
    """`<function=read_file>{"path": "a"}</function>`, and with `<parameter=path>a</parameter>` in it."""
    if not (head := _FUNCTION.match(text, at)):
        return None
    if found := _json_until(text, head.end(), "</function>"):
        return Parsed([Written(head[1], found[0])], found[1])
    arguments, at = _parameters(text, head.end(), _FUNCTION_VALUE)
    return _closed(text, at, r"</function>", Written(head[1], arguments))


_INVOKE = re.compile(rf"<(?:[|｜]DSML[|｜])?invoke\s+name=[\"']({_NAME})[\"']\s*>")
_INVOKE_VALUE = re.compile(
    r"<(?:[|｜]DSML[|｜])?parameter\s+name=[\"'](?P<name>[^\"'>\n]{1,100})[\"']"
    r"(?:\s+string=[\"'](?:true|(?P<is_json>false))[\"'])?\s*>"
    r"(?P<value>.*?)</(?:[|｜]DSML[|｜])?parameter>",
    re.DOTALL,
)


def _invoke(text: str, at: int) -> Parsed | None:
    """`<invoke name="read_file"><parameter name="path">a</parameter></invoke>`, DeepSeek's DSML the same."""
    if not (head := _INVOKE.match(text, at)):
        return None
    if found := _json_until(text, head.end(), r"</(?:[|｜]DSML[|｜])?invoke>"):
        return Parsed([Written(head[1], found[0])], found[1])
    arguments, at = _parameters(text, head.end(), _INVOKE_VALUE)
    return _closed(text, at, r"</(?:[|｜]DSML[|｜])?invoke>", Written(head[1], arguments))


_OLD_INVOKE = re.compile(rf"<invoke>\s*<tool_name>\s*({_NAME})\s*</tool_name>\s*(?:<parameters>|(?=</invoke>))")
_OLD_VALUE = re.compile(r"<(?P<name>\w{1,100})>(?P<value>.*?)</(?P=name)>", re.DOTALL)


def _old_invoke(text: str, at: int) -> Parsed | None:
    """`<invoke><tool_name>read_file</tool_name><parameters><path>a</path></parameters></invoke>`."""
    if not (head := _OLD_INVOKE.match(text, at)):
        return None
    arguments, at = _parameters(text, head.end(), _OLD_VALUE)
    return _closed(text, at, r"(?:</parameters>\s*)?</invoke>", Written(head[1], arguments))


def _closed(text: str, at: int, close: str, call: Written) -> Parsed | None:
    """The call, if it is closed, or the text ends where that was due."""
    at = _skip(text, at)
    closing = re.compile(close).match(text, at)
    if closing is None and at < len(text) and not _CLOSE.match(text, at):
        return None
    return Parsed([call], closing.end() if closing else at)


_NAMED = re.compile(r"<([a-z]+(?:_[a-z]+)+)>(?=\s*</?[a-z_]+>)")


def _named(text: str, at: int) -> Parsed | None:
    """`<read_file><path>a</path></read_file>`."""
    if not (head := _NAMED.match(text, at)):
        return None
    arguments, at = _parameters(text, head.end(), _OLD_VALUE)
    return _closed(text, at, f"</{head[1]}>", Written(head[1], arguments))


_KIMI = re.compile(rf"<\|tool_call_begin\|>\s*({_NAME})\s*<\|tool_call_argument_begin\|>")


def _kimi(text: str, at: int) -> Parsed | None:
    """`<|tool_call_begin|>functions.read_file:0<|tool_call_argument_begin|>{...}<|tool_call_end|>`."""
    return _with_json(text, _KIMI.match(text, at), r"<\|tool_call_end\|>")


_DEEPSEEK = re.compile(
    rf"<[|｜]tool[_▁]call[_▁]begin[|｜]>(?:function<[|｜]tool[_▁]sep[|｜]>)?({_NAME})"
    r"(?:<[|｜]tool[_▁]sep[|｜]>)?\s*(?:```json\s*)?(?=[{\[])"
)


def _deepseek(text: str, at: int) -> Parsed | None:
    """`<｜tool▁call▁begin｜>read_file<｜tool▁sep｜>{...}<｜tool▁call▁end｜>`, before V3.1 with a fence."""
    return _with_json(text, _DEEPSEEK.match(text, at), r"(?:```\s*)?<[|｜]tool[_▁]call[_▁]end[|｜]>|```")


_HARMONY = re.compile(
    rf"<\|channel\|>(?:commentary|analysis) to=({_NAME})\s*(?:<\|constrain\|>)?\s*(?:json|code)?\s*<\|message\|>"
)


def _harmony(text: str, at: int) -> Parsed | None:
    """`<|channel|>commentary to=functions.read_file <|constrain|>json<|message|>{...}<|call|>`."""
    return _with_json(text, _HARMONY.match(text, at), r"<\|call\|>|<\|end\|>")


_QWEN = re.compile(rf"✿FUNCTION✿\s*:\s*({_NAME})\s*✿ARGS✿\s*:\s*(?=[{{\[])")


def _qwen(text: str, at: int) -> Parsed | None:
    """`✿FUNCTION✿: read_file ✿ARGS✿: {...} ✿RESULT✿`; the mark for the result may be missing."""
    return _with_json(text, _QWEN.match(text, at), r"(?:✿RESULT✿\s*:?\s*)+|(?=✿FUNCTION✿)")


def _with_json(text: str, head: re.Match[str] | None, close: str) -> Parsed | None:
    if head is None or not (found := _json_until(text, head.end(), close)):
        return None
    return Parsed([Written(head[1], found[0])], found[1])


def _json(text: str, at: int) -> Parsed | None:
    """A call, or a list of calls, as JSON between tags."""
    if not (found := _json_until(text, at, _CLOSE.pattern)):
        return None
    try:
        calls = calls_in(mended(found[0]))
    except NotJson:
        return None
    return Parsed(calls, found[1]) if calls else None


_GLM = re.compile(rf"({_NAME})\s*(?=<arg_key>|</tool_call>)")
_GLM_VALUE = re.compile(
    r"<arg_key>(?P<name>[^<\n]{1,100})</arg_key>\s*<arg_value>(?P<value>.*?)</arg_value>", re.DOTALL
)


def _glm(text: str, at: int) -> Parsed | None:
    """`<tool_call>read_file <arg_key>path</arg_key><arg_value>a</arg_value></tool_call>`."""
    if not (head := _GLM.match(text, at)):
        return None
    arguments, at = _parameters(text, head.end(), _GLM_VALUE)
    return _closed(text, at, r"</tool_call>", Written(head[1], arguments))


_MISTRAL = re.compile(rf"({_NAME})\s*(?:\[CALL_ID\]\w{{1,40}}\s*)?(?:\[ARGS\]|<\|?tool_args\|?>)?\s*(?=\{{)")


def _mistral(text: str, at: int) -> Parsed | None:
    """`[TOOL_CALLS]read_file[ARGS]{"path": "a"}`."""
    return _with_json(text, _MISTRAL.match(text, at), r"\[TOOL_CALLS\]")


def _python(text: str, at: int) -> Parsed | None:
    """`<|python_tag|>read_file.call(path="a")`, up to the closing tag or the end."""
    closing = _CLOSE.search(text, at)
    end = closing.start() if closing else len(text)
    calls = python_calls(re.sub(r"<\|\w+\|>\s*$", "", text[at:end]))
    return Parsed(calls, end) if calls else None


_FORMS: tuple[Callable[[str, int], Parsed | None], ...] = (
    _function,
    _invoke,
    _old_invoke,
    _kimi,
    _deepseek,
    _harmony,
    _qwen,
    _named,
)
_OPEN_FORMS: tuple[Callable[[str, int], Parsed | None], ...] = (_json, _glm, _mistral, _python)
"""Those that are a call only behind a tag that opens one."""
