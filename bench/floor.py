"""The floor: a bare Flask page of 15 KB, under the server of `keydesk serve`.

What it takes is what no page of the portal can go below: `python -m bench.floor PORT`.
"""

import sys

from flask import Flask

from portal.cli.serve import Server

PAGE = "<!doctype html><title>Floor</title>\n" + "<p>0123456789abcdef" * 789


def make_app() -> Flask:
    app = Flask("floor", static_folder=None)
    app.add_url_rule("/", view_func=lambda: PAGE)
    return app


if __name__ == "__main__":
    Server(make_app, bind=[f"127.0.0.1:{sys.argv[1]}"], workers=2, threads=4).run()
