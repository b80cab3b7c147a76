"""`python -m portal` is `keydesk`."""

from portal.cli import main

main()
