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
    environment = {name: value for name, value in os.environ.items() if _is_harmless(name)}
    if libraries := environment.pop("LD_LIBRARY_PATH", "").replace(";", os.pathsep):  # ld.so(8) takes both
        # What starts a sandbox loads from there too; an empty part of it means the current folder, so the project's.
        environment |= {"LD_LIBRARY_PATH": kept} if (kept := os.pathsep.join(_elsewhere(libraries))) else {}
    return environment


def trusted_which(name: str) -> str | None:
    """Where a program is: in the system's folders, else on PATH, but never in the project, which commands change."""
    elsewhere = _elsewhere(os.environ.get("PATH", ""))
    return shutil.which(name, path=os.pathsep.join((*_SYSTEM_FOLDERS, *elsewhere)))


def _elsewhere(folders: str) -> list[str]:
    """Those of a list like PATH that are absolute and not in the project."""
    here = _real(os.curdir)
    absolute = [folder for folder in folders.split(os.pathsep) if folder.startswith("/")]
    return [folder for folder in absolute if not _real(folder).is_relative_to(here)]


def _real(folder: str) -> Path:
    return Path(os.path.realpath(folder))  # unlike Path.resolve, content with folders that may not be read


def _is_harmless(name: str) -> bool:
    return (name in _NAMES or name.startswith("LC_")) and not _SECRET.search(name)
