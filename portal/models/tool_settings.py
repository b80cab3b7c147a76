"""The settings of a tool as they are kept with a product: checked by the tool, compared for the
changes that are noted."""

import json
from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _
from pydantic import BaseModel, SecretStr, ValidationError

from portal.extensions import db
from portal.models.change import ANOTHER, HIDDEN
from portal.models.pool import Pool
from portal.models.unsound import Unsound

Stored = dict[str, Any]
Difference = tuple[str, object, object]


def checked(tool: str, settings: Mapping[str, Any], before: Stored) -> Stored:
    """`settings` as they are kept, if the tool can work with them; HIDDEN among them stands for
    what was there before. A secret that is not given stays, or a fresh one is made. Raises Unsound.
    """
    model = _tools()[tool].Settings
    if unknown := settings.keys() - model.model_fields.keys():
        raise Unsound({f"settings.{name}": _("There is no such setting.") for name in unknown})
    wanted = _uncovered(settings, before)
    for name in _secrets(model) - wanted.keys():
        wanted[name] = before.get(name) or new_secret(tool)
    try:
        stored = stored_form(model.model_validate(wanted))
    except ValidationError as error:
        raise Unsound.of(error, "settings") from None
    if "pool_id" in stored and db.session.get(Pool, stored["pool_id"]) is None:
        raise Unsound({"settings.pool_id": _("There is no such pool.")})
    return stored


def new_secret(tool: str) -> str:
    """A secret for this tool that nobody knows yet."""
    secret: str = _tools()[tool].new_secret()
    return secret


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
    return shown


def _uncovered(settings: Mapping[str, Any], before: Mapping[str, Any]) -> Stored:
    uncovered: Stored = {}
    for name, value in settings.items():
        if isinstance(value, dict):
            uncovered[name] = _uncovered(value, before.get(name) or {})
        else:
            uncovered[name] = before.get(name, value) if value == HIDDEN else value
    return uncovered


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
