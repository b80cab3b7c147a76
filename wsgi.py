"""The application, for WSGI servers that want to load one: `wsgi:app`."""

from portal import create_app

app = create_app()
