"""Where keys lie on this machine, the program's own files included: what commands in the sandbox must not see."""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Iterator
from pathlib import Path

from tui.settings.paths import cache_dir, config_dir, data_dir, state_dir

_IN_HOME = """
.ssh .gnupg .aws .azure .kube .docker .netrc .git-credentials .pgpass .my.cnf .pypirc .npmrc .vault-token .s3cfg .boto
.config/gcloud .config/gh .config/hub .config/glab-cli .config/git/credentials .config/op .config/rclone .config/doctl
.config/containers .config/github-copilot .config/sops .config/pip .config/google-chrome .config/chromium .mozilla
.config/kwalletd .local/share/keyrings .local/share/kwalletd .local/share/python_keyring .password-store .terraform.d
.cargo/credentials .cargo/credentials.toml .gem/credentials .m2/settings.xml .gradle/gradle.properties .subversion/auth
.codex .claude.json .claude/.credentials.json .gemini .huggingface/token .cache/huggingface/token .kaggle
.bash_history .zsh_history .python_history .psql_history .node_repl_history .local/share/fish/fish_history
.colima .lima .rd .orbstack .minikube .vagrant.d .tmux .screen .vscode-server/data/User .emacs.d/server
"""

_IN_THE_SYSTEM = "/etc/shadow /etc/gshadow /etc/sudoers /etc/ssh /etc/ssl/private /var/lib/lxd /var/snap/lxd"

_NAMED_BY = """
GNUPGHOME DOCKER_CONFIG KUBECONFIG AWS_CONFIG_FILE AWS_SHARED_CREDENTIALS_FILE GOOGLE_APPLICATION_CREDENTIALS
CLOUDSDK_CONFIG AZURE_CONFIG_DIR NETRC PGPASSFILE PASSWORD_STORE_DIR XDG_RUNTIME_DIR PIP_CONFIG_FILE
NPM_CONFIG_USERCONFIG
"""


def homes() -> tuple[Path, ...]:
    """The user's home folder by $HOME and by the password file, links followed."""
    found = [os.environ.get("HOME", "")]
    with contextlib.suppress(KeyError, ImportError):  # a user id without a name (containers); Windows
        import pwd

        found.append(pwd.getpwuid(os.getuid()).pw_dir)
    return tuple(dict.fromkeys(_real(path) for path in found if path.startswith("/") and path != "/"))


def secret_places() -> tuple[Path, ...]:
    """Folders and files, whether they exist or not, with links followed in all but the last part."""
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    return _places(is_root, tuple(os.environ.get(name, "") for name in ("HOME", *_environment_names())))


def is_secret(path: Path) -> bool:
    """Whether a path, with its links followed, is one of those places or inside of one."""
    return not {path, *path.parents}.isdisjoint(secret_places())


def _environment_names() -> Iterator[str]:
    yield from _NAMED_BY.split()
    yield from (f"XDG_{name}_HOME" for name in ("CONFIG", "DATA", "STATE", "CACHE"))


@functools.lru_cache(maxsize=8)
def _places(is_root: bool, environment: tuple[str, ...]) -> tuple[Path, ...]:
    """Kept by all that the answer depends on: 60 paths, each with its links followed, take a millisecond."""
    places = [home / name for home in homes() for name in _IN_HOME.split()]
    if is_root:  # others cannot read them anyway, and each mount takes a tenth of a millisecond
        places += [Path(name) for name in _IN_THE_SYSTEM.split()]
    places += [config_dir(), data_dir(), state_dir(), cache_dir()]
    for value in environment[1 : 1 + len(_NAMED_BY.split())]:
        places += [Path(part) for part in value.split(":") if part.startswith("/")]
    return tuple(dict.fromkeys(_real(place.parent) / place.name for place in places))


def _real(path: str | Path) -> Path:
    return Path(os.path.realpath(path))
