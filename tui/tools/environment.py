"""What the programs that tools start are given: an environment of harmless names only, so that no key can be in it."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

_HARMLESS = """
    PATH HOME USER LOGNAME SHELL LANG LANGUAGE TZ TERM COLORTERM NO_COLOR HOSTNAME
    VIRTUAL_ENV CONDA_PREFIX CONDA_DEFAULT_ENV PYENV_ROOT PYENV_VERSION UV_PYTHON PYTHONPATH
    NVM_DIR NVM_BIN NODE_ENV GOPATH GOROOT CARGO_HOME RUSTUP_HOME RUSTUP_TOOLCHAIN JAVA_HOME MAVEN_HOME
    GEM_HOME GEM_PATH RBENV_ROOT DOTNET_ROOT ANDROID_HOME CUDA_HOME CUDA_VISIBLE_DEVICES LD_LIBRARY_PATH
    PKG_CONFIG_PATH CC CXX CFLAGS CXXFLAGS LDFLAGS MAKEFLAGS NIX_PATH NIX_PROFILES NIX_SSL_CERT_FILE
    SSL_CERT_FILE SSL_CERT_DIR XDG_CONFIG_HOME XDG_DATA_HOME XDG_STATE_HOME XDG_CACHE_HOME XDG_DATA_DIRS
"""
_SYSTEM_FOLDERS = ("/usr/local/bin", "/usr/bin", "/bin", "/opt/homebrew/bin")
_NAMES = frozenset(_HARMLESS.split())
_SECRET = re.compile(r"KEY|TOKEN|SECRET|PASS|CREDENTIAL|AUTH|COOKIE|DBUS", re.IGNORECASE)


def tool_environment() -> dict[str, str]:
    """A fresh copy. `LC_*` is let through too; what its name says is a secret never is."""
    return {name: value for name, value in os.environ.items() if _is_harmless(name)}


def trusted_which(name: str) -> str | None:
    """Where a program is: in the system's folders, else on PATH, but never in the project, which commands change."""
    here = _real(os.curdir)
    on_path = [folder for folder in os.environ.get("PATH", "").split(os.pathsep) if folder.startswith("/")]
    elsewhere = [folder for folder in on_path if not _real(folder).is_relative_to(here)]
    return shutil.which(name, path=os.pathsep.join((*_SYSTEM_FOLDERS, *elsewhere)))


def _real(folder: str) -> Path:
    return Path(os.path.realpath(folder))  # unlike Path.resolve, content with folders that may not be read


def _is_harmless(name: str) -> bool:
    return (name in _NAMES or name.startswith("LC_")) and not _SECRET.search(name)
