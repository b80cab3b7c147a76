"""What an application compiles for itself, kept for the next one, because each test has its own.

Templates, statements and the rules of URLs come out the same each time, as they do in a portal that
runs for days, and to compile them took more than half of the time of a test that opens pages.
"""

from typing import ClassVar

import pytest
from flask import Flask
from jinja2 import FileSystemBytecodeCache
from werkzeug.routing import Rule

from portal.extensions import db


class _Statements(dict):
    """Compiled statements, found by all engines for the same kind of database."""

    def get(self, key):
        return super().get(_of_any_engine(key))

    def __setitem__(self, key, compiled):
        super().__setitem__(_of_any_engine(key), compiled)


def _of_any_engine(key):
    """SQLAlchemy's key without the engine's own object in front, which stands for its dialect."""
    dialect, *statement = key
    return dialect.name, *statement


class _Rule(Rule):
    """The rule of a URL; what builds URLs by it depends on its text and its defaults alone."""

    _builders: ClassVar[dict] = {}

    def _compile_builder(self, append_unknown=True):
        key = (self.rule, repr(self.defaults), append_unknown)
        if key not in self._builders:
            self._builders[key] = super()._compile_builder(append_unknown)
        return self._builders[key]


_STATEMENTS = _Statements()


def pytest_configure():
    Flask.url_rule_class = _Rule


@pytest.fixture(scope="session")
def keep_compiled(shared_folder):
    """Let an application find what former ones have compiled: `keep_compiled(app)`."""
    folder = shared_folder / "templates"
    folder.mkdir(exist_ok=True)

    def keep(app):
        app.jinja_env.bytecode_cache = FileSystemBytecodeCache(str(folder))
        with app.app_context():
            for engine in db.engines.values():
                engine.update_execution_options(compiled_cache=_STATEMENTS)

    return keep
