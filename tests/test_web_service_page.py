"""docs/web-service.md is what vendors build by, so what it says is true."""

import re
from datetime import UTC, datetime
from pathlib import Path

from standardwebhooks import Webhook

from portal.fulfilment.web_service import Parameter

PAGE = (Path(__file__).parents[1] / "docs" / "web-service.md").read_text()


def test_every_parameter_is_described_in_its_order():
    table = PAGE.partition("| parameter |")[2].partition("\n\n")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    assert re.findall(r"`(\w+)`", "".join(rows)) == [known.value for known in Parameter]


def test_the_request_that_is_shown_has_the_signature_that_is_shown():
    secret = re.search(r"whsec_[A-Za-z0-9+/=]{20,}", PAGE)[0]
    headers = dict(re.findall(r"^(Webhook-\w+): (.+)$", PAGE, re.MULTILINE))
    body = re.search(r'^\{"Order".*\}$', PAGE, re.MULTILINE)[0]
    moment = datetime.fromtimestamp(int(headers["Webhook-Timestamp"]), UTC)
    expected = Webhook(secret).sign(headers["Webhook-Id"], moment, body)
    assert headers["Webhook-Signature"] == expected
