"""Strict servers of real vendors, written from what the vendors say: `ScriptedServer(replies, vendor=Claude())`."""

from tests.scripted.vendors.claude import Claude
from tests.scripted.vendors.deepseek import DeepSeek
from tests.scripted.vendors.gemini import Gemini
from tests.scripted.vendors.kimi import Kimi
from tests.scripted.vendors.local import LlamaCpp, Ollama, Vllm
from tests.scripted.vendors.mimo import Mimo
from tests.scripted.vendors.mistral import Mistral
from tests.scripted.vendors.openai import OpenAI
from tests.scripted.vendors.openrouter import OpenRouter
from tests.scripted.vendors.qwen import Qwen
from tests.scripted.vendors.unknown import Unknown
from tests.scripted.vendors.vendor import Model, Vendor

VENDORS: dict[str, type[Vendor]] = {
    "mimo": Mimo,
    "claude": Claude,
    "deepseek": DeepSeek,
    "gemini": Gemini,
    "kimi": Kimi,
    "llama-cpp": LlamaCpp,
    "mistral": Mistral,
    "ollama": Ollama,
    "openai": OpenAI,
    "openrouter": OpenRouter,
    "qwen": Qwen,
    "unknown": Unknown,
    "vllm": Vllm,
}

__all__ = [
    "VENDORS",
    "Claude",
    "DeepSeek",
    "Gemini",
    "Kimi",
    "LlamaCpp",
    "Mimo",
    "Mistral",
    "Model",
    "Ollama",
    "OpenAI",
    "OpenRouter",
    "Qwen",
    "Unknown",
    "Vendor",
    "Vllm",
]
