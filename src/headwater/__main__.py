"""Let `python -m headwater` be the command line."""

from headwater.cli import main

main()
