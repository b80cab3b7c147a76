"""What an operator may set for a web service, and what is refused on saving."""

import json

import pytest
from pydantic import ValidationError

from portal.fulfilment.web_service import Method, Parameter, Settings
from portal.models.tool_settings import stored_form
from tests.support.web_services import SECRET

ORDINARY = {"url": "https://vendor.example/licenses", "secret": SECRET}


def test_an_address_and_a_secret_are_enough():
    settings = Settings(**ORDINARY)
    assert (settings.method, settings.time_out) == (Method.POST, 10)
    assert settings.origin == "https://vendor.example:443"
    assert settings.names[Parameter.ORDER_SUM] == "Order_sum"
    assert len(settings.names) == 11


def test_what_is_secret_is_not_shown():
    settings = Settings(**ORDINARY, extra_headers={"Authorization": "Bearer 123"})
    assert SECRET not in repr(settings)
    assert "Bearer" not in repr(settings)
    with pytest.raises(ValidationError) as refused:
        Settings(url="https://vendor.example", secret="whsec_short")
    assert "whsec_short" not in str(refused.value)


def test_the_settings_survive_being_stored():
    settings = Settings(**ORDINARY, parameter_names={"Order": "no"}, method="GET")
    assert Settings(**json.loads(json.dumps(stored_form(settings)))) == settings
    assert SECRET not in settings.model_dump_json()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"url": "http://vendor.example/"}, "must start with https://"),
        ({"url": "ftp://vendor.example/", "inner_host_allowed": True}, "URL scheme"),
        ({"url": "vendor.example"}, "valid URL"),
        ({"url": "https://"}, "valid URL"),
        ({"url": "https://kim:secret@vendor.example/"}, "user name or a password"),
        ({"url": "https://kim@vendor.example/"}, "user name or a password"),
        ({"url": "https://vendor.example/#part"}, "must not contain a #"),
        ({"url": "https://vendor.example/" + "x" * 3000}, "at most 2083"),
        ({"url": f"https://{'a.' * 127}example/"}, "name in the address is too long"),
        ({"method": "PUT"}, "POST"),
        ({"secret": ""}, "whsec_"),
        ({"secret": "whsec_c2hvcnQ="}, "whsec_"),
        ({"parameter_names": {"Mood": "mood"}}, "Order"),
        ({"parameter_names": {"Order": "Item"}}, "a name of its own"),
        ({"extra_parameters": {"Order": "1"}}, "a name of its own"),
        ({"extra_parameters": {"": "1"}}, "a name of its own"),
        ({"extra_parameters": {"note": "two\nlines"}}, "control characters"),
        ({"extra_headers": {"X-Note": "1\r\nHost: inner"}}, "plain ASCII in one line"),
        ({"extra_headers": {"X-Note": " 1"}}, "plain ASCII in one line"),
        ({"extra_headers": {"X-Note": "ä"}}, "plain ASCII in one line"),
        ({"extra_headers": {"X Note": "1"}}, "letters, digits and hyphens"),
        ({"extra_headers": {"X-Note\n": "1"}}, "letters, digits and hyphens"),
        ({"extra_headers": {"": "1"}}, "letters, digits and hyphens"),
        ({"extra_headers": {"HOST": "inner"}}, "sets this header itself"),
        ({"extra_headers": {"content-length": "0"}}, "sets this header itself"),
        ({"extra_headers": {"Webhook-Id": "0"}}, "sets this header itself"),
        ({"time_out": 0}, "greater than or equal to 1"),
        ({"time_out": 61}, "less than or equal to 60"),
        ({"temporary_pattern": "("}, "cannot be understood"),
        ({"temporary_pattern": "(?=x)"}, "cannot be understood"),
        ({"temporary_pattern": "(a{1000}){1000}"}, "cannot be understood"),
        ({"temporary_pattern": "x" * 201}, "at most 200"),
        ({"extra_parameters": {f"x{number}": "1" for number in range(51)}}, "at most 50"),
        ({"extra_headers": {f"X-{number}": "1" for number in range(51)}}, "at most 50"),
        ({"colour": "red"}, "not permitted"),
    ],
)
def test_a_setting_that_cannot_work_is_refused(change, reason):
    with pytest.raises(ValidationError) as refused:
        Settings(**ORDINARY | change)
    assert reason in str(refused.value)


def test_two_parameters_can_change_names_and_one_makes_room_for_another():
    settings = Settings(
        **ORDINARY,
        parameter_names={"Order": "Item", "Item": "Order", "Zone": ""},
        extra_parameters={"Zone": "fixed", "empty": ""},
    )
    assert settings.names[Parameter.ORDER] == "Item"
    assert Parameter.ZONE not in settings.names


def test_an_operator_may_allow_an_inner_host_without_encryption():
    settings = Settings(
        secret=SECRET, url="http://licenses.internal:8080/", inner_host_allowed=True
    )
    assert settings.origin == "http://licenses.internal:8080"


def test_an_international_name_and_path_travel_as_servers_know_them():
    settings = Settings(secret=SECRET, url="https://Bücher.example/für alle?x=ü")
    assert str(settings.url) == "https://xn--bcher-kva.example/f%C3%BCr%20alle?x=%C3%BC"
