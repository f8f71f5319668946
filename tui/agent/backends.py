"""The backends of a conversation: each keeps its connection from one turn to the next."""

from __future__ import annotations

from tui.backends.backend import Backend
from tui.backends.spec import BackendSpec


class Backends:
    """Made when first asked for; close them at the end."""

    def __init__(self) -> None:
        self._made: list[tuple[BackendSpec, Backend]] = []

    def of(self, spec: BackendSpec) -> Backend:
        """The backend that was made from this spec, or has come to it by what it learned."""
        for made_from, backend in self._made:
            if spec in (made_from, backend.spec):
                return backend
        self._made.append((spec, Backend(spec)))
        return self._made[-1][1]

    async def aclose(self) -> None:
        for _, backend in self._made:
            await backend.aclose()
