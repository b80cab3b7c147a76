"""Where one item stands on its way to its licenses.

    waiting → working → done
                 ↓  ↑
              retrying     … or failed, from which a person can start it again

It is kept per item: one that fails holds up no other.
"""

from enum import StrEnum


class FulfilmentState(StrEnum):
    WAITING = "waiting"
    WORKING = "working"
    RETRYING = "retrying"
    DONE = "done"
    FAILED = "failed"
