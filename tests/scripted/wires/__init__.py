"""One reply in the form of each wire, by the path that was asked."""

from __future__ import annotations

from tests.scripted.asked import Wire

_ENDS: dict[str, Wire] = {"/chat/completions": "chat", "/messages": "messages", "/responses": "responses"}
_BASES = ("", "/v1", "/anthropic/v1", "/api/v1", "/v1beta/openai", "/compatible-mode/v1")
PATHS: dict[str, Wire] = {base + end: wire for base in _BASES for end, wire in _ENDS.items()} | {"/api/chat": "ollama"}
"""Where requests for completions go: OpenAI's paths, and what stands before them at the vendors."""
