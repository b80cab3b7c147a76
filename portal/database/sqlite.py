"""How a connection to SQLite is made durable, patient and strict."""

from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

from portal.database.reading import READS, will_write

# SQLite copies what was written into the database's file after so many pages, and not after its
# usual 1,000: an import writes the same pages again and again, and is a tenth quicker. After a
# crash that much is read when the database is opened, some 32 MB.
PAGES_BETWEEN_CHECKPOINTS = 8_000


def configure(engine: Engine, wait: float) -> None:
    """Make each connection of `engine` durable, patient (`wait` seconds) and strict, and begin as
    asked.

    Python's driver begins transactions late and by itself; here every transaction begins where
    SQLAlchemy says so, and one that will write takes the write lock at once, because SQLite cannot
    upgrade a transaction that has read once somebody else has written.
    """

    @event.listens_for(engine, "connect")
    def connected(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")  # an answered resend survives a power cut
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute(f"PRAGMA busy_timeout={int(wait * 1000)}")
        cursor.execute(f"PRAGMA wal_autocheckpoint={PAGES_BETWEEN_CHECKPOINTS}")
        cursor.execute("PRAGMA cache_size=-65536")
        cursor.execute("PRAGMA mmap_size=268435456")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        reads = connection.get_execution_options().get(READS, False)
        mode = "IMMEDIATE" if will_write() and not reads else "DEFERRED"
        connection.exec_driver_sql(f"BEGIN {mode}")
