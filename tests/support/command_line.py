"""The console script as a process of its own, with the settings of the test."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


class CommandLine:
    """`keydesk` from outside: `run` waits for its end, `start` does not."""

    def __init__(self, environment, folder):
        self.environment = environment
        self.folder = folder

    def run(self, *arguments, stdin=b"", **changes):
        """The ended process: its `returncode`, and what it wrote as text."""
        process = self.start(*arguments, **changes)
        stdout, stderr = process.communicate(stdin, timeout=60)
        return subprocess.CompletedProcess(
            process.args, process.returncode, stdout.decode(), stderr.decode()
        )

    def start(self, *arguments, stderr=subprocess.PIPE, **changes):
        """The running process; `changes` are variables of its environment, None removes one."""
        environment = self.environment | changes
        return subprocess.Popen(
            [sys.executable, "-m", "portal", *map(str, arguments)],
            env={name: value for name, value in environment.items() if value is not None},
            cwd=self.folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            start_new_session=True,  # it can be killed with all its children
        )


def variables(settings):
    """Settings as variables of the environment: text as it is, all else as JSON."""
    return {
        f"FLASK_{name}": value if isinstance(value, str) else json.dumps(value)
        for name, value in settings.items()
    }


@pytest.fixture
def keydesk(settings, tmp_path):
    """The console script on the database of the test."""
    return CommandLine(_ours() | variables(settings), tmp_path)


@pytest.fixture
def bare_keydesk(tmp_path):
    """The console script where nothing has been set up yet, in a folder of its own."""
    folder = tmp_path / "instance"
    return CommandLine(_ours() | {"KEYDESK_INSTANCE": str(folder)}, tmp_path)


def _ours():
    # Each process would compile all of the portal again where its bytecode is not to be kept.
    left_out = ("FLASK_", "PYTHONDONTWRITEBYTECODE")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
    return kept | {"PYTHONPATH": str(ROOT)}
