"""Which projects the user trusts: by their real path, and only as they were when the user looked.

What is trusted is kept in the data folder, where nothing in a project reaches. `fingerprint` covers what could run
programs: with any change in that, the user is asked again. Notes and skills may change: they are text for the model.
"""

from __future__ import annotations

import hashlib
import os
import time
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct, structs

from tui.core.errors import MimoError, UsageError
from tui.settings.log import log
from tui.settings.named_files import named_files
from tui.settings.paths import data_dir, write_private
from tui.settings.project import can_be_project, project_root
from tui.settings.regular_files import CONFIG_BYTES, NotRegularError, open_regular, read_regular

_HEAD = "# Written by mimo-tui: the projects that you trust. `mimo-tui trust --remove DIR` takes one back.\n"

TrustState = Literal["trusted", "changed", "unknown"]
"""`changed`: it was trusted, and what it may run is another thing since."""


class Trusted(Struct, frozen=True):
    """A project that the user trusts."""

    path: str
    """Its root, without links."""
    fingerprint: str
    when: str
    """A date."""
    files: dict[str, str] = {}
    """What the fingerprint is of: digests by path from the root, so that it can be said what has changed."""


def trust_file() -> Path:
    return data_dir() / "trust.toml"


def project_config_file(root: Path) -> Path:
    return root / ".mimo" / "config.toml"


def trust_state(folder: Path) -> TrustState:
    """Whether the project of `folder` is trusted as it is now. Blocking, raises nothing."""
    root = project_root(folder)
    entry = next((entry for entry in trusted_projects() if entry.path == str(root)), None)
    if entry is None or not can_be_project(root):
        return "unknown"
    return "trusted" if entry.fingerprint == fingerprint(root) else "changed"


def changed_files(root: Path) -> list[str]:
    """The files of a trusted project that are other ones than the user trusted, by path from its root. Blocking."""
    entry = next((entry for entry in trusted_projects() if entry.path == str(root)), None)
    before, now = entry.files if entry is not None else {}, _files(root)
    return sorted(path for path in before.keys() | now.keys() if before and before.get(path) != now.get(path))


def trust(folder: Path, seen: str | None = None) -> Path:
    """Trust the project of `folder`; returns its root. Raises MimoError.

    `seen` is the fingerprint of what the user was shown: what has changed since is not trusted.
    """
    root = project_root(folder)
    refuse_home(root)
    files = _files(root)
    now = _fingerprint_of(files)
    if seen is not None and seen != now:
        raise MimoError(f"{root} has changed since it was shown, so it is not trusted", "Look at it again.")
    _write([*_others(root), Trusted(str(root), now, time.strftime("%Y-%m-%d"), files)])
    return root


def refuse_home(root: Path) -> None:
    """Raise UsageError for what is never a project."""
    if not can_be_project(root):
        what = f"{root} is never a project: it is your home folder, or above it"
        raise UsageError(what, "Go to the folder of a project, or name it.")


def distrust(folder: Path) -> bool:
    """Trust the project of `folder` no more; False when it was not trusted. Raises MimoError."""
    root = project_root(folder)
    left = _others(root)
    if len(left) == len(trusted_projects()):
        return False
    _write(left)
    return True


def trusted_projects() -> list[Trusted]:
    """In the order in which they were trusted. A file that cannot be read trusts nothing."""
    try:
        tables = tomllib.loads(trust_file().read_text(encoding="utf-8")).get("project", [])
        return [msgspec.convert(table, Trusted) for table in tables]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError, AttributeError) as error:
        log(f"{trust_file()} cannot be read: {error}")
        return []
    except MimoError:
        return []


def fingerprint(root: Path) -> str:
    """Of a project's configuration and of the files in it that this tells to run."""
    return _fingerprint_of(_files(root))


def _fingerprint_of(files: dict[str, str]) -> str:
    return hashlib.sha256("\n".join(f"{path!r} {digest}" for path, digest in files.items()).encode()).hexdigest()


def _files(root: Path) -> dict[str, str]:
    """Digests of what the fingerprint covers, by path."""
    config = project_config_file(root)
    paths = dict.fromkeys((config, *_programs(root, config)))
    return {os.fsencode(path.relative_to(root)).decode("utf-8", "backslashreplace"): _digest(path) for path in paths}


def _programs(root: Path, config: Path) -> list[Path]:
    """The files of the project that a command in its configuration names, in whatever place."""
    try:
        table = tomllib.loads(read_regular(config, CONFIG_BYTES).decode())
    except (OSError, ValueError, RecursionError):
        return []
    servers = table.get("mcp")
    started = _tables(servers.values() if isinstance(servers, dict) else ())
    # A server runs with the user's rights. A hook is in the sandbox, and often names the folder that it checks.
    found = named_files(root, [_strings(entry.get("command")) for entry in started], whole_folders=True)
    hooks = _tables(table.get("hooks"))
    return sorted(found | named_files(root, [_strings(hook.get("command")) for hook in hooks], whole_folders=False))


def _tables(value: object) -> list[dict[str, object]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, Iterable) else []


def _strings(value: object) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _digest(path: Path) -> str:
    try:
        with open_regular(path) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, NotRegularError):
        return "-"


def _others(root: Path) -> list[Trusted]:
    return [entry for entry in trusted_projects() if entry.path != str(root)]


def _write(entries: list[Trusted]) -> None:
    import tomli_w

    write_private(trust_file(), _HEAD + tomli_w.dumps({"project": [structs.asdict(entry) for entry in entries]}))
