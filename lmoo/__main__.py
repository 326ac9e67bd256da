"""``python -m lmoo``: the command line."""

import sys

from lmoo.cli.entry import main

if __name__ == "__main__":
    sys.exit(main())
