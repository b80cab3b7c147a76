"""One run of the tests, which may be spread over several processes that share some things."""

import fcntl
from contextlib import contextmanager
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

import pytest

_folder = pytest.StashKey[Path]()


def pytest_configure(config):
    if not hasattr(config, "workerinput"):
        folder = Path(mkdtemp(prefix="keydesk-tests-"))
        folder.chmod(0o711)  # PostgreSQL, which is another user, has its files in here
        config.stash[_folder] = folder


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node):
    node.workerinput["shared_folder"] = str(node.config.stash[_folder])


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config):
    if _folder in config.stash:
        rmtree(config.stash[_folder], ignore_errors=True)


def folder_of(config):
    """The folder that all processes of this run share; it goes when the run ends."""
    if hasattr(config, "workerinput"):
        return Path(config.workerinput["shared_folder"])
    return config.stash[_folder]


@pytest.fixture(scope="session")
def shared_folder(pytestconfig):
    return folder_of(pytestconfig)


@pytest.fixture(scope="session")
def worker(pytestconfig):
    """The name of this process among those of the run."""
    return getattr(pytestconfig, "workerinput", {}).get("workerid", "alone")


@contextmanager
def one_at_a_time(path):
    """Only one process at a time is inside; `path` is the file they agree by."""
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
