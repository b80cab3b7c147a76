"""The settings of a tool as they are kept with a product: checked by the tool, compared for the
changes that are noted."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from flask_babel import gettext as _
from pydantic import BaseModel, HttpUrl, SecretStr, ValidationError

from portal.extensions import db
from portal.models import hidden
from portal.models.change import ANOTHER, HIDDEN
from portal.models.pool import Pool
from portal.models.unsound import Unsound
from portal.shared_secret import new_secret

Stored = dict[str, Any]
Difference = tuple[str, object, object]

# Allowed for the host of the address, and for no other.
FOR_ONE_HOST = "inner_host_allowed"


def checked(tool: str, settings: Mapping[str, Any], before: Stored) -> Stored:
    """`settings` as they are kept, if the tool can work with them; HIDDEN among them stands for
    what was there before, which another host does not get. A secret that is not given stays, or a
    fresh one is made, as it is for another host. Raises Unsound."""
    model = _tools()[tool].Settings
    if unknown := settings.keys() - model.model_fields.keys():
        raise Unsound({f"settings.{name}": _("There is no such setting.") for name in unknown})
    fresh = {name for name in _secrets(model) if settings.get(name, HIDDEN) == HIDDEN}
    given = {name: value for name, value in settings.items() if name not in fresh}
    wanted = hidden.uncovered(given, before)
    _refuse(wanted)
    wanted |= {name: before.get(name) or new_secret() for name in fresh}
    try:
        stored = stored_form(model.model_validate(wanted))
    except ValidationError as error:
        raise Unsound.of(error, "settings") from None
    if _host(stored) != _host(before):
        _refuse(given)
        stored |= {name: new_secret() for name in fresh}
    if "pool_id" in stored and db.session.get(Pool, stored["pool_id"]) is None:
        raise Unsound({"settings.pool_id": _("There is no such pool.")})
    return stored


def has_secret(tool: str | None) -> bool:
    """Whether this tool shares a secret with somebody."""
    return bool(tool and _secrets(_tools()[tool].Settings))


def stored_form(settings: BaseModel) -> Stored:
    """As JSON, to be sealed: with the secrets, which are not in any other form of it."""
    stored: Stored = json.loads(settings.model_dump_json())
    secrets = {name: value for name, value in settings if isinstance(value, SecretStr)}
    return stored | {name: secret.get_secret_value() for name, secret in secrets.items()}


def differences(tool: str, before: Stored, after: Stored) -> list[Difference]:
    """What was changed, by field, without what nobody is to see. What was never set is compared
    with what it would have been."""
    model = _tools()[tool].Settings
    private = {name for name, field in model.model_fields.items() if not field.repr}
    private |= _secrets(model)
    was, is_now = _flat(_defaults(model) | before), _flat(after)
    found: list[Difference] = []
    for field in sorted(was.keys() | is_now.keys()):
        old, new = was.get(field), is_now.get(field)
        if old != new and field.partition(".")[0] in private:
            found.append((field, old and HIDDEN, new and (ANOTHER if old else HIDDEN)))
        elif old != new and field in _addresses(model):
            found.append((field, *hidden.different_addresses(old, new)))
        elif old != new:
            found.append((field, old, new))
    return found


def visible(tool: str, settings: Stored) -> Stored:
    """`settings` with HIDDEN in the place of what nobody is to see."""
    model = _tools()[tool].Settings
    shown = dict(settings)
    for name, field in model.model_fields.items():
        if name in _secrets(model) and shown.get(name):
            shown[name] = HIDDEN
        elif not field.repr and isinstance(shown.get(name), dict):
            shown[name] = dict.fromkeys(shown[name], HIDDEN)
        elif name in _addresses(model) and shown.get(name):
            shown[name] = hidden.address(shown[name])
    return shown


def to_change(tool: str, settings: Stored) -> Stored:
    """`settings` as somebody gets them who changes some and gives them all to `checked`: with
    HIDDEN for what they do not see, and for what is good for one host."""
    kept = visible(tool, settings)
    return kept | ({FOR_ONE_HOST: HIDDEN} if kept.get(FOR_ONE_HOST) else {})


def _refuse(settings: Stored) -> None:
    """Refuse what is still hidden."""
    if names := [name for name, value in _flat(settings).items() if hidden.is_hidden(value)]:
        sentence = _("What was saved is for another host or name: give it again.")
        raise Unsound({f"settings.{name}": sentence for name in names})


def _host(settings: Stored) -> str | None:
    return urlsplit(settings.get("url", "")).hostname


def _addresses(model: type[BaseModel]) -> set[str]:
    return {name for name, field in model.model_fields.items() if field.annotation is HttpUrl}


def _secrets(model: type[BaseModel]) -> set[str]:
    return {name for name, field in model.model_fields.items() if field.annotation is SecretStr}


def _defaults(model: type[BaseModel]) -> Stored:
    fields = model.model_fields.items()
    return {name: field.get_default() for name, field in fields if not field.is_required()}


def _flat(settings: Stored) -> Stored:
    """One level: a value within a value has the names of both."""
    flat: Stored = {}
    for name, value in settings.items():
        if isinstance(value, dict):
            flat |= {f"{name}.{part}": inner for part, inner in value.items()}
        else:
            flat[name] = value
    return flat


def _tools() -> Mapping[Any, Any]:
    # The tools know the models, and are known here for as long as it takes.
    from portal.fulfilment.desk import TOOLS

    return TOOLS
