"""A vendor's web service to copy from: docs/web-service.md says what it is asked and answers.

WEB_SERVICE_SECRET=whsec_… python web_service.py 8080 licenses.db"""

import json
import os
import secrets
import sqlite3
import sys
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl

from standardwebhooks import Webhook, WebhookVerificationError


class WebService(BaseHTTPRequestHandler):
    timeout = 10
    webhook = Webhook(os.environ["WEB_SERVICE_SECRET"])

    def do_POST(self):
        size = self.headers["content-length"] or ""
        if not (size.isdecimal() and len(size) < 6):
            return self.say(413, {"error": "A body has 99,999 bytes at most, and says how many."})
        return self.answer(self.rfile.read(int(size)), json.loads)

    def do_GET(self):
        self.answer(self.path.partition("?")[2], lambda query: dict(parse_qsl(query)))

    def answer(self, signed, read):
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            self.webhook.verify(signed, headers, json_parse=False)
        except (WebhookVerificationError, ValueError):
            return self.say(401, {"error": "The signature does not fit."})
        # Of the headers the id alone is signed: no more licenses than the units that are.
        count = min(int(headers["keydesk-licenses"]), int(read(signed)["Quantity"]))
        if headers["webhook-id"].startswith("test_"):  # nobody has paid for these
            return self.say(200, {"licenses": [f"TEST-{n + 1}" for n in range(count)]})
        return self.say(200, {"licenses": self.licenses(headers["webhook-id"], count)})

    def licenses(self, message_id, count):  # the same again for an id that came before
        new = json.dumps([secrets.token_hex(8).upper() for _ in range(count)])
        with closing(sqlite3.connect(self.database)) as database, database:
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
    port, WebService.database = sys.argv[1:]
    ThreadingHTTPServer(("127.0.0.1", int(port)), WebService).serve_forever()
