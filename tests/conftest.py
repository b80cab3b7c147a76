"""What every test can ask for; the pieces are in `tests/support/` and `tests/people.py`."""

import os

import pytest

# In the order in which they import one another.
pytest_plugins = [
    "tests.support.run",
    "tests.support.postgres",
    "tests.support.compiled",
    "tests.support.application",
    "tests.support.databases",
    "tests.support.mail_servers",
    "tests.support.faulty_mail_server",
    "tests.support.web_services",
    "tests.support.portal",
    "tests.support.command_line",
    "tests.support.running_portal",
    "tests.people",
    "tests.pools",
]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport():
    return _unskippable((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report():
    return _unskippable((yield))


def _unskippable(report):
    """In CI a test that was skipped has failed: nobody reads the list of skipped ones there."""
    if os.environ.get("CI") and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"Skipped, which counts as failed in CI: {report.longrepr}"
    return report
