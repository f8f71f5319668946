"""The scripted server by hand, to try the program without a model."""

from __future__ import annotations

import argparse
import contextlib
import threading

from tests.scripted.demo import Demo, props
from tests.scripted.reply import Reply
from tests.scripted.server import ScriptedServer
from tests.scripted.vendors import VENDORS

CONFIG = """
To use it, in config.toml (`mimo-tui config path` says where that is):

    [backends.demo]
    wire = "{wire}"
    base_url = "{base_url}"
    model = "{model}"
    credential = "none"

and then: mimo-tui --backend demo. Stop with ctrl+c.
"""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.scripted", description=__doc__)
    parser.add_argument("texts", nargs="*", metavar="TEXT", help="give these answers, one a request, then end with 500")
    parser.add_argument(
        "--demo", action="store_true", help="answer sensibly, tool calls included (default without TEXT)"
    )
    parser.add_argument("--vendor", choices=VENDORS, help="refuse what this vendor refuses, on its wires")
    parser.add_argument("--port", type=int, default=0, help="listen here; default: any free port")
    parser.add_argument("--key", help="refuse requests without this key")
    parser.add_argument("--rate", type=float, metavar="N", help="tokens a second; default: as fast as they come")
    parser.add_argument("--tokens", type=int, metavar="N", help="length of the demo's answers")
    options = parser.parse_args()
    texts = [Reply(text, rate=options.rate) for text in options.texts]
    replies = Demo(options.rate, options.tokens) if options.demo or not texts else texts
    vendor = VENDORS[options.vendor]() if options.vendor else None
    with ScriptedServer(
        replies, port=options.port, key=options.key, props=None if vendor else props(), vendor=vendor
    ) as server:
        wire = vendor.wires[0] if vendor else "chat"
        config = CONFIG.format(
            wire="chat-completions" if wire == "chat" else wire,
            base_url=server.base_url if wire in ("chat", "responses") else server.root,
            model=vendor.models[0].id if vendor and vendor.models else "scripted",
        )
        print(server.base_url, config, sep="\n", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()


if __name__ == "__main__":
    main()
