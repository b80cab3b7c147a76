"""What nobody expected is written down without the values that it was about."""

import logging

from portal.unexpected import write_down
from tests.people import CODE, KIM


def test_the_words_of_an_exception_stay_out_of_the_log(caplog):
    try:
        try:
            raise KeyError(CODE)
        except KeyError as cause:
            raise ValueError(f"{CODE} for {KIM}") from cause
    except ValueError as error:
        write_down(logging.getLogger("portal"), "The e-mail 7 could not be composed", error)
    for said in (
        "The e-mail 7 could not be composed: ValueError",
        "KeyError",
        "test_unexpected.py",
    ):
        assert said in caplog.text
    for value in (CODE, KIM):
        assert value not in caplog.text
