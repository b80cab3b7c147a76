"""How a password that was typed is read."""

from flask_security import PasswordUtil

from portal.normal_forms import normal


class Passwords(PasswordUtil):
    """Flask-Security's, which a long password of combining marks does not keep busy."""

    def normalize(self, password: str) -> str:
        """One form of what looks alike, however a keyboard writes it."""
        return normal("NFKD", password)
