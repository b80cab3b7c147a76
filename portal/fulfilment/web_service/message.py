"""What is sent to the vendor's web service: the parameters, marked and signed."""

import json
from dataclasses import dataclass
from urllib.parse import urlencode

from standardwebhooks import Webhook

from portal import clock
from portal.fulfilment.answer import LicenseRequest
from portal.fulfilment.web_service.settings import Method, Settings

JSON = "application/json"


@dataclass(frozen=True)
class Message:
    """One HTTP request, as it goes out. `headers` are those that say something; `host` and the
    length of the body come with them. Those named in `private` are an operator's, and may be what
    gives us access."""

    method: Method
    url: str
    headers: dict[str, str]
    body: bytes
    private: frozenset[str] = frozenset()

    @property
    def shown_headers(self) -> dict[str, str]:
        """The headers as a person may see them."""
        return {
            name: "…" if name in self.private else value for name, value in self.headers.items()
        }

    @property
    def target(self) -> str:
        """Path and query of `url`."""
        return "/" + self.url.split("/", 3)[3]


def compose(request: LicenseRequest, settings: Settings) -> Message:
    """What `request` says to the web service of `settings`."""
    parameters = _parameters(request, settings)
    url, content, body = str(settings.url), {}, b""
    extra = {name.lower(): value for name, value in settings.extra_headers.items()}
    if settings.method is Method.GET:
        url = url.removesuffix("?")
        url += ("&" if settings.url.query else "?") + urlencode(parameters)
        signed = url.partition("?")[2]
    else:
        content = {"content-type": JSON}
        signed = json.dumps(parameters, ensure_ascii=False, separators=(",", ":"))
        body = signed.encode()
    headers = {
        "accept": f"{JSON}, text/plain",
        "accept-encoding": "identity",
        "cache-control": "no-store",  # the same query may be another request
        "user-agent": "Keydesk",
        **extra,
        **content,
        "keydesk-licenses": str(request.quantity),
        **({"keydesk-test": "true"} if request.is_test else {}),
        **_signature(request.id, signed, settings.secret.get_secret_value()),
    }
    return Message(settings.method, url, headers, body, frozenset(extra))


def _parameters(request: LicenseRequest, settings: Settings) -> dict[str, str]:
    """The documented parameters that are known, under the names they are wanted by, and the
    others. A parameter that does not apply, such as that of a subscription, is not sent."""
    told = {
        name: request.parameters[known.value]
        for known, name in settings.names.items()
        if known.value in request.parameters
    }
    return told | settings.extra_parameters


def _signature(message_id: str, signed: str, secret: str) -> dict[str, str]:
    """The three headers of Standard Webhooks. It speaks of bodies alone: a GET has none, and its
    query, as it is sent, is signed in its place."""
    now = clock.now()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign(message_id, now, signed),
    }
