"""The wires: each is a module of pure functions, named as in the settings with `_` for `-`.

PATH         where requests go, behind the backend's base URL
KEY_HEADER   which header carries the key; after `Authorization` comes `Bearer KEY`, in others the bare key
HEADERS      what else each request carries
Parser       cuts the body's bytes into events: `feed(bytes) -> list[str]`, `close() -> list[str]`
encode       (Request, BackendSpec, Writing) -> the body; the same for the same request, so that prefix caches work
Decoder      `feed(event) -> list[Delta]`, `is_done` once the end mark came, `finish() -> Reply`;
             `is_whole`, if it has that, once nothing is missing but the end mark
explain      (status, headers, body, BackendSpec) -> BackendError
"""
