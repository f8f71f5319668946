"""A request as the body of Chat Completions."""

from __future__ import annotations

import json

from tui.backends.spec import BackendSpec, Request, Rules, ToolSpec
from tui.backends.wires.bodies import merged, without
from tui.backends.wires.chat_messages import ChatConversation, with_system
from tui.backends.wires.conversation import Writing
from tui.backends.wires.tool_schema import parameters_for
from tui.core.messages import Json


def encode(request: Request, spec: BackendSpec, writing: Writing | None = None) -> Json:
    """The body that asks `request`. The same request gives the same body, so that prefix caches work.

    `writing` has what was encoded for the requests before this one.
    """
    rules = spec.rules
    body: Json = {"model": spec.model} if spec.model else {}
    writing = writing or Writing()
    entries = writing.entries(ChatConversation, request.messages, spec)
    body |= {"messages": with_system(_system(request, rules), entries, rules), "stream": True}
    if rules.stream_usage:
        body["stream_options"] = {"include_usage": True}
    if request.tools:
        body["tools"] = writing.tools(_tools, request.tools, rules)
        if request.tool_choice == "auto" or rules.tool_choice_while_thinking or spec.thinking == "off":
            body |= {"tool_choice": request.tool_choice} if request.tool_choice else {}
    if request.schema is not None and (form := _response_format(request.schema, rules)):
        body["response_format"] = form
    if spec.max_output:
        body[rules.max_tokens_field] = spec.max_output
    body = merged(body, rules.thinking.get(spec.thinking or "", {}), spec.body, request.body)
    body = without(body, rules.unknown_fields)
    return body if body.get("stream") else without(body, ("stream_options",))


def _tools(tools: tuple[ToolSpec, ...], rules: Rules) -> list[Json]:
    """In their order, so that the prefix stays the same; of two with one name the first: MiMo refuses such a pair."""
    entries: dict[str, Json] = {}
    for tool in tools:
        parameters = parameters_for(tool.parameters, rules.tool_schema)
        function = {"name": tool.name, "description": tool.description, "parameters": parameters}
        entries.setdefault(tool.name, {"type": "function", "function": function})
    return list(entries.values())


def _system(request: Request, rules: Rules) -> str:
    """The system prompt; it has the schema where the server knows no schemas, and `json_object` wants the word JSON."""
    if request.schema is None or rules.response_format == "json_schema":
        return request.system
    words = f"Answer with one JSON object and nothing else. It must fit this JSON schema:\n{json.dumps(request.schema)}"
    return f"{request.system}\n\n{words}".strip()


def _response_format(schema: Json, rules: Rules) -> Json:
    if rules.response_format == "json_schema":
        return {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}
    return {"type": "json_object"} if rules.response_format == "json_object" else {}
