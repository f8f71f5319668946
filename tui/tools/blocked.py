"""Whether a command probably failed because of the sandbox, so that the user can be offered to run it outside, once."""

from __future__ import annotations

import os
import re
from pathlib import Path

_READ_ONLY = re.compile(r"Read-only file system|\bEROFS\b|\[Errno 30\]")
_KEPT = re.compile(
    r"(?<![\w.-])\.(?:mimo(?![\w-])|git(?:/(?:hooks|config|commondir|modules|worktrees)(?![\w-])|(?![\w./-])))"
)
"""What the sandbox keeps as it is inside the project."""
_MOUNTED = re.compile(r"Device or resource busy|\bEBUSY\b|\[Errno 16\]|Operation not permitted|\bEPERM\b|\[Errno 1\]")
"""What is said of one of these that is to be renamed, removed or replaced: it is a mount, or closed by a rule."""
_GIT_CONFIG = re.compile(
    r"^error: could not (?:write|lock) config file \S*\.git/config: "
    r"(?:Device or resource busy|Read-only file system|Operation not permitted)",
    re.MULTILINE,
)
"""git mostly goes on after it, and ends well."""
_NETWORK = re.compile(
    r"Network is unreachable|Could(?: not|n't) resolve|name resolution|Name or service not known|ailure resolving"
    r"|No address associated|unable to resolve host|failed to lookup address|dns error|no such host|dial tcp: lookup"
    r"|\(from versions: none\)"
    r"|\bENETUNREACH\b|\bEAI_AGAIN\b|\bENOTFOUND\b|getaddrinfo|nodename nor servname|No route to host",
    re.IGNORECASE,
)
"""What curl, wget, git, pip, npm, cargo, go, apt and the C library say."""
_SILENT_CODES = {
    6: re.compile(r"\bcurl\b"),
    7: re.compile(r"\bcurl\b"),
    4: re.compile(r"\bwget\b"),
    143: re.compile(r"\b(?:npx|(?:npm|pnpm|yarn) (?:add|ci|create|i|install|update|view))\b"),
}
"""The exit codes by which these programs tell that they reached nobody, with `-s` and `-q` too (their manual pages).

npm says nothing for minutes, and is ended when the time is over (143).
"""
_CURL_IN_PIPE = re.compile(r"curl: \([67]\) ")  # mostly behind its progress, on the same line
_LOOPBACK = r"(?:\blocalhost\b|\b127(?:\.\d{1,3}){3}\b|\[?(?<![\w:])::1\b\]?)"
_OWN_SERVER = re.compile(
    rf"{_LOOPBACK}.*(?:refused|ECONNREFUSED|Failed to connect|Couldn't connect)"
    rf"|(?:refused|ECONNREFUSED|Failed to connect|Couldn't connect).*{_LOOPBACK}",
    re.IGNORECASE,
)
_REFUSED = re.compile(r"Connection refused|ECONNREFUSED", re.IGNORECASE)
_DENIED = re.compile(
    r"(?<![\w.~-])(?P<before>(?:\.\.)?/[^\s'\":,;()]+)['\"’]?: (?:Permission denied|Operation not permitted)"
    r"|(?:Permission denied|Operation not permitted|EACCES|EPERM)[^/\n]{0,40}"
    r"(?<![\w.~-])(?P<after>(?:\.\.)?/[^\s'\":,;()]+)"
)


def why_blocked(
    output: str, folder: Path, network: bool, command: str = "", exit_code: int | None = 1, *, is_undone: bool = False
) -> str | None:
    """What the sandbox held back, in a few words, guessed from what a command has said and how it ended; None: nothing.

    `is_undone` says that the sandbox took back what it changed. Else a command that ended well counts only where git
    could not write its configuration, or curl failed at the beginning of a pipe.
    """
    if is_undone or _GIT_CONFIG.search(output) or (exit_code != 0 and _met_what_is_kept(output)):
        return "it changes .git/config, .git/hooks, .mimo or the like, which the sandbox keeps as they are"
    if exit_code == 0 and (network or "|" not in command or not _CURL_IN_PIPE.search(output)):
        return None
    if _READ_ONLY.search(output):
        return "it wrote to a place that is read-only in the sandbox"
    if not network and _missed_network(output, command, exit_code):
        return "it needed the network, which is off in the sandbox"
    root = os.path.realpath(folder)
    for match in _DENIED.finditer(output):
        # Not `realpath`: its links may lead where they cannot be followed.
        path = os.path.normpath(os.path.join(root, match["before"] or match["after"]))  # noqa: PTH118
        if not Path(path).is_relative_to(root):
            return "it needed a place outside of the folder that the sandbox closes"
    return None


def missed_own_server(output: str, command: str, exit_code: int | None) -> bool:
    """Whether it seems to have failed because nobody listens at an address of this machine itself."""
    if _OWN_SERVER.search(output):
        return True
    names_loopback = re.search(_LOOPBACK, command) is not None
    return names_loopback and (_REFUSED.search(output) is not None or _is_silent_failure(command, exit_code))


def _met_what_is_kept(output: str) -> bool:
    return any(_MOUNTED.search(line) and _KEPT.search(line) for line in output.splitlines())


def _missed_network(output: str, command: str, exit_code: int | None) -> bool:
    if _NETWORK.search(output) or _CURL_IN_PIPE.search(output):
        return True
    # One of this machine itself counts too: the user's own may run there.
    return _is_silent_failure(command, exit_code) or missed_own_server(output, command, exit_code)


def _is_silent_failure(command: str, exit_code: int | None) -> bool:
    program = _SILENT_CODES.get(exit_code or 0)
    return program is not None and program.search(command) is not None
