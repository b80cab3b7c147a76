"""The benchmark, on so few orders that it only shows that it still runs."""

import os
import re
import subprocess
import sys

import pytest


def test_a_short_benchmark_measures_every_page_resends_and_the_import(tmp_path):
    command = ["-m", "bench", "--orders", "300", "--rounds", "4", "--database", "sqlite"]
    environment = {name: value for name, value in os.environ.items() if "FLASK_" not in name}
    run = subprocess.run(
        [sys.executable, *command, "--folder", str(tmp_path)],
        env=environment,
        check=False,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    rows = re.findall(r"^\| ([^|]+) \|", run.stdout, re.MULTILINE)
    for measured in ("the bare page", "order page", "list", "part of an e-mail", "not delivered"):
        assert measured in rows
    assert "resend, with `smtplib` alone" in run.stdout
    assert re.search(r"Import: [\d,]+ orders a second", run.stdout)


@pytest.mark.parametrize(
    ("module", "options", "measured"),
    [
        ("bench.vault", [], "AES-GCM"),
        ("bench.imports", ["--orders", "300"], "On SQLite:"),
        ("bench.pools", ["--licenses", "300", "--allocations", "20"], "sqlite"),
    ],
)
def test_what_the_readme_names_besides_runs(module, options, measured):
    environment = {name: value for name, value in os.environ.items() if "FLASK_" not in name}
    run = subprocess.run(
        [sys.executable, "-m", module, *options],
        env=environment,
        check=False,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    assert measured in run.stdout
