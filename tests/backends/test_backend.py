"""Asking a real server: what is sent, what comes back, what is tried again and what is not."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import aclosing
from typing import Any

import pytest

from tests.backends.asking import HELLO, Waits, ask, error_of, reply_of, spec_for
from tests.scripted import (
    FRAGMENTATIONS,
    Reply,
    ScriptedServer,
    chunk,
    comment,
    cut_off,
    fault,
    half_chunk,
    html,
    json_response,
    pause,
    raw,
    reasoning,
    reset,
    text,
    tool_call,
    usage,
)
from tui.backends import spec as values
from tui.backends.backend import Backend, joined
from tui.backends.spec import Request, Rules, Sent, ToolSpec
from tui.core.errors import BackendError, CredentialError, UsageError
from tui.core.events import ReasoningDelta, Retrying, TextDelta
from tui.core.messages import Message, Reasoning, Text, ToolResult, user
from tui.core.usage import Usage

Start = Callable[..., ScriptedServer]


async def test_an_answer_comes_as_what_was_sent_then_deltas_then_the_whole(scripted: Start) -> None:
    server = scripted([Reply(reasoning("hm"), text("Hello you"), usage=usage(7, 3, cached=5, reasoning=1))])
    sent, *deltas, reply = await ask(spec_for(server))
    headers = {"Content-Type": "application/json", "Accept": "text/event-stream"}
    assert sent == Sent(f"{server.base_url}/chat/completions", server.requests[0].body, headers)
    assert list(joined(deltas)) == [ReasoningDelta("hm"), TextDelta("Hello you")]
    assert reply.message.blocks == (Reasoning("hm"), Text("Hello you")) and reply.finish_reason == "stop"
    assert reply.usage == Usage(7, 3, cached_tokens=5, reasoning_tokens=1)


@pytest.mark.parametrize("way", FRAGMENTATIONS)
async def test_a_tool_call_is_whole_however_a_server_cuts_it(scripted: Start, way: str) -> None:
    server = scripted([Reply(tool_call("read_file", {"path": "a b"}, **FRAGMENTATIONS[way]), cut=7)])
    reply = await reply_of(spec_for(server))
    (call,) = reply.message.tool_calls
    assert (call.name, call.arguments, call.raw) == ("read_file", {"path": "a b"}, None)
    assert call.id and reply.finish_reason == "tool_calls"


@pytest.mark.parametrize("way", FRAGMENTATIONS)
async def test_two_calls_are_told_apart_wherever_they_can_be(scripted: Start, way: str) -> None:
    options = FRAGMENTATIONS[way]
    if options.get("index") == "none" and options.get("ids") == "none":
        pytest.skip("nothing tells them apart")
    calls = [tool_call("ls", {"path": path}, **options) for path in "ab"]
    reply = await reply_of(spec_for(scripted([Reply(*calls)])))
    assert [call.arguments for call in reply.message.tool_calls] == [{"path": "a"}, {"path": "b"}]
    assert len({call.id for call in reply.message.tool_calls}) == 2


async def test_a_conversation_with_tools_is_accepted_by_a_strict_server(scripted: Start) -> None:
    from tests.scripted import Demands

    server = scripted(
        [Reply(reasoning("need ls"), tool_call("ls", {"path": "."})), "a.py"],
        demands=Demands(reasoning=True, refuses_null_content=True),
    )
    spec = spec_for(server, rules=Rules(reasoning_required=True, empty_content=""))
    tools = (ToolSpec("ls", "Lists a folder.", {"type": "object", "properties": {"path": {"type": "string"}}}),)
    first = await reply_of(spec, Request("s", (user("list"),), tools))
    (call,) = first.message.tool_calls
    result = Message("tool", (ToolResult(call.id, "a.py"),))
    second = await reply_of(spec, Request("s", (user("list"), first.message, result), tools))
    assert second.message.text == "a.py"
    assert server.requests[1].messages[2]["reasoning_content"] == "need ls"


async def test_an_answer_in_one_piece_of_json_is_an_answer(scripted: Start) -> None:
    server = scripted([Reply(reasoning("hm"), "Hi", tool_call("ls"), stream=False)])
    reply = await reply_of(spec_for(server))
    assert reply.message.text == "Hi" and reply.message.tool_calls and reply.finish_reason == "tool_calls"


async def test_a_server_that_never_says_done_is_understood(scripted: Start) -> None:
    assert (await reply_of(spec_for(scripted([Reply("Hi", done=False)])))).message.text == "Hi"


async def test_line_ends_comments_and_cuts_make_no_difference(scripted: Start) -> None:
    server = scripted([Reply(comment(), "Grüße 🌍 zurück", comment("x"), cut=3, line_end="\r\n")])
    assert (await reply_of(spec_for(server))).message.text == "Grüße 🌍 zurück"


@pytest.mark.parametrize("broken", [cut_off(), half_chunk(), reset()])
async def test_what_came_before_a_break_is_kept_and_not_asked_for_again(scripted: Start, broken: Any) -> None:
    server = scripted([Reply("Half of", pause(), broken)])
    waits = Waits()

    async def release() -> None:
        await server.until(lambda: server.pauses == 1)
        server.release()

    came, _ = await asyncio.gather(ask(spec_for(server), waits=waits), release())
    assert list(joined(came[1:-1])) == [TextDelta("Half of")]
    assert came[-1].kind == "network" and came[-1].retryable
    assert not waits.seconds and len(server.requests) == 1


async def test_a_clean_end_in_mid_answer_is_a_break_too(scripted: Start) -> None:
    error = await error_of(spec_for(scripted([Reply("Half of", finish=None, done=False)])))
    assert error.kind == "network" and "before the answer was complete" in error.message


async def test_an_error_in_mid_answer_ends_it(scripted: Start) -> None:
    server = scripted([Reply("Half", chunk({"error": {"message": "out of memory", "code": 500}}))])
    came = await ask(spec_for(server))
    assert came[1] == TextDelta("Half") and came[-1].kind == "server" and "out of memory" in came[-1].message


async def test_an_error_of_status_200_is_an_error(scripted: Start) -> None:
    error = await error_of(spec_for(scripted([json_response({"error": {"message": "no credit", "code": 402}})])))
    assert error.kind == "no_credit"


async def test_a_web_page_in_place_of_an_answer_is_said_to_be_one(scripted: Start) -> None:
    error = await error_of(spec_for(scripted([html("Sign in")])))
    assert error.kind == "protocol" and "'Sign in'" in error.message


async def test_an_event_that_is_no_json_is_a_protocol_error(scripted: Start) -> None:
    assert (await error_of(spec_for(scripted([Reply(raw(b"data: {oops\n\n"))])))).kind == "protocol"


async def test_a_refused_stream_with_data_before_its_json_is_read(scripted: Start) -> None:
    body = "data:" + json.dumps({"error": {"code": "400", "message": "Param Incorrect", "param": "`text` is not set"}})
    error = await error_of(spec_for(scripted([fault(400, body)])))
    assert error.kind == "bad_request" and "`text` is not set" in error.message


# Trying again


async def test_a_busy_server_is_asked_again_as_it_wishes(scripted: Start) -> None:
    server = scripted([fault(429, headers={"retry-after": "3"}), fault(503), "Hi"])
    waits = Waits()
    came = await ask(spec_for(server), waits=waits)
    first, second = (piece for piece in came if isinstance(piece, Retrying))
    assert (first.wait_s, first.attempt, first.error.kind) == (3, 1, "rate_limited")
    assert (second.attempt, second.error.kind) == (2, "overloaded")
    assert waits.seconds == [first.wait_s, second.wait_s] and came[-1].message.text == "Hi"
    assert sum(isinstance(piece, Sent) for piece in came) == 1


@pytest.mark.parametrize("broken", [fault("reset"), fault("cut_off"), html("Bad gateway", 502)])
async def test_a_connection_that_breaks_before_the_answer_is_tried_again(scripted: Start, broken: Any) -> None:
    came = await ask(spec_for(scripted([broken, "Hi"])))
    assert isinstance(came[1], Retrying) and came[-1].message.text == "Hi"


async def test_no_more_tries_than_are_set(scripted: Start) -> None:
    server = scripted([fault(500, message="boom")] * 3)
    came = await ask(spec_for(server, retries=2))
    assert [type(piece) for piece in came] == [Sent, Retrying, Retrying, BackendError] and "boom" in came[-1].message


async def test_credit_that_will_be_there_again_is_waited_for_once(scripted: Start) -> None:
    server = scripted([fault(402, headers={"retry-after": "3"}), fault(402, headers={"retry-after": "3"})])
    waits = Waits()
    assert (await ask(spec_for(server), waits=waits))[-1].kind == "no_credit" and waits.seconds == [3]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 421])
async def test_a_refusal_is_not_asked_again(scripted: Start, status: int) -> None:
    server = scripted([fault(status if status != 421 else 400, code=status, headers={"retry-after": "0"})])
    waits = Waits()
    assert isinstance((await ask(spec_for(server), waits=waits))[-1], BackendError)
    assert len(server.requests) == 1 and not waits.seconds


async def test_a_wish_for_a_long_wait_is_left_to_the_user(scripted: Start) -> None:
    server = scripted([fault(429, headers={"retry-after": "3600"})])
    error = await error_of(spec_for(server))
    assert error.retry_after_s == 3600 and "wait 3600 s" in error.hint and len(server.requests) == 1


async def test_a_model_that_is_being_loaded_is_waited_for_beyond_the_tries(scripted: Start) -> None:
    loading = fault(503, {"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}})
    waits = Waits()
    came = await ask(spec_for(scripted([*[loading] * 9, "Hi"]), retries=1), waits=waits)
    assert came[-1].message.text == "Hi" and len(waits.seconds) == 9 and max(waits.seconds) <= 2


async def test_nothing_is_tried_again_once_something_was_shown(scripted: Start) -> None:
    server = scripted([Reply("Half", chunk({"error": {"message": "overloaded", "code": 503}}))])
    came = await ask(spec_for(server))
    assert not any(isinstance(piece, Retrying) for piece in came) and len(server.requests) == 1


# Stopping


async def test_closing_the_answer_closes_the_connection(scripted: Start) -> None:
    server = scripted([Reply("Hello", pause())])
    backend = Backend(spec_for(server))
    async with aclosing(backend.ask(HELLO)) as answer:
        async for piece in answer:
            if isinstance(piece, TextDelta):
                break
    await server.until(lambda: server.requests[0].abandoned)
    await backend.aclose()


@pytest.mark.parametrize("reply", [Reply(pause()), Reply("Hello", pause())], ids=["before", "in"])
async def test_cancelling_the_reader_closes_the_connection_at_any_time(scripted: Start, reply: Reply) -> None:
    server = scripted([reply])
    reader = asyncio.create_task(ask(spec_for(server)))
    await server.until(lambda: server.pauses == 1)
    reader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reader
    await server.until(lambda: server.requests[0].abandoned)


async def test_cancelling_between_two_tries_stops_the_tries(scripted: Start) -> None:
    server = scripted([fault(503), "never asked for"], may_complain=True)
    asked_to_wait = asyncio.Event()

    class Forever(Waits):
        async def __call__(self, seconds: float) -> None:
            asked_to_wait.set()
            await asyncio.Event().wait()

    reader = asyncio.create_task(ask(spec_for(server), waits=Forever()))
    await asked_to_wait.wait()
    reader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reader
    assert len(server.requests) == 1


# Keys


async def test_the_key_is_sent_and_a_server_that_echoes_it_gives_nothing_away(
    scripted: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAB_KEY", "sk-very-secret-0123456789")

    def echo(request: Any) -> Any:
        return fault(500, message=f"you sent {request.headers['authorization']}")

    server = scripted([echo], key="sk-very-secret-0123456789")
    came = await ask(spec_for(server, credential={"env": "LAB_KEY"}, retries=0))
    assert "you sent" in came[-1].message
    shown = f"{came} {came[-1].message} {came[-1].hint} {came[-1].raw} {came[-1].args}"
    assert "very-secret" not in shown


async def test_an_echo_in_mid_answer_gives_nothing_away_either(
    scripted: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAB_KEY", "sk-very-secret-0123456789")
    server = scripted([Reply(chunk({"error": {"message": "key sk-very-secret-0123456789 is over"}}))])
    error = await error_of(spec_for(server, credential={"env": "LAB_KEY"}, retries=0))
    assert "is over" in error.message and "very-secret" not in error.message + error.raw


async def test_a_wrong_key_is_said_to_be_one(scripted: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAB_KEY", "sk-wrong-0123456789")
    error = await error_of(spec_for(scripted(key="sk-right"), credential={"env": "LAB_KEY"}))
    assert error.kind == "auth" and "LAB_KEY" in error.hint


async def test_a_key_that_was_put_right_is_used_without_a_new_start(
    scripted: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = Backend(spec_for(scripted(["Hi"], key="sk-right-0123"), credential={"env": "LAB_KEY"}))
    monkeypatch.setenv("LAB_KEY", "sk-wrong-0123")
    with pytest.raises(BackendError):
        [piece async for piece in backend.ask(HELLO)]
    monkeypatch.setenv("LAB_KEY", "sk-right-0123")
    assert [piece async for piece in backend.ask(HELLO)][-1].message.text == "Hi"  # type: ignore[union-attr]
    await backend.aclose()


async def test_a_missing_key_is_said_before_anything_is_sent(scripted: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LAB_KEY", raising=False)
    server = scripted()
    came = await ask(spec_for(server, credential={"env": "LAB_KEY"}))
    assert len(came) == 1 and isinstance(came[0], CredentialError) and not server.requests


async def test_a_local_server_is_asked_without_a_key_when_none_is_set(scripted: Start, home: Any) -> None:
    server = scripted(["Hi"])
    assert (await reply_of(spec_for(server, credential=None))).message.text == "Hi"
    assert "authorization" not in server.requests[0].headers


async def test_without_a_model_the_user_is_told_how_to_choose_one(scripted: Start) -> None:
    came = await ask(spec_for(scripted(), model=None))
    assert isinstance(came[0], UsageError) and "mimo-tui backends models lab" in came[0].hint


async def test_halves_of_characters_do_not_stop_a_request(scripted: Start) -> None:
    server = scripted(["Hi"])
    await reply_of(spec_for(server), Request("", (user("a \ud83d b"),)))
    assert server.requests[0].messages[0]["content"] == "a ? b"


# Models and tools


async def test_models_are_listed_with_their_windows(scripted: Start) -> None:
    models = [
        "b",
        {"id": "vllm", "max_model_len": 8192},
        {"id": "router", "context_length": 1000},
        {"id": "llama", "meta": {"n_ctx_train": 2048}},
        {"id": "loading", "meta": None},
        {"id": "models/gemini"},
    ]
    backend = Backend(spec_for(scripted(models=models)))
    found = await backend.list_models()
    await backend.aclose()
    windows = {"b": None, "gemini": None, "llama": 2048, "loading": None, "router": 1000, "vllm": 8192}
    assert found == [values.ModelInfo(id, window) for id, window in windows.items()]


async def test_llama_cpp_tells_the_window_that_it_was_started_with(scripted: Start) -> None:
    props = {"default_generation_settings": {"n_ctx": 4096}}
    server = scripted(models=[{"id": "m", "meta": {"n_ctx_train": 131072}}], props=props)
    backend = Backend(spec_for(server, rules=Rules(props=True)))
    assert await backend.list_models() == [values.ModelInfo("m", 4096)]
    await backend.aclose()


@pytest.mark.parametrize(
    ("strategy", "rules", "props", "expected"),
    [
        ("native", Rules(native_tools=False), None, "native"),
        ("constrained", Rules(), None, "constrained"),
        ("text", Rules(), None, "text"),
        ("auto", Rules(native_tools=False, response_format="none"), None, "text"),
        ("auto", Rules(response_format="none"), None, "native"),
        ("auto", Rules(), None, "native"),
        ("auto", Rules(native_tools=False), None, "constrained"),
        ("auto", Rules(props=True), {"chat_template_caps": {"supports_tool_calls": False}}, "constrained"),
        (
            "auto",
            Rules(props=True, native_tools=False),
            {"chat_template_caps": {"supports_tool_calls": True}},
            "native",
        ),
        ("auto", Rules(props=True), {"chat_template_caps": {}}, "native"),
        ("auto", Rules(props=True), {}, "native"),
        ("auto", Rules(props=True), None, "native"),
    ],
)
async def test_tools_are_asked_for_as_set_or_else_as_the_server_can(
    scripted: Start, strategy: str, rules: Rules, props: Any, expected: str
) -> None:
    backend = Backend(spec_for(scripted(props=props), strategy=strategy, rules=rules))
    assert await backend.tool_strategy() == expected
    await backend.aclose()
