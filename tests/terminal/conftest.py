"""What the tests in a real terminal share with those on a headless one."""

from tests.app.conftest import folder, model

__all__ = ["folder", "model"]
