"""What a server teaches by refusing a request: it is sent once more, otherwise, and the lesson stays."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from msgspec import structs

from tests.backends.asking import ask, spec_for
from tests.scripted import Received, Reply, ScriptedServer, fault
from tui.backends.spec import Reply as Answer
from tui.core.errors import BackendError
from tui.core.events import RuleLearned
from tui.settings.learned import forget_learned, learned_of

Start = Callable[..., ScriptedServer]


def refuses_max_tokens(request: Received) -> object:
    if "max_tokens" in request.body:
        text = "Unsupported parameter: 'max_tokens' is not supported. Use 'max_completion_tokens' instead."
        return fault(400, message=text, code="unsupported_parameter")
    return Reply("Hello")


async def test_a_known_refusal_is_learned_and_the_request_sent_once_more(home: Path, scripted: Start) -> None:
    server = scripted(refuses_max_tokens)
    spec = spec_for(server, max_output=100)
    sent, learned, again, *_, reply = await ask(spec)
    assert isinstance(learned, RuleLearned) and (learned.rule, learned.value) == (
        "max_tokens_field",
        '"max_completion_tokens"',
    )
    assert isinstance(reply, Answer) and reply.message.text == "Hello"
    assert sent.body["max_tokens"] == again.body["max_completion_tokens"] == 100
    assert len(server.requests) == 2
    (kept,) = learned_of(spec.base_url, spec.model)
    assert (kept.rule, kept.value) == ("max_tokens_field", "max_completion_tokens")
    assert forget_learned(spec.base_url, spec.model) == 1 and not learned_of(spec.base_url, spec.model)


async def test_what_did_not_help_is_not_tried_again(home: Path, scripted: Start) -> None:
    server = scripted(lambda request: fault(400, message="use max_completion_tokens instead of max_tokens"))
    *_, error = await ask(structs.replace(spec_for(server), max_output=100))
    assert isinstance(error, BackendError) and error.kind == "bad_request"
    assert len(server.requests) == 2
