"""A project's `.mimo/config.toml`: the few settings that it may make, and only once the user trusts the project.

No backend, address, key, policy, sandbox or limit is among them: those are the user's alone.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Annotated, NamedTuple

from msgspec import Struct, structs

from tui.core.errors import ConfigError
from tui.settings.checking import Key, Problem, check, quoted
from tui.settings.names import did_you_mean
from tui.settings.project import project_root
from tui.settings.references import absolute_program
from tui.settings.regular_files import CONFIG_BYTES
from tui.settings.schema import (
    AllowRule,
    Hook,
    McpConfig,
    Mode,
    Settings,
    given,
    how_to_reach,
    not_empty,
)
from tui.settings.toml_file import TomlFile, read
from tui.settings.trust import project_config_file, trust_state


class ProjectDefaults(Struct, frozen=True):
    """What a conversation in this project begins with."""

    backend: Annotated[str, not_empty] | None = None
    model: Annotated[str, not_empty] | None = None
    mode: Mode | None = None


class ProjectAgent(Struct, frozen=True):
    allow: tuple[AllowRule, ...] = ()
    """They hold while working in this project only, whatever folder they name."""


class ProjectSettings(Struct, frozen=True):
    """All that a project may set."""

    defaults: ProjectDefaults = ProjectDefaults()
    agent: ProjectAgent = ProjectAgent()
    mcp: dict[str, Annotated[McpConfig, how_to_reach]] = {}
    hooks: tuple[Hook, ...] = ()


class ProjectHook(Hook, frozen=True):
    """A hook that a project brought: it works in the project, inside the sandbox, while that is trusted as it is."""

    root: str = ""


class ProjectServer(McpConfig, frozen=True):
    """A server of tools that a project brought: it is started only while that is trusted as it is."""

    root: str = ""


class Found(NamedTuple):
    """What a project's file says."""

    settings: ProjectSettings
    errors: list[ConfigError]
    file: TomlFile | None
    """None: there is none, or it cannot be parsed."""


def read_project(root: Path) -> Found:
    """What the project at `root` would set, trusted or not. Blocking, raises nothing."""
    try:
        file = read(project_config_file(root), CONFIG_BYTES)
    except ConfigError as error:
        return Found(ProjectSettings(), [error], None)
    if file is None:
        return Found(ProjectSettings(), [], None)
    problems: list[Problem] = []
    settings = check(file.table, ProjectSettings, problems) or ProjectSettings()
    problems += [
        Problem(
            ("mcp", name, "env"),
            "a project cannot have a value out of your keyring",
            "Put the server into config.toml.",
        )
        for name, server in settings.mcp.items()
        if any(not isinstance(value, str) for value in server.env.values())
    ]
    return Found(settings, [file.error(problem) for problem in problems], file)


def with_project(
    settings: Settings, folder: Path, preset_names: Collection[str] | None
) -> tuple[Settings, list[ConfigError]]:
    """`settings` with those of the project that `folder` is in, if it is trusted; and what is wrong with the file."""
    root = project_root(folder)
    if not project_config_file(root).is_file() or trust_state(root) != "trusted":
        return settings, []
    project, errors, file = read_project(root)
    if errors or file is None:
        return settings, errors
    defaults = settings.defaults
    if (name := project.defaults.backend) is not None:
        known = list(dict.fromkeys([*settings.backends, *(preset_names or ())]))
        if preset_names is not None and name not in known:
            problem = _unknown(("defaults", "backend"), name, known)
            return settings, [file.error(problem)]
        defaults = structs.replace(defaults, backend=name, model=None)
    defaults = structs.replace(defaults, **given(project.defaults))
    agent = structs.replace(settings.agent, allow=settings.agent.allow + _here(project.agent.allow, folder))
    return (
        structs.replace(
            settings,
            defaults=defaults,
            agent=agent,
            mcp={**_servers_from(project.mcp, root), **settings.mcp},
            hooks=(*settings.hooks, *_hooks_from(project.hooks, root)),
        ),
        [],
    )


def _unknown(key: Key, name: str, known: Sequence[str]) -> Problem:
    message = f"no backend is called {quoted(name)}{did_you_mean(name, known)}"
    return Problem(key, message, "A project cannot bring a backend of its own: add it to your settings.")


def _here(rules: Sequence[AllowRule], folder: Path) -> tuple[AllowRule, ...]:
    return tuple(structs.replace(rule, folder=str(folder.resolve())) for rule in rules)


def _servers_from(servers: Mapping[str, McpConfig], root: Path) -> dict[str, McpConfig]:
    return {
        name: ProjectServer(
            **structs.asdict(server)
            | {"command": absolute_program(server.command, root) if server.command else server.command},
            root=str(root),
        )
        for name, server in servers.items()
    }


def _hooks_from(hooks: Sequence[Hook], root: Path) -> tuple[Hook, ...]:
    return tuple(
        ProjectHook(
            **structs.asdict(hook) | {"command": absolute_program(hook.command, root)},
            root=str(root),
        )
        for hook in hooks
    )
