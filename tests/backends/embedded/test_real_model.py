"""The built-in model itself, fetched and served: what the stand-in cannot show."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import psutil
import pytest

from tests.backends.embedded.test_process import PARENT, child_of, wait_for_end_of
from tui.backends.embedded.catalogue import DEFAULT
from tui.backends.embedded.process import ensure_started
from tui.backends.embedded.pull import model_path, pull_file
from tui.core.errors import ModelFileError

pytestmark = pytest.mark.slow


@pytest.fixture
async def client(embedded_model: str) -> AsyncIterator[httpx.AsyncClient]:
    address = await ensure_started(embedded_model)
    headers = {"Authorization": f"Bearer {address.key}", "Connection": "close"}
    async with httpx.AsyncClient(base_url=address.base_url, headers=headers, timeout=60) as client:
        yield client


def question(text: str, **more: object) -> dict[str, object]:
    return {"messages": [{"role": "user", "content": text}], **DEFAULT.sampling, "seed": 1, **more}


async def test_it_answers(client: httpx.AsyncClient) -> None:
    reply = (await client.post("/chat/completions", json=question("Say hello.", max_tokens=40))).json()
    assert reply["choices"][0]["message"]["content"].strip()
    assert reply["usage"]["completion_tokens"] > 0


async def test_a_schema_constrains_the_answer(client: httpx.AsyncClient) -> None:
    schema = {
        "type": "object",
        "properties": {"tool": {"enum": ["list_files", "read_file"]}, "path": {"type": "string", "maxLength": 40}},
        "required": ["tool", "path"],
        "additionalProperties": False,
    }
    form = {"type": "json_schema", "json_schema": {"name": "call", "schema": schema}}
    body = question("Show me README.md", temperature=0, max_tokens=80, response_format=form)
    reply = (await client.post("/chat/completions", json=body)).json()
    call = json.loads(reply["choices"][0]["message"]["content"])
    assert call.keys() == {"tool", "path"} and call["tool"] in ("list_files", "read_file")


async def test_it_goes_by_its_name_and_says_that_it_cannot_call_tools(client: httpx.AsyncClient) -> None:
    models = (await client.get("/models")).json()
    assert [model["id"] for model in models["data"]] == [DEFAULT.name]
    props = (await client.get("../props")).json()
    assert props["chat_template_caps"]["supports_tool_calls"] is False
    assert props["default_generation_settings"]["n_ctx"] == 4096


@pytest.mark.parametrize("path", ["/", "/index.html", "/slots", "/metrics"])
async def test_it_serves_the_api_and_nothing_else(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(str(client.base_url).replace("/v1/", path))).status_code in (404, 501)


async def test_only_who_knows_the_key_is_answered_and_no_web_page_at_all(client: httpx.AsyncClient) -> None:
    reply = await client.post(
        "/chat/completions", json=question("hi"), headers={"Authorization": "Bearer other", "Origin": "http://a.test"}
    )
    assert reply.status_code == 401
    assert reply.headers.get("Access-Control-Allow-Origin", "") == ""


async def test_it_listens_on_the_loopback_only(client: httpx.AsyncClient) -> None:
    server = await child_of(psutil.Process())
    places = [place.laddr.ip for place in server.net_connections() if place.status == psutil.CONN_LISTEN]
    assert places == ["127.0.0.1"]


async def test_a_client_that_goes_away_in_the_stream_ends_the_work_and_not_the_server(
    client: httpx.AsyncClient,
) -> None:
    endless = question("Tell me a story", stream=True, ignore_eos=True)
    async with client.stream("POST", "/chat/completions", json=endless) as reply:
        await anext(reply.aiter_lines())
    # There is one slot: this is answered once the story, which would go on to 4096 tokens, is given up.
    reply = (await client.post("/chat/completions", json=question("hi", max_tokens=1))).json()
    assert reply["usage"]["completion_tokens"] == 1
    server = await child_of(psutil.Process())
    assert server.is_running()


async def test_a_second_request_waits_for_the_first_and_both_are_answered(client: httpx.AsyncClient) -> None:
    asked = [client.post("/chat/completions", json=question(text, max_tokens=30)) for text in ("One", "Two")]
    assert [reply.status_code for reply in await asyncio.gather(*asked)] == [200, 200]


async def test_a_prompt_that_is_too_long_is_refused(client: httpx.AsyncClient) -> None:
    reply = await client.post("/chat/completions", json=question("word " * 5000))
    assert reply.json()["error"]["type"] == "exceed_context_size_error"


async def test_its_log_stays_without_a_word_of_what_was_said(client: httpx.AsyncClient) -> None:
    await client.post("/chat/completions", json=question("Xylophone", max_tokens=5))
    log = Path(os.environ["XDG_STATE_HOME"]) / "mimo-tui" / f"embedded-{DEFAULT.name}.log"
    assert "Xylophone" not in log.read_text()


async def test_a_damaged_file_is_told_in_the_words_of_llama_cpp(embedded_model: str, tmp_path: Path) -> None:
    whole = model_path(embedded_model)
    assert whole
    damaged = tmp_path / "damaged.gguf"
    damaged.write_bytes(whole.read_bytes()[:5_000_000])
    pull_file(str(damaged), "damaged", hashlib.sha256(damaged.read_bytes()).hexdigest(), lambda done, total: None)
    with pytest.raises(ModelFileError, match="corrupted or incomplete"):
        await ensure_started("damaged")


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere it ends when it is loaded")
@pytest.mark.parametrize("delay_s", [0, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5])
def test_it_dies_with_its_parent_at_whatever_moment(embedded_model: str, delay_s: float) -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT, embedded_model, "loading"], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    parent.stdout.readline()
    child = asyncio.run(child_of(psutil.Process(parent.pid)))
    time.sleep(delay_s)  # the moments are what is tried, nothing waits for something here
    parent.kill()
    parent.communicate()
    wait_for_end_of(child)
