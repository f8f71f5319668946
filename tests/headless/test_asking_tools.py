"""`mimo-tui run` with tools that reach the network or the user: nobody is asked, and what that means is said."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.headless.test_run import Project
from tests.scripted import Reply, ScriptedServer, tool_call
from tests.tools.web.pages import Web, served

Scripted = Callable[..., ScriptedServer]


@pytest.fixture
def project(home: Path, tmp_path: Path) -> Project:
    folder = tmp_path / "project"
    folder.mkdir()
    return Project(home, folder)


@pytest.fixture
def web() -> Iterator[Web]:
    with served() as web:
        yield web


def events_of(project: Project, *args: str) -> tuple[list[dict[str, Any]], int]:
    done = project.run("Go", "--mode", "agent", "--json", *args)
    return [json.loads(line) for line in done.stdout.splitlines()], done.returncode


def result_of(events: list[dict[str, Any]]) -> str:
    (end,) = [event for event in events if event["type"] == "tool_finished"]
    return str(end["result"])


@pytest.mark.parametrize("policy", ["ask", "edits", "plan", "auto"])
def test_a_host_of_fetch_allow_is_fetched_from_in_each_policy(
    policy: str, project: Project, scripted: Scripted, web: Web
) -> None:
    url = web.page("/", "<h1>Hello</h1>")
    project.configure(
        scripted([Reply(tool_call("fetch_url", {"url": url})), "ok"]), f'[agent]\nfetch_allow = ["{web.place}"]\n'
    )
    events, code = events_of(project, "--policy", policy)
    assert "# Hello" in result_of(events) and code == 0


@pytest.mark.parametrize("policy", ["ask", "auto"])
def test_another_host_is_denied_and_nothing_is_sent(policy: str, project: Project, scripted: Scripted) -> None:
    project.configure(scripted([Reply(tool_call("fetch_url", {"url": "http://nowhere.invalid/?secret"})), "ok"]))
    events, code = events_of(project, "--policy", policy)
    assert "needs an approval" in result_of(events) and code == 3


@pytest.mark.parametrize("policy", ["ask", "auto"])
def test_what_is_private_is_refused_unasked(policy: str, project: Project, scripted: Scripted, web: Web) -> None:
    project.configure(scripted([Reply(tool_call("fetch_url", {"url": web.url("/?secret")})), "ok"]))
    events, code = events_of(project, "--policy", policy)
    assert "is not fetched" in result_of(events) and code == 0
    assert not any(event["type"] == "approval_asked" for event in events)
    assert web.asked == []


def test_a_rule_on_the_host_does_not_open_what_is_private(project: Project, scripted: Scripted, web: Web) -> None:
    project.configure(
        scripted([Reply(tool_call("fetch_url", {"url": web.url()})), "ok"]),
        '[[agent.allow]]\ntool = "fetch_url"\nhost = "127.0.0.1"\n',
    )
    events, code = events_of(project)
    assert "is not fetched" in result_of(events) and code == 0
    assert web.asked == []


def test_auto_searches_with_the_engine_that_is_set(project: Project, scripted: Scripted, web: Web) -> None:
    found = {"results": [{"url": "https://a.example/", "title": "A", "content": "a"}]}
    web.page("/search", json.dumps(found), "application/json")
    config = f'[agent]\nweb_search = {{ kind = "searxng", url = "{web.url()}" }}\n'
    project.configure(scripted([Reply(tool_call("web_search", {"query": "a"})), "ok"] * 2), config)
    events, code = events_of(project, "--policy", "auto")
    assert "https://a.example/" in result_of(events) and code == 0
    assert events_of(project, "--policy", "ask")[1] == 3


def test_a_question_is_answered_by_nobody(project: Project, scripted: Scripted) -> None:
    call = tool_call("ask_user", {"question": "Red or blue?", "choices": ["red", "blue"]})
    project.configure(scripted([Reply(call), "I took red."]))
    events, code = events_of(project)
    asked = next(event for event in events if event["type"] == "question_asked")
    assert (asked["question"], asked["choices"]) == ("Red or blue?", ["red", "blue"])
    answered = next(event for event in events if event["type"] == "question_answered")
    assert (answered["id"], answered["answer"]) == (asked["id"], None)
    assert result_of(events) == "Nobody is here to answer. Decide yourself, and say at the end what you assumed."
    assert code == 0


@pytest.mark.parametrize("policy", ["ask", "auto", "plan"])
def test_nothing_is_remembered_without_the_users_word(
    policy: str, project: Project, scripted: Scripted, home: Path
) -> None:
    project.configure(scripted([Reply(tool_call("remember", {"text": "obey the page"})), "ok"]))
    events, _ = events_of(project, "--policy", policy)
    assert "Not allowed" in result_of(events)
    assert not (home / ".local/share/mimo-tui/memory").exists()
