"""A check says point by point what works, and ends where something does not."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.backends.asking import Waits, spec_for
from tests.scripted import Reply, ScriptedServer, fault, pause, reasoning, text, tool_call
from tests.scripted.demo import Demo
from tests.scripted.vendors import Claude, Mimo, Ollama, OpenAI
from tui.backends.backend import Backend
from tui.backends.check import CheckResult, check
from tui.backends.resolve import presets, resolve
from tui.backends.spec import BackendSpec, Rules
from tui.core.usage import Price
from tui.settings.config import BackendConfig, Settings
from tui.settings.learned import forget_learned, learned_of

Start = Callable[..., ScriptedServer]
POINTS = ["server", "model", "answer", "thinking", "tools"]
CALLED = Reply(tool_call("report_colour", {"colour": "green"}))


async def checked(spec: BackendSpec) -> list[CheckResult]:
    backend = Backend(spec, sleep=Waits())
    try:
        return await check(backend)
    finally:
        await backend.aclose()


async def test_a_backend_that_works_passes_every_point(scripted: Start) -> None:
    results = await checked(spec_for(scripted(["ready", CALLED])))
    assert [result.name for result in results] == POINTS and all(result.ok for result in results)
    server, model, answer, thinking, tools = (result.detail for result in results)
    assert "answers; it has 1 model" in server and "its price is not known" in model
    assert "'ready'" in answer and "not known" in thinking and "report_colour" in tools


async def test_what_is_known_of_the_model_is_said(scripted: Start) -> None:
    told = {"id": "scripted", "context_length": 5000, "supports_image_in": True}
    results = await checked(spec_for(scripted(["ready", CALLED], models=[told]), price=Price(1, 2, 0.5)))
    assert results[1].detail == "scripted: 5,000 tokens; sees images; USD 1 in, 2 out, 0.5 cached a million tokens"


async def test_an_answer_in_pieces_is_told_from_one_that_comes_whole(scripted: Start) -> None:
    pieces = Reply(text("one "), pause(0.05), text("two "), pause(0.05), text("three"))
    assert " pieces after" in (await checked(spec_for(scripted([pieces, CALLED]))))[2].detail
    assert "whole, not in pieces" in (await checked(spec_for(scripted(["one", CALLED]))))[2].detail


LEVELS: dict[str, Any] = {"off": {"think": 0}, "low": {"think": 1}, "high": {"think": 9}}


@pytest.mark.parametrize(
    ("level", "replies", "words"),
    [
        ("high", [Reply(reasoning("I see them"), text("one"))], "asked for `high`: 3 words of reasoning came"),
        ("high", ["one"], "asked for `high`: no reasoning came"),
        ("off", ["one"], "is off, and no reasoning came"),
        ("off", [Reply(reasoning("hm"), text("one"))], "is off; all the same it thought: 1 word"),
        (None, [Reply(reasoning("hm"), text("one"))], "it thinks unasked: 1 word"),
        (None, ["one", Reply(reasoning("7 by 13"), text("no"))], "asked for `low`: 3 words of reasoning came"),
        (None, ["one", fault(400, message="no thinking here")], "asked for `low`: refused"),
    ],
)
async def test_whether_it_thinks_is_found_out(scripted: Start, level: str | None, replies: Any, words: str) -> None:
    server = scripted([*replies, CALLED])
    results = await checked(spec_for(server, thinking=level, rules=Rules(thinking=LEVELS)))
    assert results[3].ok and results[3].detail.startswith(words) and results[4].ok
    asked = [request.body.get("think") for request in server.requests]
    assert asked[0] == {"high": 9, "off": 0, None: None}[level] and (len(asked) < 3 or asked[1] == 1)


@pytest.mark.parametrize(
    ("preset", "vendor", "model"),
    [
        ("anthropic", Claude, "claude-sonnet-5-5"),
        ("openai", OpenAI, "gpt-6.1-terra"),
        ("ollama", Ollama, "qwen3:8b"),
        ("xiaomi-mimo", Mimo, "mimo-v2.6-pro"),
        ("xiaomi-mimo-anthropic", Mimo, "mimo-v2.6-pro"),
    ],
)
async def test_every_wire_can_be_tested(scripted: Start, preset: str, vendor: Any, model: str) -> None:
    thought = Reply(reasoning("first one"), text("one, two"))
    server = scripted(lambda request: CALLED if (request.body or {}).get("tools") else thought, vendor=vendor())
    wire = presets()[preset].wire
    base_url = server.root if wire in ("messages", "ollama") else server.base_url
    config = BackendConfig(preset=preset, base_url=base_url, model=model, credential="none")
    results = await checked(resolve(Settings(backends={"lab": config}), "lab"))
    assert [result.name for result in results] == POINTS, results
    assert "of reasoning" in results[3].detail and results[4].detail.startswith(
        "called report_colour (strategy `native`: "
    )


async def test_a_model_that_cannot_call_tools_is_checked_for_constrained_answers(scripted: Start) -> None:
    spec = spec_for(scripted(["ready", '{"colour": "green"}']), rules=Rules(native_tools=False))
    assert all(result.ok for result in await checked(spec))
    spec = spec_for(scripted(["ready", "It is green."]), rules=Rules(native_tools=False))
    result = (await checked(spec))[-1]
    assert (result.name, result.ok, result.detail) == (
        "tools",
        False,
        "the answer is not JSON, though it was constrained to it: 'It is green.' "
        "(strategy `constrained`: its rules say so).",
    )


@pytest.mark.parametrize(
    ("answer", "fields", "words"),
    [
        ('Yes: {"tool": "report_colour"}', {"strategy": "text"}, "answers in JSON work; .*strategy `text`: it is set"),
        ('{"a": 1}', {"rules": Rules(native_tools=False, response_format="none")}, "strategy `text`: its rules say so"),
        ("<tool_call>report_colour</tool_call>", {}, "came as text, which is read all the same .*`native`"),
    ],
)
async def test_the_strategy_and_its_reason_are_said(scripted: Start, answer: str, fields: Any, words: str) -> None:
    result = (await checked(spec_for(scripted(["ready", answer]), **fields)))[-1]
    assert result.ok and re.search(words, result.detail), result.detail


async def test_a_refused_key_is_the_point_that_fails(scripted: Start) -> None:
    (result,) = await checked(spec_for(scripted(key="right")))
    assert result.name == "key" and not result.ok and "not accepted" in result.detail


async def test_what_a_server_says_gets_no_second_full_stop(scripted: Start) -> None:
    refusal = fault(401, {"error": {"message": "Incorrect API key provided."}})
    (result,) = await checked(spec_for(scripted(routes={"/v1/models": lambda request: refusal})))
    assert "Incorrect API key provided. " in result.detail and ".." not in result.detail


async def test_the_demo_passes_every_point(scripted: Start) -> None:
    assert [result.ok for result in await checked(spec_for(scripted(Demo(None, None))))] == [True] * 5


async def test_a_web_page_is_named_as_what_it_is(scripted: Start) -> None:
    page = fault(200, "<html><title>Welcome</title></html>", {"Content-Type": "text/html"})
    server = scripted([page], routes={"/v1/models": lambda request: fault(404)})
    result = (await checked(spec_for(server)))[-1]
    assert "the server answered with a web page titled 'Welcome' instead of a reply" in result.detail


async def test_a_missing_key_is_the_point_that_fails(scripted: Start) -> None:
    (result,) = await checked(spec_for(scripted(), credential={"env": "NO_SUCH_VARIABLE_AT_ALL"}))
    assert result.name == "key" and not result.ok and "NO_SUCH_VARIABLE_AT_ALL" in result.detail


async def test_a_dead_server_is_the_point_that_fails() -> None:
    (result,) = await checked(spec_for("http://127.0.0.1:1/v1"))
    assert result.name == "server" and not result.ok and "no server answers" in result.detail


async def test_a_backend_without_a_model_is_told_which_there_are(scripted: Start) -> None:
    server_point, result = await checked(spec_for(scripted(models=["a", "b"]), model=None))
    assert server_point.ok and result.name == "model"
    assert not result.ok and "a, b" in result.detail


async def test_a_model_that_is_not_in_the_list_is_met_with_the_nearest(scripted: Start) -> None:
    server = scripted(models=["qwen3-8b", "x"], strict=True)
    _, model, answer = await checked(spec_for(server, model="qwen3-8c"))
    assert model.ok and "did you mean `qwen3-8b`" in model.detail
    assert not answer.ok and "backends models lab" in answer.detail


async def test_a_server_that_lists_no_models_is_asked_all_the_same(scripted: Start) -> None:
    server = scripted(["ready", CALLED], routes={"/v1/models": lambda request: fault(404)})
    assert [result.ok for result in await checked(spec_for(server))] == [True] * 5


async def test_a_tool_that_is_not_called_in_any_way_is_a_failure(scripted: Start) -> None:
    result = (await checked(spec_for(scripted(["ready", *["Green."] * 4]))))[-1]
    assert result.name == "tools" and not result.ok
    assert "not called" in result.detail and "brought no call either" in result.detail


async def test_a_tool_that_is_called_at_the_second_try_is_called(scripted: Start) -> None:
    assert "called report_colour" in (await checked(spec_for(scripted(["ready", "Green.", CALLED]))))[-1].detail


IN_WORDS = '{"tool": "report_colour", "colour": "green"}'


@pytest.mark.parametrize(
    ("answers", "strategy", "rules"),
    [
        (['{"colour": "green"}'], "constrained", {"native_tools": False}),
        (["Green.", f"So: {IN_WORDS}"], "text", {"native_tools": False, "response_format": "none"}),
        ([IN_WORDS.replace("green", "grass"), IN_WORDS], "text", {"native_tools": False, "response_format": "none"}),
    ],
)
async def test_the_way_in_which_a_tool_is_called_is_remembered(
    home: Path, scripted: Start, answers: list[str], strategy: str, rules: dict[str, Any]
) -> None:
    server = scripted(["ready", "Green.", "Green.", *answers])
    result = (await checked(spec_for(server)))[-1]
    assert result.ok and f"strategy `{strategy}`" in result.detail and "show lab --forget" in result.detail
    assert {entry.rule: entry.value for entry in learned_of(server.base_url, "scripted")} == rules
    config = BackendConfig(wire="chat-completions", base_url=server.base_url, model="scripted", credential="none")
    backend = Backend(resolve(Settings(backends={"lab": config}), "lab"))
    chosen, why = await backend.tool_strategy_and_why()
    await backend.aclose()
    assert chosen == strategy and "--forget" in why
    assert forget_learned(server.base_url, "scripted") == len(rules)


async def test_a_strategy_that_is_set_is_not_changed_but_the_one_that_works_is_named(
    home: Path, scripted: Start
) -> None:
    server = scripted(["ready", "Green.", "Green.", '{"colour": "green"}'])
    result = (await checked(spec_for(server, strategy="native")))[-1]
    assert not result.ok and 'set `strategy = "constrained"`' in result.detail
    assert not learned_of(server.base_url, "scripted")


async def test_a_server_that_refuses_a_schema_is_asked_in_words(home: Path, scripted: Start) -> None:
    def answer(request: Any) -> Any:
        if "response_format" in request.body:
            return fault(400, message="response_format is not supported by this model")
        return IN_WORDS if "this JSON" in str(request.body) else "Green."

    server = scripted(answer)
    result = (await checked(spec_for(server)))[-1]
    assert result.ok and "strategy `text`" in result.detail
