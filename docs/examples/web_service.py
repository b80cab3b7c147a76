"""A vendor's web service to copy from: docs/web-service.md says what it is asked and answers.

WEB_SERVICE_SECRET=whsec_… python web_service.py --port 8080 --database licenses.db
"""

import argparse
import json
import os
import secrets
import sqlite3
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from standardwebhooks import Webhook, WebhookVerificationError


class WebService(BaseHTTPRequestHandler):
    timeout = 10

    def do_POST(self):
        self.answer(self.rfile.read(min(int(self.headers["content-length"]), 65536)))

    def do_GET(self):
        self.answer(self.path.partition("?")[2])

    def answer(self, signed):
        try:
            self.server.webhook.verify(signed, dict(self.headers), json_parse=False)
        except (WebhookVerificationError, ValueError):
            return self.say(401, {"error": "The signature does not fit."})
        count = int(self.headers["keydesk-licenses"])
        if self.headers["keydesk-test"]:  # nobody has paid for these
            return self.say(200, {"licenses": [f"TEST-{n + 1}" for n in range(count)]})
        return self.say(200, {"licenses": self.licenses(self.headers["webhook-id"], count)})

    def licenses(self, message_id, count):
        """New licenses for a new id, and for one that came before what it got then."""
        new = json.dumps([secrets.token_hex(8).upper() for _ in range(count)])
        with closing(sqlite3.connect(self.server.database)) as database, database:
            database.execute("CREATE TABLE IF NOT EXISTS answers (id TEXT PRIMARY KEY, licenses)")
            database.execute("INSERT OR IGNORE INTO answers VALUES (?, ?)", (message_id, new))
            found = database.execute("SELECT licenses FROM answers WHERE id = ?", (message_id,))
            return json.loads(found.fetchone()[0])

    def say(self, status, document):
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(document).encode())


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--database", default="licenses.db")
    chosen = parser.parse_args()
    server = ThreadingHTTPServer(("127.0.0.1", chosen.port), WebService)
    server.webhook, server.database = Webhook(os.environ["WEB_SERVICE_SECRET"]), chosen.database
    server.serve_forever()
