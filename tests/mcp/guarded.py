"""A server at an address that wants OAuth, and its own authorization server; prints its port when it runs.

python -m tests.mcp.guarded
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from typing import Any
from urllib.parse import parse_qs, urlencode

import uvicorn

from tests.mcp.helpful import _free_port, server

PORT = _free_port()
HERE = f"http://127.0.0.1:{PORT}"
_codes: dict[str, str] = {}
_tokens: set[str] = set()
_mcp = server.streamable_http_app()


async def app(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] != "http":
        await _mcp(scope, receive, send)
        return
    path, headers = scope["path"], dict(scope["headers"])
    query = {name: values[0] for name, values in parse_qs(scope["query_string"].decode()).items()}
    if path == "/mcp":
        token = headers.get(b"authorization", b"").decode().removeprefix("Bearer ")
        if token in _tokens:
            await _mcp(scope, receive, send)
        else:
            where = f'Bearer resource_metadata="{HERE}/.well-known/oauth-protected-resource/mcp"'
            await _say(send, 401, {}, {"WWW-Authenticate": where})
    elif path == "/.well-known/oauth-protected-resource/mcp":
        await _say(send, 200, {"resource": f"{HERE}/mcp", "authorization_servers": [HERE]})
    elif path == "/.well-known/oauth-authorization-server":
        ends = {f"{name}_endpoint": f"{HERE}/{name}" for name in ("authorization", "token", "registration")}
        kinds = {"response_types_supported": ["code"], "code_challenge_methods_supported": ["S256"]}
        await _say(send, 200, {"issuer": HERE} | ends | kinds)
    elif path == "/registration":
        asked = json.loads(await _body(receive))
        await _say(send, 201, asked | {"client_id": "this-program"})
    elif path == "/authorization":
        code = secrets.token_hex(8)
        _codes[code] = query["code_challenge"]
        back = f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"
        await _say(send, 302, {}, {"Location": back})
    elif path == "/token":
        form = {name: values[0] for name, values in parse_qs((await _body(receive)).decode()).items()}
        proof = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).rstrip(b"=").decode()
        is_right = _codes.pop(form["code"], "") == proof
        token = f"token-{secrets.token_hex(16)}"
        if is_right:
            _tokens.add(token)
        answer = {"access_token": token, "token_type": "Bearer", "expires_in": 3600}
        await _say(send, 200 if is_right else 400, answer if is_right else {"error": "invalid_grant"})
    else:
        await _say(send, 404, {})


async def _body(receive: Any) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    return body


async def _say(send: Any, status: int, answer: Any, headers: dict[str, str] | None = None) -> None:
    all_headers = {"Content-Type": "application/json"} | (headers or {})
    pairs = [(name.encode(), value.encode()) for name, value in all_headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    await send({"type": "http.response.body", "body": json.dumps(answer).encode()})


if __name__ == "__main__":
    print(PORT, flush=True)
    uvicorn.run(app, port=PORT)
