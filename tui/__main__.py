"""`python -m tui`: the same as the command `mimo-tui`."""

import sys

from tui.cli import main

sys.exit(main())
