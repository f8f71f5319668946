"""Who answers a turn: a backend and how it is asked for tool calls, and who goes on when it cannot."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress

from tui.agent.strategies import Strategy, choose
from tui.backends.backend import Backend
from tui.core.errors import BackendError, ConfigError, CredentialError, MimoError

_ELSEWHERE = ("overloaded", "rate_limited", "network", "timeout", "local_server_down")
"""Errors that another backend may not have."""


class Answering:
    """The backends of a turn: the chosen one, then its fallbacks. A turn that went on elsewhere stays there."""

    backend: Backend
    strategy: Strategy
    system: str

    def __init__(
        self,
        backends: Sequence[Backend],
        system_of: Callable[[Backend], str],
        *,
        look_up: Callable[[Backend], None] | None,
        has_tools: bool,
    ) -> None:
        """`look_up` lets a server say what it can; None: servers are asked nothing, only what is known counts."""
        self._waiting: Iterator[Backend] = iter(backends)
        self._system_of = system_of
        self._look_up, self._has_tools = look_up, has_tools
        self._is_first = True

    async def begin(self) -> str | None:
        """Get ready to ask the first, or one that goes on for it: then what to tell. Raises what asking raises."""
        try:
            await self._take(next(self._waiting))
            return None
        except MimoError as error:
            if (words := await self.go_on_after(error)) is None:
                raise
            return words

    async def go_on_after(self, error: MimoError) -> str | None:
        """Arrange that the same can be asked again after `error`: otherwise, or elsewhere. What to tell of it, or None.

        None: it cannot; the error is the turn's end.
        """
        if isinstance(error, BackendError) and error.learned == "native_tools":
            await self._take(self.backend)
            return "This model is asked for tool calls in another way from now on."
        is_a_fallback_that_is_not_set_up = not self._is_first and isinstance(error, CredentialError | ConfigError)
        if error.kind not in _ELSEWHERE and not is_a_fallback_that_is_not_set_up:
            return None
        for backend in self._waiting:
            self._is_first = False
            with suppress(MimoError):  # it cannot even say how it wants to be asked: the next one, then
                await self._take(backend)
                spec = backend.spec
                return f"{error.message.rstrip('.')}. Going on with {spec.name} ({spec.model or 'no model'})."
        return None

    async def _take(self, backend: Backend) -> None:
        self.strategy = await choose(backend, may_ask=self._look_up is not None and self._has_tools)
        if self._look_up is not None:
            self._look_up(backend)
        self.backend, self.system = backend, self._system_of(backend)
