"""The child process that serves a GGUF on the loopback. Run by its path, not imported: it needs xllamacpp alone.

It is a process of its own because in-process llama.cpp can crash the program at exit (xllamacpp 2026.10).

The parent writes one JSON line to standard input (`parent`, `path`, `name`, `key`, `threads`, `context`) and
keeps that pipe open; the answer is one JSON line on standard output: `url`, or `error` (`import` | `load`) and
`message`. llama.cpp's own words go to standard error, which the parent chose.

However the parent ends, this process ends too. Two things see to it: end of file on standard input (everywhere, but
only once the model is loaded, since loading holds the interpreter), and on Linux the kernel's signal at the death of
the thread that started us (at any moment; therefore the parent starts us from a thread that lives as long as it).
"""

from __future__ import annotations

import json
import os
import signal
import sys
from typing import Any

LOAD_LIMIT_S = 300
"""A load that takes longer hangs: it is ended. Also the most that we can outlive the parent where no signal comes."""


def main() -> None:
    if sys.platform == "linux":
        _die_with_parent()
    out = _take_stdout()
    line = sys.stdin.buffer.readline()
    if not line:
        return
    wanted = json.loads(line)
    if sys.platform != "win32" and os.getppid() != wanted["parent"]:
        return  # it died before the kernel knew that we wanted to hear of it
    try:
        server = _load(wanted)
        answer = {"url": server.listening_address}
    except ImportError as error:
        answer = {"error": "import", "message": str(error)}
    except Exception as error:  # whatever llama.cpp throws is told to the parent, which has the log too
        answer = {"error": "load", "message": str(error)}
    os.write(out, json.dumps(answer).encode() + b"\n")
    os.close(out)
    if "error" not in answer:
        while sys.stdin.buffer.read(1):
            pass


def _die_with_parent() -> None:
    import ctypes

    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


def _take_stdout() -> int:
    """Keep the pipe to the parent for ourselves: what libraries print goes to standard error."""
    out = os.dup(1)
    os.dup2(2, 1)
    return out


def _load(wanted: dict[str, Any]) -> Any:
    """Load the model and listen; the server, ready. Nothing but the API: no web page, slots, metrics or CORS."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = wanted["path"]
    params.model_alias = {wanted["name"]}
    params.port, params.hostnames, params.api_keys = 0, ["127.0.0.1"], [wanted["key"]]
    params.n_ctx, params.n_parallel, params.cache_ram_mib = wanted["context"], 1, 64
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = wanted["threads"]
    # A client that has gone is noticed between batches: within a second or so, not the 10 s of a long prompt.
    params.n_batch = params.n_ubatch = 256
    params.n_threads_http = 4  # a request, one that waits for it, and room to be asked /props meanwhile
    params.fit_params = False  # trying out what fits into a GPU loads the model twice (0.47 s instead of 0.23 s)
    params.ui = params.endpoint_slots = params.endpoint_metrics = False
    params.cors_origins, params.cors_credentials = "", False  # the default lets any web page's script ask
    params.verbosity = 1  # errors only: more would write prompts to the log
    _limit_loading(LOAD_LIMIT_S)
    server = xllamacpp.Server(params)
    _limit_loading(0)
    return server


def _limit_loading(seconds: int) -> None:
    if sys.platform != "win32":
        signal.alarm(seconds)


if __name__ == "__main__":
    try:
        main()
    finally:
        sys.stdout.flush()
        os._exit(0)  # not by way of llama.cpp's destructors, which can crash
