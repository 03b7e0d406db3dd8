"""``python -m tosg``: the same as ``tosg``."""

from tosg.cli import main

main()
