"""`python -m backend`: see `backend.command_line`."""

import sys

from backend.command_line import main

sys.exit(main())
