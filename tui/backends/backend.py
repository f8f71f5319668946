"""A backend that can be asked: the one driver of all wires. It sends, retries and reads; the wire understands."""

from __future__ import annotations

import asyncio
import importlib
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing, suppress
from types import ModuleType
from typing import TYPE_CHECKING, Any

from msgspec import structs

from tui.backends import discovery
from tui.backends.deltas import deltas_of, joined
from tui.backends.errors import hint
from tui.backends.http import ERROR_LIMIT_BYTES, Client, Response
from tui.backends.images import fitted, has_images
from tui.backends.json_body import GrowingBody
from tui.backends.models import informed, nested
from tui.backends.recording import Recording
from tui.backends.spec import BackendSpec, ModelInfo, Reply, Request, Sent, Strategy
from tui.backends.waiting import wait_before_retry_s
from tui.backends.wires.conversation import Writing
from tui.core.codec import dumps
from tui.core.errors import BackendError, CredentialError, MimoError, UsageError
from tui.core.events import Delta, Notice, ReplyReceived, Retrying, RuleLearned
from tui.core.messages import Json
from tui.settings.credentials import credential_for
from tui.settings.learned import Learned, forget_learned, keep_learned

if TYPE_CHECKING:
    from tui.backends.learning import Lesson, Lessons
    from tui.core.usage import Usage

Piece = Sent | Delta | Retrying | RuleLearned | Notice | ReplyReceived | Reply
"""What an answer comes in."""
_PLAIN_HEADERS = {"Content-Type", "Accept"}
_PRIVATE = ("set-cookie",)


class Backend:
    """Asks one model. Close it at the end: it keeps a connection.

    backend = Backend(resolve(settings, "deepseek"))
    async with aclosing(backend.ask(Request("", (user("Hello"),)))) as answer:
        async for piece in answer: ...
    """

    def __init__(self, spec: BackendSpec, *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        """`sleep` waits before a retry; tests have their own."""
        self.spec = spec
        self._sleep = sleep
        self._wire: ModuleType = importlib.import_module(f"tui.backends.wires.{spec.wire.replace('-', '_')}")
        self._writing, self._growing = Writing(), GrowingBody()
        self._client: Client | None = None
        self._base_url = spec.base_url
        self._key: str | None = None
        """What is sent as the key; empty for none, None while it is not known."""
        self._has_asked = False
        """The server was asked what it says of the model."""
        self._tools_refused = False
        """The server refused `tools`, whatever its own pages say of them."""
        self._window_before: tuple[int | None, dict[str, str]] = (None, {})
        """What was known of the window before an error told it, and who said so."""
        self._void: set[str] = set()
        """Reasoning that the server made and does not accept any more."""

    async def ask(self, request: Request) -> AsyncGenerator[Piece, None]:
        """The answer as it comes: `Sent`, deltas, at the end what was received, raw, and a `Reply`.

        Before the first delta there may be `Retrying`, and `RuleLearned` when the server refused the request in a way
        that tells how it wants it; before the `Reply` a `Notice`, when what was learned once is not true any more.
        Closing it, or cancelling its reader, closes the connection at once.
        Raises BackendError, with `learned` set when only the asker can act on what was learned; also CredentialError,
        ConfigError, and ModelFileError for the embedded model.
        """
        if self.spec.model is None:
            raise UsageError(
                f"{self.spec.name}: no model is chosen",
                f"Choose one with /model, or --model; `mimo-tui backends models {self.spec.name}` lists them.",
            )
        if self.spec.wire in discovery.MUST_ASK and "context_window" not in self.spec.set_by_user:
            await self.discover()
        if self.spec.rules.images is False and has_images(request.messages[-1:]):
            raise UsageError(
                f"{self.spec.name}: {self.spec.model} cannot see images",
                "Choose another model, or send the words alone.",
            )
        if self.spec.rules.image_side_px or self.spec.rules.image_bytes:
            request = await asyncio.to_thread(fitted, request, self.spec.rules)
        if self._void:
            from tui.backends.learning import without_reasoning

            request = without_reasoning(request, self._void)
        body = self._wire.encode(request, self.spec, self._writing)
        retried, has_begun, was_sent = 0, False, False
        lessons: Lessons | None = None
        while True:
            try:
                url, headers = await self._address(self._wire.PATH)
                if not was_sent:
                    was_sent = True
                    yield Sent(url, body, self._shown(headers))
                async with aclosing(self._attempt(url, headers, body)) as answer:
                    async for piece in answer:
                        if not has_begun and not isinstance(piece, ReplyReceived):
                            has_begun = True
                            await self._keep(lessons.accepted() if lessons else [], request)
                        if isinstance(piece, Reply) and (words := await self._outgrown(piece.usage)):
                            yield Notice(words)
                        yield piece
                return
            except BackendError as error:
                failure = self._without_key(error)
            if has_begun:
                raise failure
            lessons = lessons or self._lessons(request)
            new = lessons.learn(failure)
            await self._keep(lessons.proven(), request)
            if new is not None:
                yield RuleLearned(new.rule, dumps(new.value), new.because)
                if new.is_final:
                    failure.learned = new.rule
                    raise failure
                body, was_sent = lessons.body, False
                continue
            wait_s = self._wait_s(failure, retried)
            if wait_s is None:
                raise lessons.explained(failure)
            retried += 1
            yield Retrying(wait_s, retried, failure.info, None if failure.kind == "loading" else self.spec.retries)
            await self._sleep(wait_s)

    async def list_models(self) -> list[ModelInfo]:
        """The models that the server offers, sorted by id. Raises as `ask` does."""
        return await discovery.list_models(self.page, self.spec)

    async def discover(self) -> None:
        """Ask the server, once, what it says of the model, and go by it where the user has not said otherwise.

        Never raises, and takes `discovery.LIMIT_S` at most: what is not found out stays as it was known.
        """
        if self._has_asked or self.spec.embedded or self.spec.model is None:
            return
        self._has_asked = True
        with suppress(MimoError, TimeoutError):
            async with asyncio.timeout(discovery.LIMIT_S):
                if info := await discovery.look_up(self.page, self.spec):
                    self.spec = informed(self.spec, info)

    async def tool_strategy(self, *, may_ask: bool = True) -> Strategy:
        """How this model is asked for tool calls: as set, else as the server says if we `may_ask`, else by rule."""
        return (await self.tool_strategy_and_why(may_ask=may_ask))[0]

    async def tool_strategy_and_why(self, *, may_ask: bool = True) -> tuple[Strategy, str]:
        """Like `tool_strategy`, with the reason in words."""
        if self.spec.strategy != "auto":
            return self.spec.strategy, "it is set"
        without: Strategy = "text" if self.spec.rules.response_format == "none" else "constrained"
        if self._tools_refused:
            return without, "the server refused tools"
        if not self.spec.rules.native_tools and self.spec.sources.get("native_tools") == "learned":
            return without, f"learned before; `mimo-tui backends show {self.spec.name} --forget` takes it back"
        if may_ask and self.spec.wire in discovery.MUST_ASK:
            await self.discover()
        is_able: Any = None
        if may_ask and self.spec.rules.props:
            is_able = nested(await discovery.props(self.page), "chat_template_caps", "supports_tool_calls")
        if isinstance(is_able, bool):
            return "native" if is_able else without, f"the model's template has {'' if is_able else 'no '}tools"
        if self.spec.rules.native_tools:
            return "native", "nothing speaks against it"
        is_told = self.spec.sources.get("native_tools") == "server"
        return without, "the server says so" if is_told else "its rules say so"

    async def aclose(self) -> None:
        """Close the connections. The backend can be asked again."""
        if self._client is not None:
            client, self._client = self._client, None
            await client.aclose()

    async def _attempt(
        self, url: str, headers: dict[str, str], body: Json
    ) -> AsyncGenerator[Delta | ReplyReceived | Reply, None]:
        recording = Recording()
        async with self._connected().send("POST", url, headers, self._growing.encode(body)) as response:
            try:
                if not 200 <= response.status < 300:
                    said = await response.text(ERROR_LIMIT_BYTES)
                    recording.add(said.encode("utf-8", "replace"))
                    raise self._wire.explain(response.status, response.headers, said, self.spec)
                parser, decoder = self._wire.Parser(), self._wire.Decoder(self.spec)
                try:
                    async with aclosing(response.chunks()) as chunks:
                        async for chunk in chunks:
                            recording.add(chunk)
                            for delta in joined(deltas_of(decoder, parser.feed(chunk))):
                                yield delta
                            if decoder.is_done:
                                break
                except BackendError as error:
                    if error.kind not in ("network", "timeout") or not getattr(decoder, "is_whole", False):
                        raise
                if decoder.is_done:
                    await response.drain()
                else:
                    for delta in joined(deltas_of(decoder, parser.close())):
                        yield delta
                reply = decoder.finish()
            except BackendError:
                yield self._received(response, recording)
                raise
            yield self._received(response, recording)
            yield reply

    def _received(self, response: Response, recording: Recording) -> ReplyReceived:
        headers = {name: self._masked(value) for name, value in response.headers.items() if name not in _PRIVATE}
        return ReplyReceived(response.status, headers, self._masked(recording.text()))

    def _lessons(self, request: Request) -> Lessons:
        """What is learned while `request` is on its way; nothing is, mostly, so it is made at the first refusal."""
        from tui.backends.learning import Lessons

        return Lessons(request, self.spec, self._wire.encode)

    async def _keep(self, lessons: list[Lesson], request: Request) -> None:
        """Ask as the server wants it from now on, also the next time that the program runs."""
        if not lessons:
            return
        from tui.backends.learning import marks_of, taught

        today, base_url, model = time.strftime("%Y-%m-%d"), self.spec.base_url, self.spec.model or ""
        for new in lessons:
            if new.is_for_conversation:
                self._void |= marks_of(request)
                continue
            sources = self.spec.sources
            if new.rule == "context_window" and sources.get(new.rule) != "learned":
                source = {new.rule: sources[new.rule]} if new.rule in sources else {}
                self._window_before = self.spec.context_window, source
            self.spec = taught(self.spec, new)
            self._tools_refused = self._tools_refused or new.rule == "native_tools"
            with suppress(MimoError):  # it is learned again the next time
                entry = Learned(base_url, model, new.rule, new.value, new.because, today)
                await asyncio.to_thread(keep_learned, entry)

    async def _outgrown(self, usage: Usage) -> str:
        """Forget a learned window that the server has taken more than; what to tell of it, or nothing."""
        if self.spec.sources.get("context_window") != "learned":  # the usual case, without the import
            return ""
        from tui.backends.learning import has_outgrown

        if not has_outgrown(self.spec, usage):
            return ""
        told, (window, source) = self.spec.context_window, self._window_before
        sources = {name: who for name, who in self.spec.sources.items() if name != "context_window"} | source
        self.spec = structs.replace(self.spec, context_window=window, sources=sources)
        with suppress(MimoError):  # it is forgotten the next time
            await asyncio.to_thread(forget_learned, self.spec.base_url, self.spec.model, "context_window")
        return (
            f"{self.spec.name} took more than the {told:,} tokens that an error told as its window: that is forgotten."
        )

    async def _address(self, path: str) -> tuple[str, dict[str, str]]:
        """Where a request goes, and its headers, the key among them. Starts the embedded model if it is that."""
        if self.spec.embedded:
            from tui.backends.embedded.process import ensure_started

            address = await ensure_started(self.spec.model or "")
            if address.base_url != self._base_url:
                await self.aclose()
            self._base_url, self._key = address.base_url, address.key
        elif self._key is None:
            self._key = await asyncio.to_thread(_key, self.spec)
        return self._base_url + path, self._headers()

    def _headers(self) -> dict[str, str]:
        """What each request carries: the wire's, then the key, then the user's own, which win."""
        name = self.spec.rules.key_header or self._wire.KEY_HEADER
        scheme = "Bearer " if name.lower() == "authorization" else ""
        own = self.spec.headers
        key = {name: scheme + self._key} if self._key and not any(k.lower() == name.lower() for k in own) else {}
        wire: dict[str, str] = self._wire.HEADERS
        return {"Content-Type": "application/json", "Accept": "text/event-stream"} | wire | key | own

    def _shown(self, headers: dict[str, str]) -> dict[str, str]:
        """Headers as they may be kept: the key and the user's own, which may be secret, are not in them."""
        plain = _PLAIN_HEADERS | self._wire.HEADERS.keys()
        return {name: value if name in plain else "•••" for name, value in headers.items()}

    def _connected(self) -> Client:
        if self._client is None:
            self._client = Client(structs.replace(self.spec, base_url=self._base_url))
        return self._client

    async def page(self, path: str, *, at_root: bool = False, body: Json | None = None) -> Any:
        """A JSON document that the server has, as `discovery` asks for it. Raises as `ask` does."""
        try:
            _, headers = await self._address("")
            base = discovery.root_of(self._base_url) if at_root else self._base_url
            return await self._connected().get_json(base + path, headers, body)
        except BackendError as error:
            raise self._without_key(error) from error

    def _wait_s(self, error: BackendError, retried: int) -> float | None:
        """Seconds until the next try; None when there is none. A model that is being loaded is waited for."""
        if error.kind == "loading" and retried * 2.0 < self.spec.timeouts.first_byte:
            return wait_before_retry_s(error, retried)
        tries = min(1, self.spec.retries) if error.kind == "no_credit" else self.spec.retries
        if not error.retryable or retried >= tries:
            return None
        wait_s = wait_before_retry_s(error, retried)
        if wait_s is None:
            error.hint = f"The server asks to wait {error.retry_after_s:.0f} s. {error.hint}".strip()
        return wait_s

    def _without_key(self, error: BackendError) -> BackendError:
        """The error with the key, which some servers echo, made unreadable. A key that was refused is forgotten.

        One from where the backend is not known gets its name, and what to do.
        """
        name = f"{self.spec.name}: "
        safe = BackendError(
            error.kind,
            self._masked(name + error.message.removeprefix(name)),
            self._masked(error.hint or hint(error.kind, self.spec)),
            retryable=error.retryable,
            retry_after_s=error.retry_after_s,
            raw=self._masked(error.raw),
        ).with_traceback(error.__traceback__)
        if error.kind == "auth":
            self._key = None  # another one may be set before the next request
        return safe

    def _masked(self, text: str) -> str:
        return text.replace(self._key, "•••") if self._key else text


def _key(spec: BackendSpec) -> str:
    """The key, for the origin of the spec; empty for none. A local server whose key nobody has set is asked without."""
    try:
        secret = credential_for(spec.name, spec.base_url, spec.credential)
    except CredentialError:
        if spec.local and spec.credential is None:
            return ""
        raise
    return secret.reveal() if secret else ""
