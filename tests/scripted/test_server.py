"""The scripted server keeps what it promises: other tests trust it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.scripted import (
    Demands,
    Received,
    Reply,
    ScriptedServer,
    chunk,
    comment,
    delta,
    head,
    json_response,
    pause,
    raw,
    reasoning,
    stall,
    text,
)

USER = {"role": "user", "content": "hi"}
Start = Callable[..., ScriptedServer]


def request(**fields: Any) -> dict[str, Any]:
    return {"model": "scripted", "messages": [USER], "stream": True} | fields


def ask(server: ScriptedServer, *, headers: dict[str, str] | None = None, **fields: Any) -> httpx.Response:
    return httpx.post(f"{server.base_url}/chat/completions", json=request(**fields), headers=headers, timeout=10)


def payloads(body: str) -> list[Any]:
    """The data of each event; [DONE] as it is."""
    events = [line.removeprefix("data: ") for line in body.splitlines() if line.startswith("data: ")]
    return [event if event == "[DONE]" else json.loads(event) for event in events]


def joined(body: str, key: str = "content") -> str:
    deltas = [choice["delta"] for event in payloads(body)[:-1] for choice in event["choices"]]
    return "".join(delta.get(key) or "" for delta in deltas)


def test_a_string_is_streamed_word_by_word_and_ends_with_stop_and_done(scripted: Start) -> None:
    response = ask(scripted(["Hello wörld, \n well\n"]))
    *chunks, done = payloads(response.text)
    assert response.headers["content-type"].startswith("text/event-stream")
    assert [chunk["choices"][0]["delta"].get("content") for chunk in chunks] == [
        "",
        "Hello",
        " wörld,",
        " \n well\n",
        None,
    ]
    assert [chunk["choices"][0]["finish_reason"] for chunk in chunks] == [None, None, None, None, "stop"]
    assert chunks[0]["choices"][0]["delta"]["role"] == "assistant" and done == "[DONE]"


@pytest.mark.parametrize("key", ["reasoning_content", "reasoning", "reasoning_text"])
def test_reasoning_comes_under_the_key_that_is_asked_for(scripted: Start, key: str) -> None:
    assert joined(ask(scripted([Reply(reasoning("so be it", key))])).text, key) == "so be it"


def test_reasoning_can_come_under_both_keys_at_once(scripted: Start) -> None:
    body = ask(scripted([Reply(reasoning("so", "both"))])).text
    assert joined(body, "reasoning") == joined(body, "reasoning_content") == "so"


@pytest.mark.parametrize("cut", [1, 2, 7, 1000])
def test_bytes_can_be_cut_anywhere_and_join_to_the_same_stream(scripted: Start, cut: int) -> None:
    server = scripted([Reply("wörld ✓ 漢字", cut=cut)])
    with httpx.stream("POST", f"{server.base_url}/chat/completions", json=request()) as response:
        pieces = list(response.iter_raw())
    assert joined(b"".join(pieces).decode()) == "wörld ✓ 漢字"
    assert all(len(piece) == cut for piece in pieces[:-1])


def test_events_can_end_with_carriage_returns(scripted: Start) -> None:
    body = ask(scripted([Reply("a", comment("busy"), line_end="\r\n")])).content
    assert body.count(b"\r\n") == body.count(b"\n") and b": busy\r\n\r\n" in body


def test_text_and_finish_reason_can_share_a_chunk(scripted: Start) -> None:
    *_, last, _done = payloads(ask(scripted([Reply("a b", finish_with_last=True)])).text)
    assert last["choices"][0]["delta"]["content"] == " b" and last["choices"][0]["finish_reason"] == "stop"


def test_a_stream_can_lack_its_end_mark_or_its_finish_reason(scripted: Start) -> None:
    server = scripted([Reply("a", done=False), Reply("a", finish=None, done=False), Reply("a", finish="length")])
    without_done, cut_short, length = (payloads(ask(server).text) for _ in range(3))
    assert without_done[-1]["choices"][0]["finish_reason"] == "stop"
    assert cut_short[-1]["choices"][0]["delta"]["content"] == "a"
    assert length[-2]["choices"][0]["finish_reason"] == "length"


def test_raw_bytes_odd_deltas_and_errors_in_mid_stream_go_out_as_written(scripted: Start) -> None:
    error = {"error": {"message": "overloaded", "code": 503}}
    server = scripted([Reply(raw(b"\xef\xbb\xbf"), "a", delta(None), delta({"refusal": "no"}), chunk(error))])
    body = ask(server).content
    assert body.startswith(b"\xef\xbb\xbfdata: ")
    events = payloads(body.decode("utf-8-sig"))
    assert [event["choices"][0]["delta"] for event in events[2:4]] == [None, {"refusal": "no"}]
    assert events[4] == error


def test_each_delta_can_carry_every_key_as_null(scripted: Start) -> None:
    events = payloads(ask(scripted([Reply("a", null_keys=True)])).text)
    assert events[1]["choices"][0]["delta"] | {"content": None} == dict.fromkeys(
        ("role", "content", "reasoning_content", "tool_calls", "audio", "function_call")
    )


def test_a_request_without_stream_gets_one_object(scripted: Start) -> None:
    server = scripted([Reply(reasoning("hm"), "Hi there"), Reply("again", stream=False)])
    plain, forced = ask(server, stream=False), ask(server)
    message = plain.json()["choices"][0]["message"]
    assert message == {"role": "assistant", "content": "Hi there", "reasoning_content": "hm"}
    assert forced.headers["content-type"] == "application/json"
    assert forced.json()["choices"][0]["message"]["content"] == "again"


def test_a_function_answers_from_what_was_asked(scripted: Start) -> None:
    def echo(request: Received) -> str:
        return str(request.messages[-1]["content"]).upper()

    assert joined(ask(scripted(echo)).text) == joined(ask(scripted([echo])).text) == "HI"


# What the test controls and sees


def test_a_pause_holds_the_stream_until_it_is_released(scripted: Start) -> None:
    server = scripted([Reply("before", pause(), "after")])
    with httpx.stream("POST", f"{server.base_url}/chat/completions", json=request()) as response:
        pieces = response.iter_text()
        seen = next(pieces)
        while "before" not in seen:
            seen += next(pieces)
        server.wait_until(lambda: server.pauses == 1)
        assert "after" not in seen and server.requests[0].answered_s is None
        server.release()
        assert "after" in "".join(pieces)


def test_a_pause_ends_with_the_event_that_it_was_given(scripted: Start) -> None:
    event = threading.Event()
    server = scripted([Reply(pause(event), "after")])
    answers: list[str] = []
    thread = threading.Thread(target=lambda: answers.append(ask(server).text))
    thread.start()
    server.wait_until(lambda: server.pauses == 1)
    assert not answers
    event.set()
    thread.join()
    assert joined(answers[0]) == "after"


def test_the_head_can_be_sent_long_before_the_first_chunk(scripted: Start) -> None:
    server = scripted([Reply(head(), pause(), "a")])
    with httpx.stream("POST", f"{server.base_url}/chat/completions", json=request()) as response:
        assert response.status_code == 200
        server.release()
        response.read()


def test_a_client_that_leaves_is_noticed(scripted: Start) -> None:
    server = scripted([Reply("a", stall())])
    with httpx.stream("POST", f"{server.base_url}/chat/completions", json=request()) as response:
        next(response.iter_raw())
    server.wait_until(lambda: server.requests[0].abandoned)
    assert server.requests[0].answered_s is None


def test_a_request_that_has_not_come_yet_can_be_waited_for(scripted: Start) -> None:
    server = scripted(["a"])
    thread = threading.Thread(target=ask, args=[server])
    thread.start()
    server.wait_until(lambda: server.requests[0].answered_s is not None)
    thread.join()


def test_it_can_stand_in_for_a_proxy(scripted: Start) -> None:
    server = scripted(["a"])
    httpx.post("http://model.invalid/v1/chat/completions", json=request(), proxy=server.root)
    assert server.requests[0].target == "http://model.invalid/v1/chat/completions"


def test_requests_are_kept_as_they_came(scripted: Start) -> None:
    server = scripted(["a"])
    ask(server, headers={"X-Team": "ml"}, temperature=0.5)
    (seen,) = server.requests
    server.wait_until(lambda: seen.answered_s is not None)
    assert seen.path == "/v1/chat/completions" and seen.headers["x-team"] == "ml"
    assert seen.body["temperature"] == 0.5 and json.loads(seen.raw) == seen.body
    assert seen.answered_s is not None and seen.answered_s >= seen.arrived_s


def test_a_script_that_is_too_short_answers_500_and_complains(scripted: Start) -> None:
    server = scripted(["a"], may_complain=True)
    ask(server)
    response = ask(server)
    assert response.status_code == 500 and "exhausted" in response.json()["error"]["message"]
    assert "exhausted" in server.complaints()[0]


def test_a_script_that_is_too_long_or_raises_complains(scripted: Start) -> None:
    def raises(request: Received) -> Reply:
        raise KeyError("x")

    server = scripted([raises, "left", "over"], may_complain=True)
    assert ask(server).status_code == 500
    assert len(server.complaints()) == 2 and "2 scripted replies" in server.complaints()[1]


# Pages


def test_models_props_and_health_answer(scripted: Start) -> None:
    server = scripted(models=["a", {"id": "b", "max_model_len": 8192}], props={"total_slots": 1})
    listed = httpx.get(f"{server.base_url}/models").json()["data"]
    assert [model["id"] for model in listed] == ["a", "b"] and listed[1]["max_model_len"] == 8192
    assert httpx.get(f"{server.root}/props").json() == {"total_slots": 1}
    assert httpx.get(f"{server.root}/health").json() == {"status": "ok"}
    assert [seen.path for seen in server.others] == ["/v1/models", "/props", "/health"]


def test_other_pages_are_not_there_unless_given(scripted: Start) -> None:
    server = scripted(routes={"/version": lambda request: json_response({"version": "1"})})
    assert httpx.get(f"{server.root}/props").status_code == 404
    assert httpx.post(f"{server.base_url}/models").status_code == 404
    assert httpx.get(f"{server.root}/version").json() == {"version": "1"}


def test_a_server_with_a_key_refuses_all_others(scripted: Start) -> None:
    server = scripted(["hello"], key="secret")
    assert ask(server).status_code == 401
    assert ask(server, headers={"Authorization": "Bearer wrong"}).json()["error"]["code"] == "invalid_api_key"
    assert httpx.get(f"{server.base_url}/models").status_code == 401
    assert ask(server, headers={"Authorization": "Bearer secret"}).status_code == 200
    assert [seen.refused for seen in server.requests] == [401, 401, None]


def test_a_strict_server_knows_its_models_only(scripted: Start) -> None:
    server = scripted(["hello"], strict=True)
    assert ask(server, model="other").json()["error"]["code"] == "model_not_found"
    assert ask(server).status_code == 200


def test_demands_are_refused_in_the_vendors_words(scripted: Start) -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "ls", "arguments": "{}"}}
    history = [
        USER,
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": "a"},
    ]
    cases: list[tuple[Demands, dict[str, Any], str]] = [
        (Demands(reasoning=True), {"messages": history}, "reasoning_content"),
        (Demands(refuses_null_content=True), {"messages": history}, "`text` is not present"),
        (Demands(refused_fields=("stream_options",)), {"stream_options": {}}, "stream_options"),
        (Demands(context_tokens=100), {"messages": [USER | {"content": "x" * 1000}]}, "available context size"),
    ]
    for demands, fields, words in cases:
        response = ask(scripted(demands=demands), **fields)
        assert response.status_code == 400 and words in response.json()["error"]["message"]


def test_text_in_given_pieces_is_sent_in_these(scripted: Start) -> None:
    events = payloads(ask(scripted([Reply(text(["ab", "c"]), text("abcd", pieces=2))])).text)
    assert [event["choices"][0]["delta"]["content"] for event in events[1:5]] == ["ab", "c", "ab", "cd"]
