"""The extensions, unbound; `create_app` binds them to an application."""

from pathlib import Path
from typing import TYPE_CHECKING

from flask_babel import Babel
from flask_limiter.util import get_remote_address
from flask_mail import Mail
from flask_migrate import Migrate
from flask_security import Security
from flask_sqlalchemy import SQLAlchemy
from flask_wtf import CSRFProtect

from portal.database.connections import PortalSession
from portal.database.types import Base
from portal.named_limits import NamedLimits
from portal.passwords import Passwords
from portal.security_mail import SecurityMail

db = SQLAlchemy(model_class=Base, session_options={"class_": PortalSession})

# What models inherit from. Flask-SQLAlchemy makes db.Model of Base when it runs; a type checker
# knows only the latter.
if TYPE_CHECKING:

    class Model(Base):
        __abstract__ = True

else:
    Model = db.Model

migrate = Migrate(directory=str(Path(__file__).parent / "migrations"), render_as_batch=True)
mail = Mail()
csrf = CSRFProtect()
babel = Babel()
# Given here, because Security.init_app passes over it in silence.
security = Security(mail_util_cls=SecurityMail, password_util_cls=Passwords)
limiter = NamedLimits(key_func=get_remote_address)
