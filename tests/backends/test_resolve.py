"""A name becomes a spec: what the preset knows, then the catalogue, then what the user set; last wins."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from tui.backends.resolve import WIRES, known_names, presets, resolve
from tui.backends.spec import Timeouts
from tui.core.errors import ConfigError, UsageError
from tui.core.usage import Price
from tui.settings import schema
from tui.settings.config import BackendConfig, Settings
from tui.settings.learned import Learned, keep_learned

NOTHING = Settings()


def with_backend(name: str = "lab", **fields: Any) -> Settings:
    return Settings(backends={name: BackendConfig(**fields)})


@pytest.mark.parametrize("name", presets())
def test_a_presets_name_is_a_usable_backend(name: str) -> None:
    spec = resolve(NOTHING, name)
    assert spec.name == spec.preset == name and spec.wire in WIRES
    assert spec.local or (spec.base_url.startswith("https://") and spec.key_page.startswith("https://"))
    assert spec.local or spec.credential is None
    assert presets()[name].title and spec.thinking in (None, *spec.rules.thinking)
    assert spec.base_url.endswith("/v1") <= (spec.wire in ("chat-completions", "responses"))


def test_a_preset_that_is_like_another_has_what_it_does_not_say() -> None:
    mimo, messages = resolve(NOTHING, "xiaomi-mimo"), resolve(NOTHING, "mimo-plan-ams-anthropic")
    assert messages.model == mimo.model and messages.rules.thinking == mimo.rules.thinking
    assert messages.rules.reasoning_required and messages.rules.unsigned_thinking
    assert (messages.wire, messages.rules.key_header) == ("messages", "Authorization")
    assert messages.context_window == mimo.context_window and messages.hints == mimo.hints
    assert resolve(NOTHING, "vllm").model is None and resolve(NOTHING, "llama-cpp").model == "default"


@pytest.mark.parametrize("name", ["mimo-plan-cn", "kimi-coding", "qwen-cn"])
def test_what_a_plan_or_another_currency_costs_is_unknown(name: str) -> None:
    assert resolve(NOTHING, name).price is None


def test_the_catalogue_knows_what_is_special_about_a_model() -> None:
    sonnet, opus = resolve(NOTHING, "anthropic"), resolve(NOTHING, "anthropic", "claude-opus-5-5")
    assert sonnet.rules.thinking["off"]["thinking"]["type"] == "between_tools"
    assert (sonnet.sources["thinking"], sonnet.sources["thinking_level"]) == ("catalogue", "preset")
    assert (sonnet.thinking, opus.thinking) == ("high", "medium") and "off" not in opus.rules.thinking
    assert resolve(NOTHING, "kimi", "kimi-k2.6").rules.thinking["high"] == {
        "thinking": {"type": "enabled", "keep": "all"}
    }
    assert "off" not in resolve(NOTHING, "kimi").rules.thinking
    assert resolve(NOTHING, "qwen", "qwen3-coder-plus").rules.thinking == {}
    assert resolve(NOTHING, "deepseek", "deepseek-v4-pro").rules.images is False
    assert resolve(NOTHING, "deepseek-anthropic").rules.images is True
    assert resolve(NOTHING, "deepseek", "deepseek-v9").rules.images is None


def test_a_level_that_a_model_does_not_have_is_refused_with_those_it_has() -> None:
    settings = with_backend(preset="anthropic", thinking="off")
    assert resolve(settings, "lab").thinking == "off"
    with pytest.raises(ConfigError, match="claude-opus-5-5 has no level `off`") as raised:
        resolve(settings, "lab", "claude-opus-5-5")
    assert "low, medium, high, max" in raised.value.hint


def test_a_models_own_entry_is_above_the_catalogue_and_below_the_backends() -> None:
    mine = schema.ModelConfig(
        context_window=5000, price=Price(9, 9), images=False, rules=schema.Rules(max_tokens_field="n")
    )
    settings = Settings(models={"mimo-v2.6-pro": mine})
    spec = resolve(settings, "xiaomi-mimo")
    assert (spec.context_window, spec.price, spec.rules.images) == (5000, Price(9, 9), False)
    assert spec.rules.max_tokens_field == "n" and spec.rules.reasoning_required
    assert resolve(settings, "xiaomi-mimo", "mimo-v2.6-flash").context_window == 1048576
    over = BackendConfig(preset="xiaomi-mimo", context_window=6000, rules=schema.Rules(images=True))
    spec = resolve(Settings(models=settings.models, backends={"lab": over}), "lab")
    assert (spec.context_window, spec.price, spec.rules.images) == (6000, Price(9, 9), True)
    assert {"context_window", "price", "images", "max_tokens_field"} <= set(spec.set_by_user)


def taught(base_url: str, model: str, rule: str, value: Any) -> None:
    keep_learned(Learned(base_url, model, rule, value, "said so", "2026-11-25"))


def test_what_a_server_taught_is_above_the_catalogue(home: Any) -> None:
    taught("https://api.deepseek.com", "deepseek-flash", "images", False)
    spec = resolve(NOTHING, "deepseek")
    assert spec.rules.images is False and spec.sources["images"] == "learned"
    assert resolve(NOTHING, "deepseek-anthropic").rules.images is True
    mine = with_backend("deepseek", rules=schema.Rules(images=True))
    assert resolve(mine, "deepseek").sources["images"] == "you"


@pytest.mark.parametrize(
    ("learned", "window", "source"), [(90_000, 90_000, "learned"), (2_000_000, 1_000_000, "catalogue")]
)
def test_a_window_that_an_error_told_counts_where_it_is_the_smaller(
    home: Any, learned: int, window: int, source: str
) -> None:
    taught("https://api.deepseek.com", "deepseek-flash", "context_window", learned)
    spec = resolve(NOTHING, "deepseek")
    assert (spec.context_window, spec.sources["context_window"]) == (window, source)
    assert resolve(with_backend("deepseek", context_window=7), "deepseek").context_window == 7


def test_the_version_is_not_named_twice_on_wires_that_name_it_themselves() -> None:
    assert resolve(with_backend(preset="ollama", base_url="http://10.0.0.7:11434/v1"), "lab").base_url[-5:] == "11434"
    assert resolve(with_backend(wire="messages", base_url="https://x/v1/"), "lab").base_url == "https://x"
    assert resolve(with_backend(base_url="https://x/v1"), "lab").base_url == "https://x/v1"


@pytest.mark.parametrize(
    "name", ["xiaomi-mimo", "deepseek", "openai", "anthropic", "kimi", "qwen", "gemini", "minimax"]
)
def test_a_vendors_default_model_has_a_price_and_a_window(name: str) -> None:
    spec = resolve(NOTHING, name)
    assert spec.price and spec.price.output > spec.price.input > 0 and spec.context_window


def test_what_is_not_known_of_a_model_stays_unknown() -> None:
    spec = resolve(NOTHING, "deepseek", "deepseek-v9")
    assert spec.model == "deepseek-v9" and spec.price is None and spec.context_window is None


def test_a_local_server_costs_nothing() -> None:
    assert resolve(NOTHING, "ollama").price == Price(0, 0)
    moved = with_backend(preset="llama-cpp", base_url="http://localhost:9931/v1")
    assert resolve(moved, "lab").price == Price(0, 0)


def test_a_vendors_price_is_not_taken_for_another_servers() -> None:
    plan = with_backend(preset="xiaomi-mimo", base_url="https://token-plan-sgp.xiaomimimo.com/v1")
    spec = resolve(plan, "lab")
    assert spec.price is None and spec.context_window == 1048576 and spec.rules.reasoning_required
    assert resolve(with_backend(preset="ollama", base_url="https://ollama.com/v1"), "lab").price is None


def test_what_the_user_sets_wins() -> None:
    settings = with_backend(
        "mimo",
        preset="xiaomi-mimo",
        model="mimo-v2.6-flash",
        price=Price(1, 2),
        context_window=1000,
        max_output=100,
        thinking="high",
        strategy="native",
        retries=0,
        credential=schema.KeySource(env="MIMO_KEY"),
        headers={"X-Team": "ml"},
        body={"temperature": 0.2},
        timeouts=schema.Timeouts(idle=5),
        rules=schema.Rules(replay_reasoning="tool_calls", empty_content=" "),
    )
    spec = resolve(settings, "mimo")
    assert (spec.name, spec.preset, spec.model) == ("mimo", "xiaomi-mimo", "mimo-v2.6-flash")
    assert (spec.price, spec.context_window, spec.max_output) == (Price(1, 2), 1000, 100)
    assert (spec.thinking, spec.strategy, spec.retries) == ("high", "native", 0)
    assert spec.credential == {"env": "MIMO_KEY"} and spec.headers == {"X-Team": "ml"}
    assert spec.timeouts == Timeouts(connect=10, first_byte=600, idle=5)
    assert (spec.rules.replay_reasoning, spec.rules.empty_content) == ("tool_calls", " ")
    assert spec.rules.max_tokens_field == "max_completion_tokens"
    assert resolve(settings, "mimo", "other").model == "other"


def test_an_entry_named_like_a_preset_starts_from_it() -> None:
    assert resolve(with_backend("deepseek", model="deepseek-v4-pro"), "deepseek").base_url == "https://api.deepseek.com"


def test_a_server_of_the_users_own_needs_an_address_alone() -> None:
    spec = resolve(with_backend(base_url="http://10.0.0.7:8000/v1/"), "lab")
    assert (spec.preset, spec.base_url, spec.model, spec.local) == ("", "http://10.0.0.7:8000/v1", None, False)
    assert resolve(with_backend(base_url="http://[::1]:8000/v1"), "lab").local


def test_null_content_can_be_asked_for() -> None:
    assert (
        resolve(with_backend("deepseek", rules=schema.Rules(empty_content="null")), "deepseek").rules.empty_content
        is None
    )


def test_an_unknown_name_is_met_with_the_nearest_and_where_all_are_shown() -> None:
    with pytest.raises(UsageError, match="did you mean `deepseek`") as raised:
        resolve(NOTHING, "depseek")
    assert "deepseek" in raised.value.hint and "backends list --all" in raised.value.hint
    assert len(raised.value.hint) < 200


@pytest.mark.parametrize(
    ("fields", "key", "words"),
    [
        ({"preset": "depseek"}, "preset", "did you mean `deepseek`"),
        ({"model": "x"}, "base_url", "a backend needs"),
        ({"base_url": "http://x", "thinking": "high"}, "thinking", "not known"),
        ({"preset": "embedded", "thinking": "high"}, "thinking", "not known"),
    ],
)
def test_an_entry_that_cannot_be_used_is_named_with_its_key(fields: dict[str, Any], key: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words) as raised:
        resolve(with_backend(**fields), "lab")
    assert raised.value.key == f"backends.lab.{key}" and raised.value.hint


def test_thinking_of_an_unknown_server_can_be_described() -> None:
    rules = schema.Rules(thinking={"high": {"think": 9}})
    assert resolve(with_backend(base_url="http://x", thinking="high", rules=rules), "lab").rules.thinking["high"] == {
        "think": 9
    }
    with pytest.raises(ConfigError, match="no level `low`"):
        resolve(with_backend(base_url="http://x", thinking="low", rules=rules), "lab")


def test_an_embedded_model_has_the_prompt_and_the_sampling_it_was_made_for(home: Any) -> None:
    spec = resolve(NOTHING, "embedded")
    assert spec.embedded and spec.system_prompt and "SmolLM" in spec.system_prompt
    assert spec.body == {"temperature": 0.2, "top_p": 0.9, "repeat_penalty": 1.05}
    assert not spec.rules.native_tools and spec.context_window == 4096 and spec.headers == {"Connection": "close"}
    other = resolve(NOTHING, "embedded", "my-own")
    assert other.system_prompt is None and other.body == {}


def test_names_are_the_users_first_and_each_once() -> None:
    names = known_names(with_backend("ollama", model="x"))
    assert names[0] == "ollama" and len(names) == len(set(names)) == len(presets())


def test_a_specs_origin_is_what_its_answers_are_signed_with() -> None:
    origin = resolve(NOTHING, "deepseek").origin
    assert (origin.backend, origin.base_url, origin.model) == ("deepseek", "https://api.deepseek.com", "deepseek-flash")


def test_resolving_a_name_imports_nothing_heavy() -> None:
    program = (
        "import sys; from tui.settings.config import Settings; from tui.backends.resolve import resolve\n"
        "resolve(Settings(), 'deepseek')\n"
        "print([name for name in ('httpx', 'keyring', 'rapidfuzz', 'asyncio', 'ssl') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
