"""Keys: from the system keyring, an environment variable or a command of the user's; never from or to a plain file.

In the keyring a key belongs to a backend and an origin (`BACKEND@scheme://host:port`): another base URL is another key.
All of this blocks, for as long as a keyring asks its user to unlock it: call it from a thread.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import urlsplit

from tui.core.errors import CredentialError, UsageError
from tui.core.text import clean_line
from tui.settings.log import hide, log, mask
from tui.settings.paths import config_dir

if TYPE_CHECKING:
    from subprocess import Popen

    from keyring.backend import KeyringBackend

SERVICE = "mimo-tui"
COMMAND_TIMEOUT_S = 30.0


class Secret:
    """A key. Only `reveal` gives it away: `str`, `repr` and formatting do not, and the log masks it from now on."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        hide(value)
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "Secret(•••)"

    __str__ = __repr__

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not written anywhere")


def secret_from(text: str) -> Secret:
    """`text` as a key, one line end at its end left out. Raises UsageError when it cannot be one."""
    value = text.removesuffix("\n").removesuffix("\r")
    if wrong := _wrong_with(value):
        raise UsageError(f"that is not a key: {wrong}", "Copy it again from the page where it was made.")
    return Secret(value)


def origin_of(base_url: str) -> str:
    """`scheme://host:port` of a URL, the port always there: what a key is set for and sent to. Raises UsageError."""
    try:
        parts = urlsplit(base_url)
        port = parts.port or {"http": 80, "https": 443}[parts.scheme]
        host = parts.hostname
    except (ValueError, KeyError) as error:
        raise UsageError(f"{base_url!r} is not an http:// or https:// URL") from error
    if not host:
        raise UsageError(f"{base_url!r} has no host in it")
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}:{port}"


def credential_for(backend: str, base_url: str, config: str | Mapping[str, Any] | None) -> Secret | None:
    """The key of a backend, from where its `credential` setting says; None: it needs none. Raises CredentialError."""
    match config:
        case "none":
            return None
        case None | "keyring":
            return _from_keyring(backend, base_url)
        case {"env": str(variable)}:
            return _from_environment(backend, variable)
        case {"command": command}:
            return _from_command(backend, list(command))
    raise CredentialError(f"the `credential` of backend {backend} cannot be used", other_ways(backend))


def set_key(backend: str, base_url: str, secret: Secret) -> str:
    """Keep a key in the keyring, in place of an older one; returns the keyring's name. Raises CredentialError."""
    user = _user(backend, base_url)
    try:
        keyring = _keyring()
        keyring.set_password(SERVICE, user, secret.reveal())
    except Exception as error:
        raise _keyring_failed(error, backend) from error
    return str(keyring.name)


def remove_key(backend: str, base_url: str) -> bool:
    """Take a key out of the keyring; False when there is none. Raises CredentialError."""
    user = _user(backend, base_url)
    try:
        keyring = _keyring()
        if keyring.get_password(SERVICE, user) is None:
            return False
        keyring.delete_password(SERVICE, user)
    except Exception as error:
        raise _keyring_failed(error, backend) from error
    return True


def key_status(backend: str, base_url: str, config: str | Mapping[str, Any] | None) -> tuple[bool, str]:
    """Whether a backend has its key (a command is not run for it), and a line on where from. Raises CredentialError."""
    match config:
        case "none":
            return True, "needs no key"
        case {"env": str(variable)}:
            is_set = bool(os.environ.get(variable))
            return is_set, f"from the environment variable {variable}, which is {'set' if is_set else 'not set'}"
        case {"command": command}:
            return True, f"from the command `{' '.join(command)}`"
    user = _user(backend, base_url)
    try:
        keyring = _keyring()
        is_set = keyring.get_password(SERVICE, user) is not None
    except Exception as error:
        raise _keyring_failed(error, backend) from error
    return is_set, f"{'in' if is_set else 'not in'} the keyring ({keyring.name}), for {origin_of(base_url)}"


def key_variable(backend: str) -> str:
    """What an environment variable with its key is mostly called."""
    return f"{backend.upper().replace('-', '_')}_API_KEY"


def other_ways(backend: str) -> str:
    """What to do without a keyring."""
    variable = key_variable(backend)
    return (
        f"Without a keyring, say where the key is: `mimo-tui backends add {backend} --key-env {variable}`; "
        f"or, where there is such an entry already, under [backends.{backend}] in {config_dir() / 'config.toml'}: "
        f'credential = {{ env = "{variable}" }}, or {{ command = ["pass", "{backend}"] }}, or "none" if it needs none.'
    )


def _user(backend: str, base_url: str) -> str:
    return f"{backend}@{origin_of(base_url)}"


def _from_keyring(backend: str, base_url: str) -> Secret:
    user = _user(backend, base_url)
    try:
        value = _keyring().get_password(SERVICE, user)
    except Exception as error:
        raise _keyring_failed(error, backend) from error
    if value is None:
        raise CredentialError(
            f"no key is set for backend {backend} at {origin_of(base_url)}",
            f"Set it: `mimo-tui keys set {backend}`. {other_ways(backend)}",
        )
    return _checked(value, f"the key of backend {backend} in the keyring")


def _from_environment(backend: str, variable: str) -> Secret:
    value = os.environ.get(variable)
    if not value:
        raise CredentialError(
            f"backend {backend} takes its key from the environment variable {variable}, which is not set",
            f"Set it (`export {variable}=...`), or change `credential` of the backend.",
        )
    return _checked(value.strip(), f"the environment variable {variable}")


def _from_command(backend: str, command: list[str]) -> Secret:
    """The first line that the command prints.

    It runs where the config file is, so that a relative path never means a file of the project, and in a session of its
    own, so that it cannot draw over the screen and can be ended with all that it started.
    """
    import subprocess

    shown = " ".join(command)
    hint = f"Try it: {shown}"
    folder = config_dir()
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=folder if folder.is_dir() else "/",
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        message = f"the command for the key of backend {backend} cannot be started: {error}"
        raise CredentialError(message, hint) from error
    try:
        output, complaint = process.communicate(timeout=COMMAND_TIMEOUT_S)
    except BaseException as error:
        _end(process)
        if not isinstance(error, subprocess.TimeoutExpired):
            raise
        message = f"the command for the key of backend {backend} did not end within {COMMAND_TIMEOUT_S:.0f} s: {shown}"
        raise CredentialError(message, "It cannot ask anything here: unlock what it needs first.") from error
    if process.returncode != 0:
        last = mask(complaint.decode(errors="replace").strip().rpartition("\n")[2])
        message = f"the command for the key of backend {backend} ended with {process.returncode}: {last or shown}"
        raise CredentialError(message, hint)
    first_line = output.decode(errors="replace").partition("\n")[0].strip()
    return _checked(first_line, f"what `{shown}` printed first")


def _end(process: Popen[bytes]) -> None:
    """End a command and what it started; its first process may be gone already."""
    import signal

    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    for pipe in (process.stdout, process.stderr):
        if pipe:
            pipe.close()
    process.wait()


def _checked(value: str, what: str) -> Secret:
    if wrong := _wrong_with(value):
        raise CredentialError(f"{what} is not a key: {wrong}", "Set it again.")
    return Secret(value)


def _wrong_with(value: str) -> str | None:
    """Why `value` cannot be sent as a key in a header; never with the value itself."""
    if not value.strip():
        return "it is empty"
    if "\n" in value or "\r" in value:
        return "it has more than one line"
    if not (value.isascii() and value.isprintable()):
        return "it has characters that are not printable ASCII"
    if value != value.strip():
        return "it begins or ends with a space"
    if value.lower().startswith("bearer "):
        return 'it begins with "Bearer", which is not a part of the key'
    return None


def keyring_name() -> str:
    """What keeps keys here, as the keyring's own words. Raises CredentialError where nothing can."""
    try:
        return _kind(_keyring())
    except Exception as error:
        raise _keyring_failed(error, "NAME") from error


def _keyring() -> KeyringBackend:
    """The best keyring that Python finds and that does not write keys plainly to a file."""
    import keyring
    from keyring.errors import NoKeyringError

    found = keyring.get_keyring()
    candidates: list[KeyringBackend] = list(getattr(found, "backends", [found]))  # a chainer tries several
    usable = [
        backend
        for backend in candidates
        if not _kind(backend).startswith(("keyring.backends.fail.", "keyring.backends.null."))
    ]
    safe = [backend for backend in usable if not _is_plain(backend)]
    if safe:
        return safe[0]
    if usable:
        raise NoKeyringError(f"{_kind(usable[0])} keeps keys in a plain file, so it is not used")
    raise NoKeyringError("none was found")


def _kind(backend: KeyringBackend) -> str:
    return f"{type(backend).__module__}.{type(backend).__qualname__}"


def _is_plain(backend: KeyringBackend) -> bool:
    """Whether a backend writes what anyone with the file can read; all of `keyrings.alt` says that it is not secure."""
    kind = _kind(backend).lower()
    return kind.startswith("keyrings.alt.") or "plaintext" in kind


def _keyring_failed(error: Exception, backend: str) -> CredentialError:
    """The user's words for whatever a keyring raised; its backends let errors of all libraries below them through."""
    kind = type(error).__name__
    words = clean_line(mask(str(error))).rstrip(".")
    if kind == "NoKeyringError":
        return CredentialError(f"no keyring can be used here: {words}", other_ways(backend))
    if kind in ("KeyringLocked", "InitError"):  # the latter, too, when there is nobody who could be asked to unlock it
        message = f"the keyring cannot be opened: {words}"
        return CredentialError(
            message, f"Unlock it (without a desktop: `gnome-keyring-daemon --unlock`). {other_ways(backend)}"
        )
    log(f"keyring: {kind}: {error}")
    return CredentialError(f"the keyring does not work: {kind}: {words}", other_ways(backend))
