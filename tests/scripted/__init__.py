"""A scripted model server: a real HTTP server on the loopback whose replies a test writes as a list.

By hand: `python -m tests.scripted --help`.
"""

from tests.scripted.checks import Demands
from tests.scripted.connection import Received
from tests.scripted.elements import (
    FRAGMENTATIONS,
    chunk,
    comment,
    cut_off,
    delta,
    half_chunk,
    head,
    interleaved,
    pause,
    raw,
    reasoning,
    reset,
    stall,
    text,
    tool_call,
)
from tests.scripted.reply import NO_USAGE, Reply, Response, fault, html, json_response, redirect, usage
from tests.scripted.server import ScriptedServer

__all__ = [
    "FRAGMENTATIONS",
    "NO_USAGE",
    "Demands",
    "Received",
    "Reply",
    "Response",
    "ScriptedServer",
    "chunk",
    "comment",
    "cut_off",
    "delta",
    "fault",
    "half_chunk",
    "head",
    "html",
    "interleaved",
    "json_response",
    "pause",
    "raw",
    "reasoning",
    "redirect",
    "reset",
    "stall",
    "text",
    "tool_call",
    "usage",
]
