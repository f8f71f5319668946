"""What a server teaches by refusing a request: it is sent once more, otherwise, and the lesson stays."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from tests.backends.asking import HELLO, ask, spec_for
from tests.backends.refusals import FOREIGN_CALLS, LESSONS, LS, OWN_CALLS, SEEN, calls, detail, own, said
from tests.scripted import Received, Reply, Response, ScriptedServer, fault, usage
from tui.backends.backend import Backend
from tui.backends.learning import Lessons
from tui.backends.spec import Reply as Answer
from tui.backends.spec import Request, Rules, Sent
from tui.backends.wires.chat_completions import encode
from tui.core.codec import dumps
from tui.core.errors import BackendError
from tui.core.events import Notice, Retrying, RuleLearned
from tui.core.messages import Reasoning, Text, ToolCall, user
from tui.settings.learned import forget_learned, learned_of

Start = Callable[..., ScriptedServer]


@pytest.fixture(autouse=True)
def _own_home(home: Path) -> None:
    """What is learned is kept in this test's home."""


@pytest.mark.parametrize("name", LESSONS)
async def test_a_known_refusal_teaches_one_rule_and_the_request_is_sent_once_more(scripted: Start, name: str) -> None:
    refusal, request, changes, rule, value = LESSONS[name]
    server = scripted([refusal, "Hello"])
    spec = spec_for(server, **changes)
    sent, learned, again, *_, reply = await ask(spec, own(spec, request))
    assert isinstance(learned, RuleLearned), learned
    assert (learned.rule, learned.value) == (rule, dumps(value))
    assert isinstance(reply, Answer) and reply.message.text == "Hello"
    assert isinstance(again, Sent) and again.body != sent.body and len(server.requests) == 2
    (kept,) = learned_of(spec.base_url, spec.model)
    assert (kept.rule, kept.value) == (rule, list(value) if isinstance(value, tuple) else value)
    assert forget_learned(spec.base_url, spec.model) == 1 and not learned_of(spec.base_url, spec.model)


async def test_what_was_learned_holds_for_the_next_question(scripted: Start) -> None:
    server = scripted([detail("stream_options"), "one", "two"])
    backend = Backend(spec_for(server))
    for _ in range(2):
        assert [piece async for piece in backend.ask(HELLO)]
    await backend.aclose()
    assert len(server.requests) == 3 and "stream_options" not in server.requests[2].body


async def test_a_strange_server_is_understood_with_one_refused_request_for_each_rule(scripted: Start) -> None:
    def strange(request: Received) -> Any:
        body = request.body
        if "stream_options" in body:
            return detail("stream_options")
        if "max_tokens" in body:
            return said("Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.")
        if "seed" in body or "top_k" in body:
            return said(f"Unrecognized request argument supplied: {'seed' if 'seed' in body else 'top_k'}")
        if body["messages"][0]["role"] == "system":
            return said("System role not supported")
        return Reply("Hello")

    server = scripted(strange)
    spec = spec_for(server, max_output=9, body={"seed": 1, "top_k": 2})
    came = await ask(spec, Request("Be brief.", (user("Hi"),)))
    learned = [piece.rule for piece in came if isinstance(piece, RuleLearned)]
    assert learned == ["stream_usage", "max_tokens_field", "unknown_fields", "unknown_fields", "system_role"]
    assert len(server.requests) == 6 and came[-1].message.text == "Hello"
    rules = {entry.rule: entry.value for entry in learned_of(spec.base_url, spec.model)}
    assert rules["unknown_fields"] == ["seed", "top_k"] and rules["system_role"] == "user"


async def test_a_server_that_knows_no_developer_hears_the_system(scripted: Start) -> None:
    server = scripted(["Hello"])  # it refuses the role by itself
    came = await ask(spec_for(server, rules=Rules(system_role="developer")), Request("Be brief.", (user("Hi"),)))
    assert [(piece.rule, piece.value) for piece in came if isinstance(piece, RuleLearned)] == [
        ("system_role", '"system"')
    ]
    assert [request.messages[0]["role"] for request in server.requests] == ["developer", "system"]


# What is not learned


@pytest.mark.parametrize(
    "message",
    [
        "Your request was flagged by the system for its content.",
        "The system is busy with another message",
        "Invalid request: the system could not read the image format",
        "messages: at least one message is required",
        "Unsupported image format. Please use png.",
        "temperature must be between 0 and 1",
        "Conversation roles must alternate",
        "",
    ],
)
async def test_an_unrelated_refusal_teaches_nothing(scripted: Start, message: str) -> None:
    server = scripted([said(message)])
    spec = spec_for(server, max_output=100, body={"temperature": 3})
    came = await ask(spec, own(spec, SEEN))
    assert isinstance(came[-1], BackendError) and len(server.requests) == 1
    assert not learned_of(spec.base_url, spec.model)


async def test_a_moderated_request_is_not_sent_again(scripted: Start) -> None:
    server = scripted([said("system role not supported", code="421"), "never"], may_complain=True)
    came = await ask(spec_for(server), SEEN)
    assert came[-1].kind == "content_filtered" and len(server.requests) == 1


async def test_a_model_that_does_not_exist_is_not_taken_for_one_that_cannot_see(scripted: Start) -> None:
    server = scripted([said("The model `x` does not exist", status=404)])
    assert (await ask(spec_for(server), SEEN))[-1].kind == "model_not_found"


async def test_what_did_not_help_is_not_tried_again_and_not_kept(scripted: Start) -> None:
    server = scripted([fault(404), fault(404)])
    spec = spec_for(server)
    *_, error = await ask(spec, SEEN)
    assert isinstance(error, BackendError) and error.kind == "model_not_found" and len(server.requests) == 2
    assert not learned_of(spec.base_url, spec.model)


async def test_the_same_refusal_after_the_repair_ends_it_with_both_replies(scripted: Start) -> None:
    text = "The `reasoning_content` in the thinking mode must be passed back to the API. Request {}"
    server = scripted(lambda request: said(text.format(len(server.requests))))
    spec = spec_for(server)
    *_, error = await ask(spec, own(spec, FOREIGN_CALLS))
    assert isinstance(error, BackendError) and error.kind == "reasoning_replay"
    assert len(server.requests) == 3  # words of the turn, then a space, then no more


async def test_a_refusal_that_stays_shows_what_was_tried(scripted: Start) -> None:
    server = scripted(lambda request: said("use max_completion_tokens instead of max_tokens"))
    *_, error = await ask(spec_for(server, max_output=9))
    assert isinstance(error, BackendError) and len(server.requests) == 2
    assert 'max_tokens_field = "max_completion_tokens"' in error.hint
    assert error.raw.count("use max_completion_tokens instead") == 2


async def test_no_request_is_sent_more_than_nine_times(scripted: Start) -> None:
    fields = {f"field_{number}": 1 for number in range(20)}

    def refuse(request: Received) -> Any:
        return said(f"Unknown parameter: '{next(name for name in request.body if name in fields)}'")

    server = scripted(refuse)
    came = await ask(spec_for(server, body=fields))
    assert isinstance(came[-1], BackendError) and len(server.requests) == 9


async def test_what_the_user_has_set_is_not_learned_otherwise_and_that_is_said(scripted: Start) -> None:
    server = scripted([said("image input is not supported")])
    spec = spec_for(server, rules=Rules(images=True), set_by_user=("images",))
    *_, error = await ask(spec, SEEN)
    assert len(server.requests) == 1 and "`rules.images = true`" in error.hint and "your settings" in error.hint


async def test_a_limit_of_the_users_own_stays_and_the_servers_is_shown(scripted: Start) -> None:
    server = scripted([said("Invalid max_tokens value, the valid range of max_tokens is [1, 8192]")])
    *_, error = await ask(spec_for(server, max_output=9000, set_by_user=("max_output",)))
    assert "[1, 8192]" in error.message and "`max_output = 9000`" in error.hint and len(server.requests) == 1


# What only the asker can act on


@pytest.mark.parametrize(
    "refusal",
    [
        fault(400, {"error": "registry.ollama.ai/library/smollm2:latest does not support tools"}),
        said("tools param requires --jinja flag", status=500),
        said('"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set'),
        said('No endpoints found that support tool use. Try disabling "ls".', status=404, code=404),
        said("`tool calling` is not supported with this model"),
    ],
    ids=["Ollama", "llama.cpp", "vLLM", "OpenRouter", "Groq"],
)
async def test_a_model_without_tools_is_asked_for_calls_in_another_way_from_then_on(
    scripted: Start, refusal: Response
) -> None:
    server = scripted([refusal], props={"chat_template_caps": {"supports_tool_calls": True}})
    spec = spec_for(server, rules=Rules(props=True))
    backend = Backend(spec)
    came: list[Any] = []
    with pytest.raises(BackendError) as raised:
        async for piece in backend.ask(Request("s", (user("list"),), (LS,))):
            came.append(piece)
    assert raised.value.learned == "native_tools" and len(server.requests) == 1
    assert [(piece.rule, piece.value) for piece in came if isinstance(piece, RuleLearned)] == [
        ("native_tools", "false")
    ]
    assert await backend.tool_strategy() == "constrained" and not any(isinstance(piece, Retrying) for piece in came)
    await backend.aclose()
    (kept,) = learned_of(spec.base_url, spec.model)
    assert (kept.rule, kept.value) == ("native_tools", False)


async def test_a_user_who_wants_native_calls_is_told_that_the_server_has_none(scripted: Start) -> None:
    server = scripted([fault(400, {"error": "smollm2 does not support tools"})])
    *_, error = await ask(spec_for(server, strategy="native"), Request("s", (user("list"),), (LS,)))
    assert not error.learned and 'strategy = "native"' in error.hint


@pytest.mark.parametrize(
    ("refusal", "window"),
    [
        (said("This model's maximum context length is 8192 tokens. However, you requested 9000 tokens."), 8192),
        (said("prompt is too long: 210000 tokens > 200000 maximum"), 200_000),
        (said("The input token count (1200000) exceeds the maximum number of tokens allowed (1,048,576)."), 1_048_576),
        (said("Invalid request: Your request exceeded model token limit: 262144 (requested: 300000)"), 262_144),
        (said("Range of input length should be [1, 30720]"), 30_720),
        (
            said(
                "request (9000 tokens) exceeds the available context size, try increasing it",
                type="exceed_context_size_error",
                n_prompt_tokens=9000,
                n_ctx=4096,
            ),
            4096,
        ),
    ],
    ids=["vLLM", "Claude", "Gemini", "Kimi", "Qwen", "llama.cpp"],
)
async def test_a_conversation_that_is_too_long_teaches_the_true_window(
    scripted: Start, refusal: Response, window: int
) -> None:
    server = scripted([refusal])
    backend = Backend(spec_for(server))
    came: list[Any] = []
    with pytest.raises(BackendError) as raised:
        async for piece in backend.ask(HELLO):
            came.append(piece)
    await backend.aclose()
    assert raised.value.kind == "context_overflow" and raised.value.learned == "context_window"
    assert backend.spec.context_window == window
    assert [(piece.rule, piece.value) for piece in came if isinstance(piece, RuleLearned)] == [
        ("context_window", str(window))
    ]
    (kept,) = learned_of(backend.spec.base_url, backend.spec.model)
    assert (kept.rule, kept.value) == ("context_window", window)


@pytest.mark.parametrize("is_restarted", [False, True])
async def test_a_window_is_forgotten_when_the_server_takes_well_more(scripted: Start, is_restarted: bool) -> None:
    small = said("This model's maximum context length is 4096 tokens. However, you requested 9000 tokens")
    server = scripted([small, Reply("Hi", usage=usage(4100, 5)), Reply("Hi", usage=usage(9000, 5))])
    backend = Backend(spec_for(server, context_window=32_000, sources={"context_window": "catalogue"}))
    with pytest.raises(BackendError):
        assert [piece async for piece in backend.ask(HELLO)]
    if is_restarted:
        await backend.aclose()
        backend = Backend(spec_for(server, context_window=4096, sources={"context_window": "learned"}))
    for words in ([], ["lab took more than the 4,096 tokens that an error told as its window: that is forgotten."]):
        assert len(learned_of(backend.spec.base_url, backend.spec.model)) == 1
        came = [piece async for piece in backend.ask(HELLO)]
        assert [piece.message for piece in came if isinstance(piece, Notice)] == words
    await backend.aclose()
    assert not learned_of(backend.spec.base_url, backend.spec.model)
    assert backend.spec.context_window == (None if is_restarted else 32_000)


async def test_missing_reasoning_that_was_all_there_means_that_the_conversation_is_too_long(scripted: Start) -> None:
    server = scripted([said("The `reasoning_content` in the thinking mode must be passed back to the API.")])
    spec = spec_for(server, rules=Rules(reasoning_required=True, replay_reasoning="all", empty_content=""))
    request = calls(Reasoning("hm"), Text("x" * 1_000_000), ToolCall("c1", "ls", {}))
    *_, error = await ask(spec, own(spec, request))
    assert error.kind == "context_overflow" and "too long" in error.hint


async def test_reasoning_that_is_not_valid_any_more_is_left_out_and_newer_reasoning_is_not(scripted: Start) -> None:
    server = scripted([said("messages.1: The encrypted content could not be verified."), "Hello", "again"])
    backend = Backend(spec_for(server))
    request = own(backend.spec, OWN_CALLS)
    assert [piece async for piece in backend.ask(request)]
    newer = own(backend.spec, calls(Reasoning("new"), ToolCall("c2", "ls", {}))).messages[1:2]
    assert [piece async for piece in backend.ask(structs.replace(request, messages=(*request.messages, *newer)))]
    await backend.aclose()
    sent = [[message.get("reasoning_content") for message in request.messages] for request in server.requests]
    assert "hm" in sent[0] and not any(sent[1]) and [thought for thought in sent[2] if thought] == ["new"]
    assert not learned_of(backend.spec.base_url, backend.spec.model)


PIECES = st.sampled_from(
    [
        "max_tokens",
        "must be less than ",
        "9" * 5000,
        "is not supported",
        "reasoning_content",
        "tools",
        "`",
        "[1, 2]",
        "\n",
    ]
) | st.text(max_size=8)
WORDS = st.lists(PIECES, max_size=8).map(" ".join)
BODIES = WORDS | st.recursive(
    st.none() | st.integers() | WORDS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["error", "message", "param", "detail", "loc", "n_ctx"]), inner, max_size=3)
    ),
    max_leaves=8,
).map(dumps)


@given(BODIES, st.sampled_from(["bad_request", "reasoning_replay", "context_overflow", "model_not_found", "server"]))
@settings(deadline=None, max_examples=200)
def test_no_reply_at_all_makes_learning_fail(raw: str, kind: Any) -> None:
    spec = spec_for("http://lab/v1", max_output=9000, body={"seed": 1})
    lessons = Lessons(structs.replace(own(spec, SEEN), tools=(LS,)), spec, encode)
    for _ in range(20):
        error = BackendError(kind, "refused", raw=raw)
        if (new := lessons.learn(error)) is None or new.is_final:
            break
    else:
        pytest.fail("it never ends")
    assert lessons.explained(error).message == "refused"
