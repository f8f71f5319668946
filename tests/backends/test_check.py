"""A check says point by point what works, and ends where something does not."""

from __future__ import annotations

from collections.abc import Callable

from tests.backends.asking import Waits, spec_for
from tests.scripted import Reply, ScriptedServer, fault, tool_call
from tests.scripted.demo import Demo
from tui.backends.backend import Backend
from tui.backends.check import CheckResult, check
from tui.backends.spec import BackendSpec, Rules

Start = Callable[..., ScriptedServer]
CALLED = Reply(tool_call("report_colour", {"colour": "green"}))


async def checked(spec: BackendSpec) -> list[CheckResult]:
    backend = Backend(spec, sleep=Waits())
    try:
        return await check(backend)
    finally:
        await backend.aclose()


async def test_a_backend_that_works_passes_every_point(scripted: Start) -> None:
    results = await checked(spec_for(scripted(["ready", CALLED])))
    assert [(result.name, result.ok) for result in results] == [("server", True), ("answer", True), ("tools", True)]
    assert "'ready'" in results[1].detail and "report_colour" in results[2].detail


async def test_a_model_that_cannot_call_tools_is_checked_for_constrained_answers(scripted: Start) -> None:
    spec = spec_for(scripted(["ready", '{"colour": "green"}']), rules=Rules(native_tools=False))
    assert [result.ok for result in await checked(spec)] == [True, True, True]
    spec = spec_for(scripted(["ready", "It is green."]), rules=Rules(native_tools=False))
    assert (await checked(spec))[-1] == CheckResult(
        "tools", False, "the answer is not JSON, though it was constrained to it: 'It is green.'."
    )


async def test_a_refused_key_is_the_point_that_fails(scripted: Start) -> None:
    (result,) = await checked(spec_for(scripted(key="right")))
    assert result.name == "key" and not result.ok and "not accepted" in result.detail


async def test_what_a_server_says_gets_no_second_full_stop(scripted: Start) -> None:
    refusal = fault(401, {"error": {"message": "Incorrect API key provided."}})
    (result,) = await checked(spec_for(scripted(routes={"/v1/models": lambda request: refusal})))
    assert "Incorrect API key provided. " in result.detail and ".." not in result.detail


async def test_the_demo_passes_every_point(scripted: Start) -> None:
    assert [result.ok for result in await checked(spec_for(scripted(Demo(None, None))))] == [True, True, True]


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
    (result,) = await checked(spec_for(scripted(models=["a", "b"]), model=None))
    assert not result.ok and "a, b" in result.detail


async def test_a_model_that_is_not_in_the_list_is_met_with_the_nearest(scripted: Start) -> None:
    server = scripted(models=["qwen3-8b", "x"], strict=True)
    server_point, answer = await checked(spec_for(server, model="qwen3-8c"))
    assert server_point.ok and "did you mean `qwen3-8b`" in server_point.detail
    assert not answer.ok and "backends models lab" in answer.detail


async def test_a_server_that_lists_no_models_is_asked_all_the_same(scripted: Start) -> None:
    server = scripted(["ready", CALLED], routes={"/v1/models": lambda request: fault(404)})
    assert [result.ok for result in await checked(spec_for(server))] == [True, True, True]


async def test_a_tool_that_is_not_called_is_met_with_the_setting_that_helps(scripted: Start) -> None:
    result = (await checked(spec_for(scripted(["ready", "Green."]))))[-1]
    assert result.name == "tools" and not result.ok and 'strategy = "constrained"' in result.detail
