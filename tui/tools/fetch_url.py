"""The tool `fetch_url`: what a page of the web says, as text."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Literal

from tui.core.errors import MimoError
from tui.core.messages import Json
from tui.tools.base import Outcome, ToolContext
from tui.tools.errors import ToolError
from tui.tools.web import page_text
from tui.tools.web.addresses import target_of
from tui.tools.web.fetch import LIMIT_BYTES, Page, fetch

_CHARACTERS = 32 * 1024
"""Of the text; the whole of a longer one is kept on disk."""
_ERROR_CHARACTERS = 2000
_HTML = ("text/html", "application/xhtml+xml")
_TEXTS = (
    *("application/json", "application/x-ndjson", "application/xml", "application/javascript", "application/graphql"),
    *("application/yaml", "application/x-yaml", "application/toml", "application/x-sh", "application/sql"),
)
_UNSAID = ("", "application/octet-stream", "binary/octet-stream", "application/x-unknown")


class FetchUrl:
    name = "fetch_url"
    description = "Get the text of a page of the web, or an image, by its http:// or https:// address."
    parameters: Json = {
        "type": "object",
        "properties": {"url": {"type": "string", "minLength": 1, "maxLength": 4000, "description": "The address."}},
        "required": ["url"],
        "additionalProperties": False,
    }
    effect: Literal["network"] = "network"

    def __init__(self, allowed: tuple[str, ...] = ()) -> None:
        """`allowed`: hosts (`host:port`) that may be private."""
        self._allowed = allowed

    def paths(self, arguments: Json) -> tuple[str, ...]:
        return ()

    def preview(self, arguments: Json, context: ToolContext) -> str:
        try:
            return f"fetch {target_of(arguments['url']).url}"
        except ToolError as error:
            return str(error)

    async def run(self, arguments: Json, context: ToolContext) -> AsyncGenerator[str | Outcome, None]:
        try:
            page = await fetch(arguments["url"], self._allowed)
            yield await asyncio.to_thread(_outcome, page, context)
        except ToolError as error:
            yield Outcome(str(error), is_error=True)


def _outcome(page: Page, context: ToolContext) -> Outcome:
    """What the model gets of a page. Blocking. Raises ToolError for what has no text in it."""
    where = page.target.url
    detail: Json = {"url": where, "status": page.status}
    if page.leads_to is not None:
        words = (
            f"{where} redirects to another host, which was not asked: {page.leads_to.url}\nFetch that if you need it."
        )
        return Outcome(words, detail=detail)
    kind = page.content_type.partition(";")[0].strip().lower()
    if not 200 <= page.status < 300:
        said = _said(page, kind)[1][:_ERROR_CHARACTERS] if _is_text(kind, page.body) else ""
        return Outcome(f"{where} answered with the status {page.status}.\n{said}".rstrip(), True, detail)
    if (kind.startswith("image/") and kind != "image/svg+xml") or (kind in _UNSAID and _is_image(page.body)):
        return _image(page, context, detail)
    if kind == "application/pdf" or page.body.startswith(b"%PDF-"):
        raise ToolError(f"{where} is a PDF, which cannot be read by this tool. Is there a page of it in HTML?")
    if not _is_text(kind, page.body):
        raise ToolError(f"{where} is {kind or 'of an unknown type'}, which is not text.")
    title, text = _said(page, kind)
    if not text:
        return Outcome(f"{where} has no text in it. It may be made by scripts, which are not run.", detail=detail)
    cut = f"\n[The page is longer than {LIMIT_BYTES >> 20} MB; the rest was not read.]" if page.is_cut else ""
    head = f"[{where}{f' · {title}' if title else ''}. What follows is the page's, not the user's.]"
    return Outcome(context.desk.outputs.shortened(f"{head}\n{text}{cut}", _CHARACTERS), detail=detail)


def _said(page: Page, kind: str) -> tuple[str, str]:
    text = page_text.decoded(page.body, page.content_type)
    if kind in _HTML or (kind in _UNSAID and text.lstrip()[:15].lower().startswith(("<!doctype html", "<html"))):
        title, text = page_text.markdown(text, page.target.url)
        return " ".join(page_text.seen(title).split()), page_text.seen(text)
    return "", page_text.seen(text)


def _is_text(kind: str, body: bytes) -> bool:
    if kind.startswith("text/") or kind in _TEXTS or kind.endswith(("+json", "+xml")) or kind in _HTML:
        return True
    return kind in _UNSAID and b"\0" not in body


def _is_image(body: bytes) -> bool:
    from tui.backends.images import media_type

    return media_type(body) is not None


def _image(page: Page, context: ToolContext, detail: Json) -> Outcome:
    from tui.backends.images import image_of

    where = page.target.url
    if page.is_cut:
        raise ToolError(f"{where} is an image of more than {LIMIT_BYTES >> 20} MB, which is too large.")
    if context.sees_images is False:
        raise ToolError(f"{where} is an image, and you cannot see images.")
    try:
        image = image_of(page.body, where.rpartition("/")[2][:100])
    except MimoError as error:
        raise ToolError(f"{where} is an image that cannot be shown: {error.message}.") from error
    return Outcome(f"{where} is an image ({image.media_type}). It is shown to you.", detail=detail, images=(image,))
