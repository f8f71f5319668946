"""What a turn is given: who answers, the tools and where they work, and what it may use."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from tui.agent.answering import Answering
from tui.agent.calls import Asker, Workshop
from tui.agent.limits import Limits
from tui.agent.loop import Agent
from tui.agent.prompt import system_prompt
from tui.backends.backend import Backend
from tui.backends.resolve import resolve
from tui.backends.spec import BackendSpec
from tui.core.errors import MimoError, UsageError
from tui.settings.schema import Settings
from tui.tools.base import ToolContext
from tui.tools.registry import EMPTY, default_toolbox
from tui.tools.sandbox import find_sandbox

if TYPE_CHECKING:
    from tui.agent.conversation import Conversation


async def outfit(conversation: Conversation, asker: Asker) -> Agent:
    """Who works on the next turn of a conversation, by its settings as they are now.

    Raises what cannot be used: UsageError without a backend, and what asking its server raises.
    """
    spec = await asyncio.to_thread(conversation.spec)
    if spec is None:
        raise UsageError("no backend is set", "Choose one with /setup, /backend or --backend NAME.")
    is_agent = conversation.mode == "agent"
    if is_agent and conversation.sandbox is None and await conversation.try_sandbox() == "missing":
        why = conversation.sandbox_problem
        conversation.tell(f"Commands run only when you approve them: no sandbox works here ({why}).")
    toolbox = default_toolbox() if is_agent else EMPTY
    if is_agent and (servers := conversation.settings.mcp):
        toolbox = toolbox.with_more(await conversation.mcp.tools(servers))
    workshop = Workshop(
        toolbox,
        _tool_context(conversation, spec),
        conversation,
        asker,
        hooks=conversation.hooks,
        project=conversation.project,
        keeper=conversation.keeper if is_agent else None,
    )
    specs = [spec, *await asyncio.to_thread(_fallbacks, conversation.settings, spec)]

    def system_of(backend: Backend) -> str:
        return backend.spec.system_prompt or system_prompt(conversation.mode, conversation.folder)

    answering = Answering(
        [conversation.backends.of(spec) for spec in specs],
        system_of,
        look_up=conversation.backends.look_up if conversation.asks_server else None,
        has_tools=bool(toolbox.names),
    )
    if words := await answering.begin():
        conversation.tell(words)
    settings = conversation.settings.agent
    limits = Limits(conversation.max_steps, settings.max_tokens, conversation.budget)
    return Agent(answering, workshop, limits, conversation.compactor, cache=conversation.cache)


def _fallbacks(settings: Settings, spec: BackendSpec) -> list[BackendSpec]:
    """The backends to ask instead. One that cannot be used is left out: it is no reason not to ask the first."""
    config = settings.backends.get(spec.name)
    found = []
    for name in config.fallback if config else ():
        with suppress(MimoError):
            found.append(resolve(settings, name))
    return found


def _tool_context(conversation: Conversation, spec: BackendSpec) -> ToolContext:
    agent = conversation.settings.agent
    sandbox = find_sandbox() if conversation.sandbox == "on" else None
    return ToolContext(
        conversation.folder,
        sandbox,
        agent.command_timeout,
        agent.network,
        desk=conversation.desk,
        sees_images=spec.rules.images,
    )
