"""What is sent to the vendor's web service: the parameters, marked and signed."""

import json
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from standardwebhooks import Webhook

from portal import clock
from portal.fulfilment.answer import LicenseRequest
from portal.fulfilment.web_service.settings import Method, Settings

JSON = "application/json"
UNSEEN = "…"


@dataclass(frozen=True)
class Message:
    """One HTTP request, as it goes out. `headers` are those that say something; `host` and the
    length of the body come with them. Those named in `private` are an operator's, and may be what
    gives us access, as may what is not in `shown_url` and `shown_body`."""

    method: Method
    url: str
    headers: dict[str, str]
    body: bytes
    private: frozenset[str]
    shown_url: str
    shown_body: str

    @property
    def shown_headers(self) -> dict[str, str]:
        """The headers as a person may see them."""
        return {
            name: UNSEEN if name in self.private else value for name, value in self.headers.items()
        }

    @property
    def target(self) -> str:
        """Path and query of `url`."""
        return "/" + self.url.split("/", 3)[3]


def compose(request: LicenseRequest, settings: Settings) -> Message:
    """What `request` says to the web service of `settings`."""
    told = _told(request, settings)
    url, body = _written(settings, str(settings.url), told | settings.extra_parameters)
    hidden = dict.fromkeys(settings.extra_parameters, UNSEEN)
    bare, mark, query = str(settings.url).partition("?")
    shown_url, shown_body = _written(settings, bare + mark + (query and UNSEEN), told | hidden)
    return Message(
        settings.method,
        url,
        _headers(request, settings, signed=body or url.partition("?")[2]),
        body.encode(),
        private=frozenset(name.lower() for name in settings.extra_headers),
        shown_url=shown_url.replace(quote(UNSEEN), UNSEEN),
        shown_body=shown_body,
    )


def _headers(request: LicenseRequest, settings: Settings, *, signed: str) -> dict[str, str]:
    return {
        "accept": f"{JSON}, text/plain",
        "accept-encoding": "identity",
        "cache-control": "no-store",  # the same query may be another request
        "user-agent": "Keydesk",
        **{name.lower(): value for name, value in settings.extra_headers.items()},
        **({"content-type": JSON} if settings.method is Method.POST else {}),
        "keydesk-licenses": str(request.quantity),
        **({"keydesk-test": "true"} if request.is_test else {}),
        **_signature(request.id, signed, settings.secret.get_secret_value()),
    }


def _written(settings: Settings, url: str, parameters: dict[str, str]) -> tuple[str, str]:
    """The address and the body that say `parameters` at `url`."""
    if settings.method is Method.POST:
        return url, json.dumps(parameters, ensure_ascii=False, separators=(",", ":"))
    url = url.removesuffix("?")
    return url + ("&" if "?" in url else "?") + urlencode(parameters), ""


def _told(request: LicenseRequest, settings: Settings) -> dict[str, str]:
    """The documented parameters that are known, under the names they are wanted by. One that does
    not apply, such as that of a subscription, is not sent."""
    return {
        name: request.parameters[known.value]
        for known, name in settings.names.items()
        if known.value in request.parameters
    }


def _signature(message_id: str, signed: str, secret: str) -> dict[str, str]:
    """The three headers of Standard Webhooks. It speaks of bodies alone: a GET has none, and its
    query, as it is sent, is signed in its place."""
    now = clock.now()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign(message_id, now, signed),
    }
