"""The vendor's web service is asked as docs/web-service.md says, and its answers are understood."""

import logging
from datetime import timedelta
from email.utils import format_datetime

import pytest
from standardwebhooks import Webhook

from portal import clock
from portal.fulfilment.answer import DoneElsewhere, Failure, Licenses, Trouble
from portal.fulfilment.web_service import obtain, try_it
from tests.support.web_services import (
    PARAMETERS,
    SECRET,
    ask,
    json_reply,
    raw,
    reply,
    request_for,
    settings_for,
)


def test_the_parameters_go_out_as_a_json_document(service):
    assert ask(service.url) == Licenses(["AAAA-BBBB"])
    [asked] = service.asked
    assert (asked.method, asked.path) == ("POST", "/licenses")
    assert asked.headers["content-type"] == "application/json"
    assert asked.parameters == PARAMETERS


def test_the_parameters_go_out_in_the_query(service):
    service.url += "?shop=1"
    zone = {"Zone": "a b&c=ü+"}
    obtain(request_for(parameters=PARAMETERS | zone), settings_for(service.url, method="GET"))
    [asked] = service.asked
    assert (asked.method, asked.body) == ("GET", b"")
    assert "content-type" not in asked.headers
    assert asked.path.startswith("/licenses?shop=1&Order=A0005555555&Item=1&")
    assert asked.parameters == {"shop": "1"} | PARAMETERS | zone


def test_an_address_that_ends_in_a_question_mark_gets_no_second_one(service):
    ask(service.url + "?", method="GET")
    assert service.asked[0].parameters == PARAMETERS


def test_a_parameter_is_renamed_left_out_or_added(service):
    ask(
        service.url,
        parameter_names={"Order": "order_no", "Zone": "", "Key_last_renew": "last"},
        extra_parameters={"api": "2"},
    )
    expected = PARAMETERS | {"order_no": PARAMETERS["Order"], "api": "2"}
    del expected["Order"], expected["Zone"]
    assert service.asked[0].parameters == expected


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_a_request_is_signed(service, method):
    ask(service.url, method=method)
    [asked] = service.asked
    Webhook(SECRET).verify(asked.signed, asked.headers, json_parse=False)
    assert asked.headers["webhook-id"] == "req_1"


def test_a_request_keeps_its_id_when_it_is_repeated(service):
    service.answer = [reply(status=503), reply("AAAA-BBBB")]
    assert ask(service.url).is_temporary
    assert ask(service.url) == Licenses(["AAAA-BBBB"])
    assert [asked.headers["webhook-id"] for asked in service.asked] == ["req_1", "req_1"]


def test_a_request_says_how_many_licenses_are_wanted_and_takes_no_cookies_along(service):
    service.answer = json_reply({"licenses": ["A", "B", "C"]}, set_cookie="a=b")
    assert ask(service.url, quantity=3) == Licenses(["A", "B", "C"])
    ask(service.url, quantity=3, extra_headers={"Authorization": "Bearer 123", "User-Agent": "x/1"})
    first, second = service.asked
    assert first.headers["keydesk-licenses"] == "3"
    assert second.headers["authorization"] == "Bearer 123"
    assert second.headers["user-agent"] == "x/1"
    assert "cookie" not in second.headers
    assert "keydesk-test" not in second.headers


@pytest.mark.parametrize(
    ("answer", "texts"),
    [
        (reply("AAAA-BBBB"), ["AAAA-BBBB"]),
        (reply("\r\n  AAAA \n 00%7<&\"'>\tü \n\n"), ["AAAA \n 00%7<&\"'>\tü"]),
        (reply("one\r\ntwo\r\n"), ["one\r\ntwo"]),
        (reply('{"license": "A"}'), ['{"license": "A"}']),
        (reply("ß", content_type="text/plain; charset=UTF-8"), ["ß"]),
        (reply(b"\xdf", content_type='Text/Plain; Charset="ISO-8859-1"'), ["ß"]),
        (reply(b"\xef\xbb\xbfAAAA"), ["AAAA"]),
        (reply("AAAA", status=201), ["AAAA"]),
        (json_reply({"license": " A\nB "}), ["A\nB"]),
        (json_reply({"license": "A", "licenses": None, "more": [1]}), ["A"]),
        (json_reply({"licenses": ["00123"]}), ["00123"]),
        (reply(b'\xef\xbb\xbf{"license": "\\u00fc"}', content_type="application/json"), ["ü"]),
        (reply("A" * 10_000), ["A" * 10_000]),
    ],
)
def test_a_license_comes_as_it_was_sent_but_for_the_blanks_at_both_ends(service, answer, texts):
    service.answer = answer
    assert ask(service.url) == Licenses(texts)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (reply(""), "it is empty"),
        (reply(" \r\n"), "it is empty"),
        (reply(status=204), None),
        (reply("AAAA", content_type=None), "Content-Type"),
        (reply("<p>AAAA</p>", content_type="text/html"), "Content-Type"),
        (reply(b"\x89PNG", content_type="image/png"), "Content-Type"),
        (reply("AAAA", content_type="nonsense; ;;="), None),
        (reply(b"AAAA\xff"), "not text"),
        (reply(b"AAAA", content_type="text/plain; charset=zip"), "encoding is not known"),
        (reply(b"AAAA\0"), "NUL"),
        (json_reply({"license": "A\0"}), "NUL"),
        (reply("A" * 65_537), "larger than 64 KiB"),
        (reply("A" * 10_001), "10,000"),
        (json_reply({"license": ""}), "blank"),
        (json_reply({"license": "A", "licenses": ["A"]}), "either"),
        (json_reply({"error": "AAAA"}), "either"),
        (json_reply({"license": 123}), "either"),
        (json_reply({"licenses": "AAAA"}), "either"),
        (json_reply(["AAAA"]), "either"),
        (json_reply("AAAA"), "either"),
        (json_reply({"licenses": []}), "asked for: 1, licenses in it: 0"),
        (json_reply({"licenses": ["AAAA", "B"]}), "asked for: 1, licenses in it: 2"),
        (reply('{"license": "AAAA', content_type="application/json"), "either"),
        (reply('{"license": "\\ud800"}', content_type="application/json"), "either"),
        (reply("[" * 60_000, content_type="application/json"), "either"),
        (reply(b'{"license": "AAAA\xff"}', content_type="application/json"), "either"),
    ],
)
def test_an_answer_that_cannot_be_used_is_final_and_not_quoted(service, answer, reason):
    service.answer = answer
    trouble = ask(service.url)
    assert (trouble.failure, trouble.is_temporary) == (Failure.ANSWER_UNUSABLE, False)
    assert (reason or "HTTP 2") in trouble.detail
    assert "AAAA" not in trouble.detail


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (reply("AAAA"), "asked for: 3, licenses in it: 1"),
        (json_reply({"licenses": ["A", "B"]}), "asked for: 3, licenses in it: 2"),
        (json_reply({"licenses": ["A", "B", "C", "D"]}), "asked for: 3, licenses in it: 4"),
        (json_reply({"licenses": ["A", "B", " A "]}), "the same license twice"),
        (json_reply({"licenses": ["A", "B", " "]}), "blank"),
    ],
)
def test_three_licenses_are_three_different_ones(service, answer, reason):
    service.answer = answer
    trouble = ask(service.url, quantity=3)
    assert trouble.failure is Failure.ANSWER_UNUSABLE
    assert reason in trouble.detail


@pytest.mark.parametrize(
    ("status", "failure", "temporary", "outage", "detail"),
    [
        (202, Failure.SERVICE_BUSY, True, False, "HTTP 202 Accepted"),
        (400, Failure.SERVICE_REFUSED, False, False, "HTTP 400 Bad Request"),
        (401, Failure.SERVICE_REFUSED, False, False, "HTTP 401 Unauthorized"),
        (404, Failure.SERVICE_REFUSED, False, False, "HTTP 404 Not Found"),
        (408, Failure.SERVICE_BUSY, True, False, "HTTP 408 Request Timeout"),
        (425, Failure.SERVICE_BUSY, True, False, "HTTP 425 Too Early"),
        (429, Failure.SERVICE_BUSY, True, True, "HTTP 429 Too Many Requests"),
        (500, Failure.SERVICE_BUSY, True, True, "HTTP 500 Internal Server Error"),
        (503, Failure.SERVICE_BUSY, True, True, "HTTP 503 Service Unavailable"),
        (599, Failure.SERVICE_BUSY, True, True, "HTTP 599"),
        (799, Failure.SERVICE_BUSY, True, True, "HTTP 799"),
    ],
)
def test_a_status_says_whether_another_try_makes_sense(
    service, status, failure, temporary, outage, detail
):
    service.answer = reply("kim@example.com is unknown", status=status)
    assert ask(service.url) == Trouble(failure, detail, temporary, is_outage=outage)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308, 304])
def test_a_redirect_is_not_followed(service, status):
    service.answer = reply("AAAA", status=status, location=service.url)
    trouble = ask(service.url)
    assert (trouble.failure, trouble.is_temporary) == (Failure.SERVICE_REFUSED, False)
    assert "redirect, which is not followed" in trouble.detail
    assert len(service.asked) == 1


@pytest.mark.parametrize(
    ("wish", "seconds"),
    [("120", 120), ("999999", 86_400), ("9" * 5000, 86_400), ("soon", None), ("-1", None)],
)
def test_a_web_service_says_when_it_wants_to_be_asked_again(service, wish, seconds):
    service.answer = reply(status=429, retry_after=wish)
    assert ask(service.url).retry_after == seconds


@pytest.mark.parametrize("usegmt", [True, False])
def test_a_web_service_may_name_a_moment(service, usegmt):
    moment = clock.now() + timedelta(minutes=5)
    service.answer = reply(status=503, retry_after=format_datetime(moment, usegmt=usegmt))
    assert 290 < ask(service.url).retry_after <= 300


@pytest.mark.parametrize(("status", "outage"), [(200, False), (400, False), (503, True)])
def test_an_answer_with_the_pattern_is_temporary(service, status, outage):
    service.answer = reply("ERR-7: out of keys, AAAA", status=status)
    trouble = ask(service.url, temporary_pattern="ERR-[0-9]")
    assert (trouble.failure, trouble.is_temporary) == (Failure.SERVICE_BUSY, True)
    assert trouble.is_outage is outage
    assert "AAAA" not in trouble.detail


def test_an_answer_without_the_pattern_is_as_it_is(service):
    service.answer = [reply("AAAA-BBBB"), reply("no such product", status=400)]
    assert ask(service.url, temporary_pattern="ERR-[0-9]") == Licenses(["AAAA-BBBB"])
    assert not ask(service.url, temporary_pattern="ERR-[0-9]").is_temporary


def test_no_pattern_and_no_answer_take_long_to_compare(service):
    service.answer = reply("a" * 64_000)
    before = clock.now()
    ask(service.url, temporary_pattern="^(a+)+$|(a|a)*b|(.*a){9}b")
    assert clock.now() - before < timedelta(seconds=20)


@pytest.mark.parametrize("answer", [reply("", content_type=None), reply("x" * 99_999)])
def test_a_vendor_who_mails_licenses_need_not_answer_with_any(service, answer):
    service.answer = answer
    assert ask(service.url, vendor_mails=True) == DoneElsewhere()


def test_a_vendor_who_mails_licenses_can_still_fail(service):
    service.answer = reply(status=500)
    assert ask(service.url, vendor_mails=True).is_temporary
    service.answer = reply("ERR")
    assert ask(service.url, vendor_mails=True, temporary_pattern="ERR").is_temporary


def test_a_test_is_marked_and_shows_both_sides(service):
    service.answer = json_reply({"license": "AAAA-BBBB"})
    settings = settings_for(service.url, extra_headers={"Authorization": "Bearer 123"})
    conversation = try_it(settings, request_for())
    [asked] = service.asked
    assert asked.headers["keydesk-test"] == "true"
    assert asked.headers["webhook-id"] == "test_req_1"
    Webhook(SECRET).verify(asked.signed, asked.headers, json_parse=False)
    assert conversation.sent.url == service.url
    assert conversation.sent.body == asked.body
    assert conversation.sent.headers.items() <= asked.headers.items()
    assert "Bearer 123" not in conversation.sent.shown_headers.values()
    assert conversation.sent.shown_headers.keys() == conversation.sent.headers.keys()
    assert conversation.received.status == 200
    assert conversation.received.beginning == '{"license": "AAAA-BBBB"}'
    assert ("Content-Type", "application/json") in conversation.received.headers
    assert conversation.received.body == b'{"license": "AAAA-BBBB"}'
    assert conversation.answer == Licenses(["AAAA-BBBB"])


def test_a_test_that_fails_says_why_and_shows_what_came(service):
    service.answer = reply("é" * 9000, status=503)
    conversation = try_it(settings_for(service.url), request_for())
    assert conversation.answer.detail == "HTTP 503 Service Unavailable"
    assert conversation.received.beginning == "é" * 2048
    service.answer = raw()
    conversation = try_it(settings_for(service.url), request_for())
    assert conversation.received is None
    assert conversation.answer.failure is Failure.SERVICE_UNREACHABLE


def test_nothing_of_a_conversation_is_logged(service, caplog):
    caplog.set_level(logging.INFO)
    ask(service.url, extra_headers={"Authorization": "Bearer 123"})
    assert caplog.text == ""
