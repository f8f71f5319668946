"""The backends of a conversation: each keeps its connection from one turn to the next."""

from __future__ import annotations

import asyncio

from tui.backends.backend import Backend
from tui.backends.spec import BackendSpec


class Backends:
    """Made when first asked for; close them at the end."""

    def __init__(self) -> None:
        self._made: list[tuple[BackendSpec, Backend]] = []
        self._looking: set[asyncio.Task[None]] = set()

    def of(self, spec: BackendSpec) -> Backend:
        """The backend that was made from this spec, or has come to it by what it learned."""
        for made_from, backend in self._made:
            if spec in (made_from, backend.spec):
                return backend
        self._made.append((spec, Backend(spec)))
        return self._made[-1][1]

    def informed(self, spec: BackendSpec) -> BackendSpec:
        """The spec with what its server has said of the model, as far as it was asked."""
        return next((backend.spec for made_from, backend in self._made if made_from == spec), spec)

    def look_up(self, backend: Backend) -> None:
        """Let the server say what its model is, while it is asked: the first question does not wait for that."""
        task = asyncio.create_task(backend.discover(), name=f"look up {backend.spec.name}")
        self._looking.add(task)
        task.add_done_callback(self._looking.discard)

    async def aclose(self) -> None:
        for task in self._looking:
            task.cancel()
        await asyncio.gather(*self._looking, return_exceptions=True)
        for _, backend in self._made:
            await backend.aclose()
