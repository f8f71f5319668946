"""What a turn is given: who answers, the tools and where they work, and what it may use."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from tui.agent.answering import Answering
from tui.agent.calls import Asker, Workshop
from tui.agent.limits import Limits
from tui.agent.loop import Agent
from tui.agent.prompt import system_prompt
from tui.agent.strategies.base import SMALL_WINDOW_TOKENS
from tui.agent.subagents import Subagents, known_agents
from tui.backends.backend import Backend
from tui.backends.resolve import resolve
from tui.backends.spec import BackendSpec
from tui.core.errors import MimoError, UsageError
from tui.core.text import clean_line
from tui.settings.agent_files import AgentDefinition
from tui.settings.schema import Settings
from tui.tools.base import ToolContext
from tui.tools.delegate import Delegate
from tui.tools.present_plan import PresentPlan
from tui.tools.registry import EMPTY, Toolbox, default_toolbox
from tui.tools.use_skill import UseSkill

if TYPE_CHECKING:
    from tui.agent.conversation import Conversation


async def outfit(conversation: Conversation, asker: Asker) -> Agent:
    """Who works on the next turn of a conversation, by its settings as they are now.

    Raises what cannot be used: UsageError without a backend, and what asking its server raises.
    """
    spec = await asyncio.to_thread(conversation.spec)
    if spec is None:
        raise UsageError("no backend is set", "Choose one with /setup, /backend or --backend NAME.")
    is_agent, permissions = conversation.mode == "agent", conversation.permissions
    if is_agent and permissions.sandbox is None and await permissions.try_sandbox() == "missing":
        why = permissions.sandbox_problem
        conversation.tell(f"Commands run only when you approve them: no sandbox works here ({why}).")
    toolbox, subagents = EMPTY, None
    if is_agent:
        toolbox = default_toolbox(conversation.settings.agent, conversation.folder)
        if spec.context_window is None or spec.context_window > SMALL_WINDOW_TOKENS:
            definitions = await _definitions(conversation)
            subagents = Subagents(conversation, definitions, partial(_answering, conversation))
            for unusable in await asyncio.to_thread(conversation.project.unusable_skills):
                conversation.tell(f"This skill cannot be used: {clean_line(unusable, 300)}.")
            skills = UseSkill(lambda: conversation.project.skills)
            toolbox = Toolbox((*toolbox.tools, Delegate(definitions, subagents), skills, PresentPlan()))
    if is_agent and (servers := conversation.settings.mcp):
        toolbox = toolbox.with_more(await conversation.mcp.tools(servers))
    workshop = Workshop(
        toolbox,
        _tool_context(conversation, spec),
        permissions,
        asker,
        hooks=conversation.hooks,
        project=conversation.project,
        is_attended=conversation.is_attended,
        keeper=conversation.keeper if is_agent else None,
    )

    def system_of(backend: Backend) -> str:
        return backend.spec.system_prompt or system_prompt(conversation.mode, conversation.folder)

    answering, words = await _answering(conversation, spec, system_of, bool(toolbox.names))
    if words:
        conversation.tell(words)
    settings = conversation.settings.agent
    limits = Limits(conversation.max_steps, settings.max_tokens, conversation.budget)
    agent = Agent(answering, workshop, limits, conversation.compactor, cache=conversation.cache)
    if subagents is not None:
        subagents.work_for(agent)
    return agent


async def _answering(
    conversation: Conversation, spec: BackendSpec, system_of: Callable[[Backend], str], has_tools: bool
) -> tuple[Answering, str | None]:
    """A backend with those that are asked instead, ready to be asked; and what to tell. Raises what asking raises."""
    specs = [spec, *await asyncio.to_thread(_fallbacks, conversation.settings, spec)]
    answering = Answering(
        [conversation.backends.of(spec) for spec in specs],
        system_of,
        look_up=conversation.backends.look_up if conversation.asks_server else None,
        has_tools=has_tools,
    )
    return answering, await answering.begin()


async def _definitions(conversation: Conversation) -> Sequence[AgentDefinition]:
    """The subagents of a session: those that there were when its first agent turn began, in this run."""
    if conversation.agents is None:
        found = await asyncio.to_thread(known_agents, conversation.settings, conversation.folder)
        conversation.agents = found.definitions
        for error in found.errors:
            conversation.tell(f"This subagent cannot be used: {error.told}")
    return conversation.agents


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
    return ToolContext(
        conversation.folder,
        conversation.permissions.usable_sandbox,
        agent.command_timeout,
        agent.network,
        desk=conversation.desk,
        sees_images=spec.rules.images,
    )
