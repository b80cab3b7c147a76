"""No answer at all breaks the reading of answers, nor gets into the history."""

from hypothesis import given
from hypothesis import strategies as st

from portal.fulfilment.answer import Failure, Licenses, Trouble
from portal.fulfilment.web_service.exchange import Received
from portal.fulfilment.web_service.reading import read
from tests.support.web_services import settings_for

CANARY = "QJXK-7PWM"

CONTENT_TYPES = st.one_of(
    st.sampled_from(
        [
            "text/plain",
            "application/json",
            "text/plain; charset=utf-16",
            "text/plain;charset=ISO-8859-1",
            "text/plain; charset=idna",
            "text/plain; charset*=utf-8''%E2%82",
            'text/plain; charset="',
        ]
    ),
    st.text(st.characters(max_codepoint=255), max_size=40),
)
MOMENTS = st.one_of(
    st.text(st.characters(max_codepoint=255), max_size=40),
    st.from_regex(r"[A-Z][a-z]{2}, \d{1,3} [A-Z][a-z]{2} \d{1,6} \d\d:\d\d:\d\d [+-]?\d{1,9}"),
    st.integers().map(str),
)
BODIES = st.one_of(
    st.binary(max_size=200),
    st.text(max_size=100).map(str.encode),
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=20),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["license", "licenses", "x"]), inner, max_size=3)
        ),
    ).map(lambda document: repr(document).replace("'", '"').encode()),
)


@given(
    status=st.integers(100, 999),
    content_type=CONTENT_TYPES,
    retry_after=MOMENTS,
    body=BODIES,
    quantity=st.integers(1, 3),
)
def test_any_answer_is_understood_or_refused(status, content_type, retry_after, body, quantity):
    headers = [("Content-Type", content_type), ("Retry-After", retry_after)]
    settings = settings_for("https://vendor.example/", temporary_pattern="try.later")
    answer = read(Received(status, headers, CANARY.encode() + body), settings, quantity=quantity)
    if isinstance(answer, Licenses):
        assert status in {200, 201}
        assert len(set(answer.texts)) == quantity
        assert all(text.strip() == text != "" for text in answer.texts)
    else:
        assert isinstance(answer, Trouble)
        assert CANARY not in answer.detail
        assert len(answer.detail) < 200
        assert answer.retry_after is None or 0 <= answer.retry_after <= 86_400


@given(text=st.text(min_size=1, max_size=300))
def test_every_text_that_can_be_a_license_arrives_to_the_letter(text):
    settings = settings_for("https://vendor.example/")
    body = text.encode(errors="replace")
    received = Received(200, [("content-type", "text/plain")], body)
    answer = read(received, settings, quantity=1)
    expected = body.decode().removeprefix("\ufeff").strip()
    if isinstance(answer, Licenses):
        assert answer.texts == [expected]
    else:
        assert answer.failure is Failure.ANSWER_UNUSABLE
        assert "\0" in text or not expected
