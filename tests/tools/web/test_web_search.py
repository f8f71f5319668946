"""Each search engine is asked as its documents say, and answers in the same form; its key goes to it alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.tools.running import content_of, error_of
from tests.tools.web.pages import Web
from tui.settings.schema import WebSearch
from tui.tools.registry import default_toolbox
from tui.tools.web_search import WebSearchTool, search_url

# As the engines' documents have them: docs.searxng.org/dev/search_api, api-dashboard.search.brave.com, docs.tavily.com.
SEARXNG = {"query": "q", "results": [{"url": "https://a.example/", "title": "A", "content": "about a", "engine": "x"}]}
BRAVE = {
    "type": "search",
    "web": {"results": [{"title": "A", "url": "https://a.example/", "description": "about <strong>a</strong>"}]},
}
TAVILY = {"query": "q", "results": [{"title": "A", "url": "https://a.example/", "content": "about a", "score": 0.9}]}


def tool_for(web: Web, kind: Any, path: str = "/search") -> WebSearchTool:
    credential: Any = None if kind == "searxng" else {"env": "SEARCH_KEY"}
    return WebSearchTool(WebSearch(kind, web.url(path), credential))


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEARCH_KEY", "k-123")


@pytest.mark.parametrize(("kind", "answer"), [("searxng", SEARXNG), ("brave", BRAVE), ("tavily", TAVILY)])
async def test_what_is_found_has_titles_addresses_and_pieces(kind: str, answer: Any, web: Web, folder: Path) -> None:
    web.page("/search", json.dumps(answer), "application/json")
    assert await content_of(tool_for(web, kind), folder, query="a & b") == "A\nhttps://a.example/\nabout a"


async def test_searxng_is_asked_for_json_and_given_no_key(web: Web, folder: Path) -> None:
    web.page("/search", json.dumps(SEARXNG), "application/json")
    await content_of(tool_for(web, "searxng", ""), folder, query="a & b")
    assert web.asked[0].path == "/search?q=a+%26+b&format=json"
    assert "Authorization" not in web.asked[0].headers


async def test_brave_gets_its_key_in_a_header_of_its_own(web: Web, folder: Path) -> None:
    web.page("/search", json.dumps(BRAVE), "application/json")
    await content_of(tool_for(web, "brave"), folder, query="a")
    assert web.asked[0].path == "/search?q=a&count=10"
    assert web.asked[0].headers["X-Subscription-Token"] == "k-123"


async def test_tavily_gets_a_body(web: Web, folder: Path) -> None:
    web.page("/search", json.dumps(TAVILY), "application/json")
    await content_of(tool_for(web, "tavily"), folder, query="a")
    asked = web.asked[0]
    assert (asked.method, asked.headers["Authorization"]) == ("POST", "Bearer k-123")
    assert json.loads(asked.body) == {"query": "a", "max_results": 10}


async def test_ten_results_are_enough_and_hostile_ones_are_cleaned(web: Web, folder: Path) -> None:
    items: list[Any] = [
        {"url": "javascript:alert(1)", "title": "no"},
        {"title": "nowhere"},
        {"url": "https://b.example/", "title": "B\x1b[31m\u202e", "content": "x" * 5000},
        *({"url": f"https://{n}.example/", "title": str(n), "content": None} for n in range(20)),
    ]
    web.page("/search", json.dumps({"results": items}), "application/json")
    text = await content_of(tool_for(web, "searxng"), folder, query="a")
    assert text.startswith("B\nhttps://b.example/\nxxx") and len(text) < 1500
    assert "javascript" not in text and "nowhere" not in text and text.count("https://") == 8


@pytest.mark.parametrize("answer", ["[]", "{}", "null", '{"results": 5}', "<html>", '{"results": ["a"]}', ""])
async def test_an_answer_that_is_none_is_said_to_be(answer: str, web: Web, folder: Path) -> None:
    web.page("/search", answer)
    assert "web_search" in await error_of(tool_for(web, "searxng"), folder, query="a")


@pytest.mark.parametrize(
    ("kind", "status", "said"),
    [
        ("searxng", 403, "formats"),
        ("brave", 401, "key is missing or wrong"),
        ("tavily", 432, "no more searches"),
        ("brave", 429, "no more searches"),
        ("brave", 500, "status 500"),
        ("tavily", 302, "not followed"),
    ],
)
async def test_a_refusal_says_what_to_do(kind: str, status: int, said: str, web: Web, folder: Path) -> None:
    web.pages["/search"] = (status, {"Location": "http://127.0.0.1:1/"}, b"k-123 refused")
    sentence = await error_of(tool_for(web, kind), folder, query="a")
    assert said in sentence and "k-123" not in sentence
    assert len(web.asked) == 1


async def test_without_its_key_it_says_how_to_set_it(web: Web, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SEARCH_KEY")
    sentence = await error_of(tool_for(web, "brave"), folder, query="a")
    assert "mimo-tui keys set brave" in sentence and "SEARCH_KEY" in sentence
    assert web.asked == []


@pytest.mark.parametrize(
    ("config", "url"),
    [
        (WebSearch("searxng", "http://127.0.0.1:8888/"), "http://127.0.0.1:8888/search"),
        (WebSearch("searxng", "http://127.0.0.1:8888/sx/search"), "http://127.0.0.1:8888/sx/search"),
        (WebSearch("brave"), "https://api.search.brave.com/res/v1/web/search"),
        (WebSearch("tavily"), "https://api.tavily.com/search"),
    ],
)
def test_it_knows_where_to_search(config: WebSearch, url: str) -> None:
    assert search_url(config) == url


def test_the_tool_is_there_only_where_an_engine_is_set() -> None:
    from tui.settings.schema import AgentConfig

    assert "web_search" not in default_toolbox().names
    names = default_toolbox(AgentConfig(web_search=WebSearch("brave"))).names
    assert names[-4:] == ("fetch_url", "web_search", "ask_user", "remember")
