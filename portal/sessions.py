"""Who is signed in, for how long, and that there is no other way in than the sign-in page."""

import hmac
import secrets
import time
from typing import Any

from flask import Flask, abort, current_app, g, request, session
from flask_login import user_logged_out
from flask_security import LoginForm, SQLAlchemyUserDatastore, UserMixin, user_authenticated
from flask_security import current_user as signed_in_user
from itsdangerous.encoding import want_bytes
from sqlalchemy import bindparam
from wtforms import Field

from portal.database.postgresql import planned_once
from portal.extensions import db
from portal.models import Staff

# In the cookie: what tells this session from others of the same person.
ID = "id"

# Made once, because every page asks it.
OF_SESSION = planned_once(db.select(Staff).where(Staff.fs_uniquifier == bindparam("fs_uniquifier")))


def init_app(app: Flask) -> None:
    app.before_request(_refuse_json)
    app.before_request(_end_old_session)
    user_authenticated.connect(_begin_session, app)
    user_logged_out.connect(_end_session, app)
    app.jinja_env.globals["session_seconds"] = seconds_left
    extension = app.extensions["security"]
    extension.want_json(lambda _request: False)
    # Flask-Security would take tokens of its own here; ours are for access.token_only.
    extension.login_manager.request_loader(lambda _request: None)
    extension.principal.skip_static = True  # a style sheet is nobody's: no need to know who asks


def security_parts() -> dict[str, Any]:
    """What Flask-Security needs of ours."""
    return {
        "datastore": StaffDatastore(db, Staff, None),  # type: ignore[arg-type]
        "login_form": SignInForm,
    }


class StaffDatastore(SQLAlchemyUserDatastore):
    """Finds people by their address as all of Keydesk does."""

    def find_user(self, case_insensitive: bool = False, **key: Any) -> UserMixin | None:
        """The person with this one key."""
        if "email" in key:
            return Staff.by_email(key["email"])
        if "fs_uniquifier" in key:
            person = db.session.scalars(OF_SESSION, key).unique().one_or_none()
            return None if person is None or has_ended(person) else person
        return super().find_user(case_insensitive, **key)


class SignInForm(LoginForm):
    """Flask-Security's, without “remember me”: a session ends after SESSION_HOURS."""

    remember = None  # type: ignore[assignment]

    def validate_next(self, field: Field) -> None:
        """An address that is not ours is not followed, see flask_security's validate_redirect_url,
        and is no reason against signing in, which nobody would see on the page."""


def asks_as(person: UserMixin | None) -> None:
    """Make `person`, or a stranger, the one who is asking for the rest of this request."""
    current_app.extensions["security"].login_manager._update_request_context_with_user(person)


def has_ended(person: Staff) -> bool:
    """Whether this request comes with a copy of a session that `person` has ended."""
    return session.get(ID) in person.ended_sessions


def _end_old_session() -> None:
    if "_user_id" not in session:
        return
    if seconds_left() <= 0:
        session.clear()
        asks_as(None)
    elif request.blueprint == "security" and not signed_in_user.is_authenticated:
        # Or a copy of an ended session would be told what tells the forms of its person.
        for name in ("_user_id", "csrf_token"):
            session.pop(name, None)


def seconds_left() -> float:
    """How long this session will last by the clock; nothing, or less, once it is over."""
    return float(session.get("fs_paa", 0)) + _longest() - time.time()


def _longest() -> float:
    """How many seconds a session lasts."""
    hours: float = current_app.config["SESSION_HOURS"]
    return hours * 3600


def _begin_session(_app: Flask, user: Staff, **_details: object) -> None:
    """What was in the browser before somebody signed in came from anybody: it says nothing more.
    The forms that they have open themselves are good again, or what they typed would be lost."""
    session["csrf_token"] = _mark_of_forms(user)
    g.pop("csrf_token", None)
    session[ID] = secrets.token_urlsafe(12)


def _mark_of_forms(person: Staff) -> str:
    """What tells the forms of `person` from forged ones, until their password is another."""
    key = want_bytes(current_app.secret_key or "")
    return hmac.digest(key, f"forms of {person.fs_uniquifier}".encode(), "sha256").hex()


def _end_session(_app: Flask, user: Staff, **_details: object) -> None:
    """The cookie alone would be forgotten by one browser: a copy of it would go on."""
    if ID in session:
        user.end_session(session.pop(ID), until=time.time() + _longest())
        db.session.commit()


def _refuse_json() -> None:
    """Forms alone: the limit on signing in counts by the address in the form."""
    if request.blueprint == "security" and request.is_json:
        abort(415)
