"""What Keydesk needs of its two databases.

SQLite is the default and PostgreSQL the choice of those with several hosts; everything that the
two do differently, apart from searching, stands here.

    types.py         columns that hold the same on both
    connections.py   how they are connected and locked, and what a request may do
    statements.py    what each is asked in a way of its own
    tables.py        how many rows get into a table at once
    failures.py      when they fail
"""
