"""A model server that answers what a test wrote: real HTTP/1.1 on the loopback, in a thread of its own."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from tests.scripted.asked import Asked
from tests.scripted.cache import PrefixBreak, PrefixCache, prefix_breaks, segments
from tests.scripted.checks import Complaint, Demands
from tests.scripted.connection import Protocol, Received, Sender, read_request
from tests.scripted.elements import Json, Pause
from tests.scripted.render import actions
from tests.scripted.reply import Reply, Response, fault, json_response
from tests.scripted.vendors.vendor import Plain, Vendor
from tests.scripted.wires import PATHS
from tests.scripted.wires.messages import prefix

WAIT_S = 20.0
"""How long `wait_until` and `until` wait for what must happen."""

Answer = Reply | Response | str
Scripted = Answer | Callable[[Received], Answer]


class ScriptedServer:
    """Speaks the four wires (and llama.cpp's `/props`, `/health`) and gives the scripted replies, one a request.

    `replies`: a list of `Reply`, `fault(...)` and the like, strings (short for `Reply(string)`) and functions of the
    request that return one of these; or one function that answers every request. A request that a real server would
    refuse gets that refusal and uses up no reply. `key`: any other Authorization is a 401. `models`: what is listed (an
    id, or an object with an id); with `strict`, any other is a 404. `props`: None for a server without that page.
    `routes`: further pages, by path. `vendor`: whose rules, errors, models and pages it has (`tests.scripted.vendors`);
    such a server also says how much of each prompt it had in its cache.

        with ScriptedServer(["Hello", Reply(tool_call("read_file", {"path": "a"}))]) as server:
            ...  # talk to server.base_url
        assert server.requests[0].body["model"] == "scripted"
    """

    def __init__(
        self,
        replies: Sequence[Scripted] | Callable[[Received], Answer] = (),
        *,
        key: str | None = None,
        models: Iterable[str | Json] = ("scripted",),
        strict: bool = False,
        demands: Demands | None = None,
        vendor: Vendor | None = None,
        props: Json | None = None,
        routes: dict[str, Callable[[Received], Response]] | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self.replies: Callable[[Received], Answer] | list[Scripted] = replies if callable(replies) else list(replies)
        """Those that are still to come."""
        self.requests: list[Received] = []
        """Requests for completions on any wire, in order of arrival, the refused ones included."""
        self.others: list[Received] = []
        """All other requests: models, props, health and unknown pages."""
        self.pauses = 0
        """How many pauses were reached so far."""
        self.problems: list[str] = []
        """What was wrong with the script itself: it was too short, or raised."""
        self.key, self.host, self.port = key, host, port
        listed = [{"id": model} if isinstance(model, str) else model for model in models]
        demands = demands or Demands()
        if strict:
            demands = replace(demands, models=tuple(model["id"] for model in listed))
        self.vendor = vendor or Plain(demands)
        self.cache = PrefixCache()
        self._tells_cached = vendor is not None and vendor.cache != "none"
        data = [{"object": "model", "created": 1_700_000_000, "owned_by": "tests"} | model for model in listed]
        if vendor is not None and vendor.models:
            data = [vendor.listed(model) for model in vendor.models]
        pages: Json = {"/v1/models": {"object": "list", "data": data}, "/health": {"status": "ok"}}
        pages["/models"] = pages["/v1/models"]
        if props is not None:
            pages["/props"] = props
        self.routes = {path: self._page(page) for path, page in pages.items()} | self.vendor.pages() | (routes or {})
        """Pages other than completions, by path; more may be added at any time."""
        self._given = 0
        self._open_pauses = 0
        self._releases = 0
        self._changed = threading.Condition()
        self._connections: set[asyncio.Task[None]] = set()

    # Life

    def __enter__(self) -> ScriptedServer:
        return self.start()

    def __exit__(self, *error: object) -> None:
        self.stop()

    def start(self) -> ScriptedServer:
        """Listen; `base_url` is known when this returns."""
        self._failure: OSError | None = None
        self._listening = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True, name="scripted")
        self._thread.start()
        self._listening.wait()
        if self._failure:
            raise self._failure
        return self

    def stop(self) -> None:
        """Close every connection, whatever its reply is at."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopped.set)
            self._thread.join()

    async def _serve(self) -> None:
        self._loop, self._stopped = asyncio.get_running_loop(), asyncio.Event()
        try:
            listener = await self._loop.create_server(lambda: Protocol(self._connected), self.host, self.port)
            self.port = listener.sockets[0].getsockname()[1]
        except OSError as error:
            self._failure = error
            return
        finally:
            self._listening.set()
        await self._stopped.wait()
        listener.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    @property
    def root(self) -> str:
        return f"http://{self.host}:{self.port}"

    @property
    def base_url(self) -> str:
        return f"{self.root}/v1"

    # What a test does meanwhile

    def release(self) -> None:
        """End the next pause that has neither seconds nor an event; also one that is yet to come."""
        with self._changed:
            self._releases += 1

    def wait_until(self, happened: Callable[[], bool]) -> None:
        """Wait until something is true of `requests`, `pauses` and so on: `lambda: server.requests[0].abandoned`.

        A request that is not there yet is waited for.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: _is_so(happened), WAIT_S):
                raise AssertionError(f"still not so after {WAIT_S:.0f} s: {self}")

    async def until(self, happened: Callable[[], bool]) -> None:
        """`wait_until` for a test with an event loop, which goes on meanwhile."""
        await asyncio.to_thread(self.wait_until, happened)

    def complaints(self) -> list[str]:
        """What a test should not leave behind: replies that nobody asked for, and problems."""
        left = 0 if callable(self.replies) else len(self.replies)
        return [*self.problems, *([f"{left} scripted replies were not asked for"] if left else [])]

    def prefix_breaks(self, of: Callable[[Received], bool] = lambda request: True) -> list[PrefixBreak]:
        """Requests, among those `of` the wanted kind, that do not extend the one before byte for byte."""
        return prefix_breaks([request for request in self.requests if of(request)])

    def __repr__(self) -> str:
        seen = [f"{request.method} {request.path} {request.refused or ''}".strip() for request in self.requests]
        return f"<ScriptedServer {self.base_url} requests={seen} pauses={self.pauses} problems={self.problems}>"

    # In the server's thread

    def _connected(self, protocol: Protocol, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._talk(protocol, reader, writer))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    async def _talk(self, protocol: Protocol, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sender = Sender(protocol, writer, self._pause)
        try:
            while request := await read_request(reader):
                if not await self._answer(request, sender) or request.headers.get("connection") == "close":
                    return
        except ConnectionError:
            return
        finally:
            writer.close()

    async def _answer(self, request: Received, sender: Sender) -> bool:
        request.wire = PATHS.get(request.path) if request.method == "POST" else None
        with self._changed:
            (self.requests if request.wire else self.others).append(request)
            self._changed.notify_all()
        reply = self._completion(request) if request.wire else self._other(request)
        asked = self._asked(request)
        ended = False
        try:
            ended = await sender.send(actions(reply, asked))
        finally:
            with self._changed:
                request.answered_s = time.monotonic() if ended else None
                request.abandoned = not ended and sender.protocol.client_left
                self._changed.notify_all()
        return ended

    def _asked(self, request: Received) -> Asked:
        body, wire = (request.body if isinstance(request.body, dict) else {}), request.wire or "chat"
        request.prompt_tokens, written = max(1, len(request.raw) // 4), 0
        if request.wire and not request.refused and self._tells_cached:
            prompt = segments(body, wire)
            request.prompt_tokens = max(1, sum(len(segment.data) for segment in prompt) // 4)
            read, written = self.cache.ask(str(body.get("model")), prompt, self.vendor.cache)
            request.cached_tokens, written = read // 4, written // 4
        return Asked(
            number=self._given,
            model=str(body.get("model", "")),
            stream=bool(body.get("stream", wire == "ollama")),
            include_usage=bool((body.get("stream_options") or {}).get("include_usage")),
            prompt_tokens=request.prompt_tokens,
            cached_tokens=request.cached_tokens if self._tells_cached else None,
            written_tokens=written,
            wire=wire,
            body=body,
            prefix=prefix(body) if request.wire == "messages" and not request.refused else [],
            voice=self.vendor,
        )

    def _completion(self, request: Received) -> Reply | Response:
        refused = self._unauthorized(request)
        if refused is None and request.body is None:
            complaint = Complaint("We could not parse the JSON body of your request.")
            refused = self.vendor.error(complaint, request)
        refused = refused or self.vendor.refusal(request)
        if refused:
            request.refused = refused.status
            return refused
        return self._next(request)

    def _other(self, request: Received) -> Response:
        page = self.routes.get(request.path)
        if request.path != "/health" and (refused := self._unauthorized(request)):
            request.refused = 401
            return refused
        if page is None or (request.method != "GET" and request.path in ("/v1/models", "/models", "/props", "/health")):
            request.refused = 404
            return fault(404, message=f"Invalid URL ({request.method} {request.path})", type="invalid_request_error")
        return page(request)

    def _page(self, content: Any) -> Callable[[Received], Response]:
        return lambda request: json_response(content)

    def _unauthorized(self, request: Received) -> Response | None:
        given = self.vendor.key(request)
        if self.key is None or given == self.key:
            return None
        return self.vendor.error(self.vendor.no_key(given), request)

    def _next(self, request: Received) -> Reply | Response:
        """The next reply of the script; a 500 with a clear text when there is none."""
        if not callable(self.replies) and not self.replies:
            return self._broken_script(f"the script is exhausted: it had {self._given} replies")
        scripted = self.replies if callable(self.replies) else self.replies.pop(0)
        self._given += 1
        try:
            reply = scripted(request) if callable(scripted) else scripted
        except Exception as error:
            return self._broken_script(f"the function for reply {self._given} raised {error!r}")
        return Reply(reply) if isinstance(reply, str) else reply

    def _broken_script(self, message: str) -> Response:
        self.problems.append(message)
        return fault(500, message=message, type="scripted_server", headers={"x-should-retry": "false"})

    def _pause(self, pause: Pause) -> Callable[[], bool]:
        with self._changed:
            self.pauses += 1
            self._open_pauses += pause.seconds is None and pause.event is None
            number = self._open_pauses
            self._changed.notify_all()
        if pause.seconds is not None:
            end = time.monotonic() + pause.seconds
            return lambda: time.monotonic() >= end
        if pause.event is not None:
            return pause.event.is_set
        return lambda: self._releases >= number


def _is_so(happened: Callable[[], bool]) -> bool:
    try:
        return happened()
    except IndexError:
        return False
