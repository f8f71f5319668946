"""Write docs/backends.md: what users should know of backends, and tables made of the presets and their rules.

    python docs/make_backends.py

Run it after any change of presets.toml, catalogue.toml or the defaults of `Rules`; a test holds the page against it.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from tui.backends.presets import Preset, catalogue, presets
from tui.backends.resolve import resolve
from tui.backends.spec import BackendSpec, Rules
from tui.core.usage import Price
from tui.settings.schema import BackendConfig, Settings

PAGE = Path(__file__).with_name("backends.md")
LEVELS = ("off", "low", "medium", "high", "max")
OWN = "a server of your own"

_HEAD = """\
<!-- Made by docs/make_backends.py from the presets; change that, not this. -->

# Backends

A backend is something that can be asked: a vendor, a server of your own, or the model that comes with the program. The
same conversation can go from one to another, with tools in use: each server is sent what it demands. Signatures and
sealed reasoning go back to the server that made them, and to no other.

- [To use one](#to-use-one)
- [Presets](#presets)
- [What each server is sent](#what-each-server-is-sent)
- [Thinking](#thinking)
- [Models](#models)
- [What is learned](#what-is-learned)

## To use one

```sh
mimo-tui keys set deepseek               # a preset's name is a backend: it only needs its key
mimo-tui backends test deepseek          # reached, key, model, answer, thinking, tools: point by point
mimo-tui --backend deepseek
```

```sh
mimo-tui backends add work --preset anthropic --model claude-opus-5-5 --thinking high
mimo-tui backends add lab --base-url http://127.0.0.1:8000/v1 --model Qwen3-8B --no-key
mimo-tui backends models lab             # what the server offers
mimo-tui backends show lab               # each value and rule, and who said it
```

Servers on this machine (Ollama, llama.cpp, vLLM, LM Studio, SGLang, an open OpenClaw gateway) are found by `/setup`
on their usual ports. Keys go into the system keyring; [configuration.md](configuration.md#keys) says what else there
is, and how a backend is written into `config.toml`.

The wires are the protocols: `chat-completions` is what most servers speak, `messages` is Anthropic's, `responses` is
OpenAI's newer one, `ollama` is Ollama's own. Use Ollama's own rather than its `/v1`: only there can it be told how
large the context is, and a prompt that does not fit is otherwise cut without a word.

A key belongs to one address. Vendors with several regions or plans have a preset for each, and their keys do not cross:
for a MiMo Token Plan take the preset of the region that the console's page shows.
"""

_SENT = """\
## What each server is sent

- **reasoning back**: which earlier answers of the same model take their reasoning along; *demanded* where the server
  refuses a tool call without it, and calls that another model made get a line in its place.
- **limit**: the field that `max_output` goes into, and what is sent where you set none.
- **tool choice**: whether a tool can be demanded while the model thinks.
- **JSON**: how an answer is held to a schema.
- **images**: what the preset or the catalogue knows of its default model; *unknown*: it is tried.
- **cache**: *marks* are sent where the server caches only what is marked; elsewhere it finds the beginnings that repeat
  by itself, which is why an earlier message is always sent as the same bytes.
"""

_THINKING = """\
## Thinking

`thinking` is one setting for all. What a level sends with the preset's default model:
"""

_MODELS = """\
## Models

What the program knows of vendors' models, as of {as_of}. Prices are in USD for a million tokens, from a public price
list. Long conversations cost more with some of them, which is not in here. *unknown* is never counted as nothing.
What a server says of its models, and your own `[models."ID"]`, count above this
([configuration.md](configuration.md#models)).
"""

_LEARNED = """\
## What is learned

A server that refuses a request in a way that tells how it wants it is asked once more, so; what helped is kept for that
address and model, and said. Such rules are above the preset's and the catalogue's, and below your own.

```sh
mimo-tui backends show lab               # says what was learned, when, and by which words
mimo-tui backends show lab --forget      # takes it back
```

A server that is known to nobody starts with the rules of the row "a server of your own". What any of them means, and
how to set it yourself, is in [configuration.md](configuration.md#rules-of-a-server).
"""


def page() -> str:
    """The whole page."""
    specs = _specs()
    parts = [
        _HEAD,
        "## Presets\n",
        _table(("name", "what", "wire", "address", "model", "key"), [_preset_row(*pair) for pair in specs]),
        _SENT,
        _table(tuple(_COLUMNS), [[shown(spec) for shown in _COLUMNS.values()] for _, spec in [*specs, _own()]]),
        _THINKING,
        _table(("name", *LEVELS, "if not set"), [_thinking_row(spec) for _, spec in specs]),
        _other_levels(),
        _MODELS.format(as_of=catalogue()["as_of"]),
        _table(("vendor", "model", "window", "longest answer", "images", "in", "out", "cached"), _model_rows()),
        _LEARNED,
    ]
    return "\n".join(parts)


def _specs() -> list[tuple[Preset, BackendSpec]]:
    return [(preset, resolve(Settings(), name)) for name, preset in presets().items()]


def _own() -> tuple[Preset, BackendSpec]:
    config = BackendConfig(base_url="http://127.0.0.1:8000/v1", model="m")
    return Preset("", OWN, "", ""), resolve(Settings(backends={"own": config}), "own")


def _preset_row(preset: Preset, spec: BackendSpec) -> list[str]:
    address = "a process of the program's own" if spec.embedded else f"`{spec.base_url}`"
    model = f"`{spec.model}`" if spec.model else "choose one"
    page = f"[wanted]({spec.key_page})" if spec.key_page else "if it wants one"
    key = "none" if spec.credential == "none" else page
    return [f"`{spec.name}`", preset.title, f"`{spec.wire}`", address, model, key]


def _key(spec: BackendSpec) -> str:
    if spec.credential == "none":
        return "none"
    wire = importlib.import_module(f"tui.backends.wires.{spec.wire.replace('-', '_')}")
    header = spec.rules.key_header or wire.KEY_HEADER
    return f"`{header}`" + (" Bearer" if header == "Authorization" else "")


def _reasoning(spec: BackendSpec) -> str:
    rules = spec.rules
    if rules.replay_reasoning == "none":
        return "none"
    which = {"tool_calls": "with tool calls", "all": "all"}[rules.replay_reasoning]
    how = {"messages": "signed", "responses": "sealed", "ollama": "`thinking`"}.get(
        spec.wire, f"`{rules.reasoning_key}`"
    )
    if rules.unsigned_thinking:
        how = "unsigned"
    extra = ", thought signatures" if rules.dummy_signature else ""
    return f"{which}, {how}{', demanded' if rules.reasoning_required else ''}{extra}"


def _limit(spec: BackendSpec) -> str:
    fields = {"messages": "max_tokens", "responses": "max_output_tokens", "ollama": "num_predict"}
    name = fields.get(spec.wire, spec.rules.max_tokens_field)
    return f"`{name}`" + (f", {spec.max_output:,}" if spec.max_output else "")


def _json(spec: BackendSpec) -> str:
    return {"json_schema": "schema", "json_object": "in words", "none": "in words"}[spec.rules.response_format]


def _images(spec: BackendSpec) -> str:
    rules = spec.rules
    seen = {True: "yes", False: "no", None: "unknown"}[rules.images]
    limits = [f"{rules.image_side_px:,} px"] if rules.image_side_px else []
    limits += [f"{rules.image_bytes / 1e6:.1f} MB"] if rules.image_bytes else []
    return ", ".join([seen, *limits, *(["in results"] if rules.images_in_results else [])])


def _cache(spec: BackendSpec) -> str:
    return "marks" if spec.rules.cache_marks else "by itself"


def _special(spec: BackendSpec) -> str:
    """The rules that few servers have otherwise than by default."""
    rules, default = spec.rules, Rules()
    names = ["system_role", "tool_schema", "stateless", "native_tools", "props"]
    if spec.wire == "chat-completions":
        names += ["stream_usage", "empty_content", "call_ids", "assistant_before_user"]
    said = [
        f"`{name}` {json.dumps(getattr(rules, name))}"
        for name in names
        if getattr(rules, name) != getattr(default, name)
    ]
    said += [f"header `{name}`" for name in spec.headers]
    said += [f"`{name}` {json.dumps(value)}" for name, value in spec.body.items() if not spec.embedded]
    return ", ".join(said) or "-"


_COLUMNS: dict[str, Callable[[BackendSpec], str]] = {
    "name": lambda spec: f"`{spec.name}`" if spec.preset else OWN,
    "key in": _key,
    "reasoning back": _reasoning,
    "limit": _limit,
    "tool choice": lambda spec: "yes" if spec.rules.tool_choice_while_thinking else "no",
    "JSON": _json,
    "images": _images,
    "cache": _cache,
    "besides": _special,
}


def _thinking_row(spec: BackendSpec) -> list[str]:
    levels = spec.rules.thinking
    if not levels:
        return [f"`{spec.name}`", *["not known"] * len(LEVELS), "nothing is sent"]
    unset = f"`{spec.thinking}`" if spec.thinking else "nothing is sent"
    return [f"`{spec.name}`", *(_fields(levels[level]) if level in levels else "-" for level in LEVELS), unset]


def _fields(fields: Any) -> str:
    """Body fields, short: `thinking.type` `enabled`."""
    return ", ".join(f"`{path}` `{value}`" for path, value in _flat(fields) if path not in _NOT_SHOWN)


_NOT_SHOWN = ("thinking.block_binding.prefix_mismatch_behavior", "thinking.display", "reasoning.summary")
"""They go with every level of their vendor, and say nothing of how much it thinks."""


def _flat(fields: dict[str, Any], before: str = "") -> Iterable[tuple[str, str]]:
    for name, value in fields.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{name}.")
        else:
            yield f"{before}{name}", value if isinstance(value, str) else json.dumps(value)


def _other_levels() -> str:
    """Models that have other levels than their vendor's default model."""
    rows = []
    for vendor, model in _catalogued():
        default, spec = resolve(Settings(), vendor), resolve(Settings(), vendor, model)
        if (spec.rules.thinking, spec.thinking) != (default.rules.thinking, default.thinking):
            rows.append([f"`{model}`", *_thinking_row(spec)[1:]])
    return "Models that are otherwise:\n\n" + _table(("model", *LEVELS, "if not set"), rows)


def _catalogued() -> Iterable[tuple[str, str]]:
    for vendor, models in catalogue().items():
        if isinstance(models, dict):  # not the date
            yield from ((vendor, model) for model in models)


def _model_rows() -> list[list[str]]:
    rows = []
    for vendor, model in _catalogued():
        spec = resolve(Settings(), vendor, model)
        counts = [f"{count:,}" if count else "unknown" for count in (spec.context_window, spec.output_limit)]
        sees = {True: "yes", False: "no", None: "unknown"}[spec.rules.images]
        rows.append([f"`{vendor}`", f"`{model}`", *counts, sees, *_amounts(spec.price)])
    return rows


def _amounts(price: Price | None) -> list[str]:
    if price is None:
        return ["unknown"] * 3
    return [f"{price.input:g}", f"{price.output:g}", "as in" if price.cached is None else f"{price.cached:g}"]


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
