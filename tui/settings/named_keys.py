"""Secrets in the keyring that belong to no backend: by a name of the user's, for servers of tools. All of it blocks."""

from __future__ import annotations

import re

from tui.core.errors import CredentialError, UsageError
from tui.core.text import clean_line
from tui.settings.credentials import SERVICE, Secret, _keyring

_PREFIX = "name:"


def named_key(name: str) -> Secret:
    """Raises CredentialError when there is none."""
    try:
        value = _keyring().get_password(SERVICE, _PREFIX + name)
    except Exception as error:
        raise _failed(error) from error
    if value is None:
        hint = f"Set it: `mimo-tui keys set name:{clean_line(name)}`."
        raise CredentialError(f"the keyring has nothing of the name {clean_line(name)!r}", hint)
    return Secret(value)


def has_named_key(name: str) -> bool:
    """Raises CredentialError when the keyring cannot be used."""
    try:
        return _keyring().get_password(SERVICE, _PREFIX + name) is not None
    except Exception as error:
        raise _failed(error) from error


def set_named_key(name: str, secret: Secret) -> None:
    """Keep it in place of an older one. Raises CredentialError; UsageError for what is no name."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._:/@-]{0,200}", name):
        raise UsageError(f"{clean_line(name)!r} is no name for a key", "Use letters, digits and - of ASCII.")
    try:
        _keyring().set_password(SERVICE, _PREFIX + name, secret.reveal())
    except Exception as error:
        raise _failed(error) from error


def remove_named_key(name: str) -> bool:
    """False when there is none. Raises CredentialError."""
    try:
        keyring = _keyring()
        if keyring.get_password(SERVICE, _PREFIX + name) is None:
            return False
        keyring.delete_password(SERVICE, _PREFIX + name)
    except Exception as error:
        raise _failed(error) from error
    return True


def _failed(error: Exception) -> CredentialError:
    words = clean_line(str(error)) or type(error).__name__
    hint = 'Unlock it. Or give the value itself in the config file: `env = { NAME = "..." }`.'
    return CredentialError(f"the keyring cannot be used: {words}", hint)
