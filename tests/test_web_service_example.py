"""The example that vendors copy does what docs/web-service.md says, started as a vendor would."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from portal.fulfilment.answer import Failure, Licenses
from portal.fulfilment.web_service import new_secret, obtain, try_it
from tests.support.web_services import EXAMPLE, ask, request_for, settings_for


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_a_repeated_id_gets_the_same_licenses_and_another_id_others(example, method):
    settings = settings_for(example, method=method)
    first = obtain(request_for(3), settings)
    assert isinstance(first, Licenses)
    assert len(set(first.texts)) == 3
    assert obtain(request_for(3), settings) == first
    assert not set(obtain(request_for(3, id="req_2"), settings).texts) & set(first.texts)


def test_the_same_id_many_times_at_once_gets_the_same_licenses(example):
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: tuple(ask(example).texts), range(40)))
    assert len(set(answers)) == 1


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_a_wrong_secret_is_refused(example, method):
    trouble = ask(example, method=method, secret=new_secret())
    assert trouble.failure is Failure.SERVICE_REFUSED
    assert trouble.detail == "HTTP 401 Unauthorized"


def test_a_test_uses_up_nothing(example):
    conversation = try_it(settings_for(example), request_for(2))
    assert conversation.answer == Licenses(["TEST-1", "TEST-2"])


def test_the_example_is_short_enough_to_be_read():
    assert len(EXAMPLE.read_text().splitlines()) < 60
