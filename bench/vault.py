"""`python -m bench.vault`: license texts at rest, AES-GCM beside Fernet, in speed and in size."""

import secrets
from statistics import median
from time import perf_counter

from cryptography.fernet import Fernet, MultiFernet

from portal.vault import KEY_BYTES, Vault

TEXT = "AV7K2-9QXPL-44RTZ-0018M-QQ2ZB"
PLACE = "license:5555555:1:1"
TIMES = 20_000
ROUNDS = 5


def main():
    """Print how many microseconds each takes for one license, and how many bytes."""
    safe = Vault([secrets.token_bytes(KEY_BYTES)], secrets.token_bytes(KEY_BYTES))
    fernet = MultiFernet([Fernet(Fernet.generate_key())])
    sealed, token = safe.seal(TEXT, PLACE), fernet.encrypt(TEXT.encode())
    costs = {
        "seal": (
            per_call(lambda: safe.seal(TEXT, PLACE)),
            per_call(lambda: fernet.encrypt(TEXT.encode())),
        ),
        "open": (
            per_call(lambda: safe.open(sealed, PLACE)),
            per_call(lambda: fernet.decrypt(token).decode()),
        ),
        "size": (len(sealed), len(token)),
    }
    print(f"{'':6}{'AES-GCM':>10}{'Fernet':>10}{'ratio':>8}")
    for name, (ours, theirs) in costs.items():
        unit = "bytes" if name == "size" else "µs"
        print(f"{name:6}{ours:10.1f}{theirs:10.1f}{theirs / ours:8.1f}  {unit}")


def per_call(call):
    """Microseconds for one call: the median of some rounds."""
    rounds = []
    for _ in range(ROUNDS):
        start = perf_counter()
        for _ in range(TIMES):
            call()
        rounds.append((perf_counter() - start) / TIMES * 1e6)
    return median(rounds)


if __name__ == "__main__":
    main()
