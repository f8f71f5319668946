"""The styles of the transcript, made from the theme's variables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from rich.style import Style
from textual.color import Color, ColorParseError


class Palette(NamedTuple):
    """Each style has its background too, so that a line drawn with them is final."""

    base: Style
    muted: Style
    strong: Style
    heading: Style
    link: Style
    inline_code: Style
    rule: Style
    bar: Style
    user: Style
    accent: Style
    success: Style
    warning: Style
    error: Style
    code: Style
    code_label: Style
    added: Style
    removed: Style
    cursor: Style
    keyword: Style
    string: Style
    number: Style
    comment: Style
    function: Style
    type_name: Style
    operator: Style


def palette_of(variables: Mapping[str, str]) -> Palette:
    """The styles for a theme, given `App.theme_variables`. Colours that a theme leaves out fall back to others."""

    def color(*names: str) -> Color:
        for name in names:
            try:
                return Color.parse(variables[name])
            except (KeyError, ColorParseError):  # absent, or `auto`: a contrast that Textual finds by itself
                continue
        return Color(128, 128, 128)

    background, foreground = color("background"), color("foreground")
    surface = background.blend(color("surface", "background"), 1.0) if background.ansi is None else background

    def on(ground: Color, front: Color, **attributes: Any) -> Style:
        if front.ansi is None and front.a < 1:
            front = ground.blend(front, front.a, 1.0)
        return Style(color=front.rich_color, bgcolor=ground.rich_color, **attributes)

    def mixed(front: Color, ground: Color, share: float) -> Color:
        return front if ground.ansi is not None or front.ansi is not None else ground.blend(front, share)

    muted = color("text-muted", "foreground-muted", "foreground")
    if muted == foreground:
        muted = mixed(foreground, background, 0.6)
    accent, primary = color("text-accent", "accent"), color("text-primary", "primary")
    success, warning = color("text-success", "success"), color("text-warning", "warning")
    error, secondary = color("text-error", "error"), color("text-secondary", "secondary")
    return Palette(
        base=on(background, foreground),
        muted=on(background, muted, dim=background.ansi is not None),
        strong=on(background, foreground, bold=True),
        heading=on(background, primary, bold=True),
        link=on(background, primary, underline=True),
        inline_code=on(surface, accent),
        rule=on(background, mixed(foreground, background, 0.3)),
        bar=on(surface, accent),
        user=on(surface, foreground),
        accent=on(background, accent),
        success=on(background, success),
        warning=on(background, warning),
        error=on(background, error),
        code=on(surface, foreground),
        code_label=on(surface, mixed(foreground, surface, 0.5), dim=background.ansi is not None),
        added=on(surface, success),
        removed=on(surface, error),
        cursor=on(mixed(color("primary"), background, 0.25), foreground),
        keyword=on(surface, primary),
        string=on(surface, success),
        number=on(surface, warning),
        comment=on(surface, mixed(foreground, surface, 0.5), italic=True),
        function=on(surface, accent),
        type_name=on(surface, mixed(secondary, foreground, 0.4), bold=True),
        operator=on(surface, mixed(foreground, surface, 0.8)),
    )
