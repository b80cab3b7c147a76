"""What Keydesk needs of its two databases.

SQLite is the default and PostgreSQL the choice of those with several hosts; everything that the
two do differently, apart from searching, stands here.

    types.py         columns that hold the same on both
    connections.py   how the portal is connected to either
    sqlite.py        what a connection to SQLite is like
    postgresql.py    what one to PostgreSQL is like, and which plans it keeps
    reading.py       what only reads
    statements.py    what each is asked in a way of its own
    tables.py        how many rows get into a table at once
    failures.py      when they fail
"""
