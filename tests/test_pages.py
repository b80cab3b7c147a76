"""The browser of the tests presses, fills in and sends what a real one would."""

import pytest
from flask import Flask, redirect, request
from flask_sqlalchemy import SQLAlchemy

from tests.support.pages import Page
from tests.support.portal import PlainBrowser

PAGE = """<!doctype html>
<title>Order A1</title>
<body hx-headers:inherited='{"X-CSRFToken": "token"}'>
<h1>Order&nbsp;A1</h1>
<ul><li>one</li><li>k<mark>im</mark>@example.com</li></ul>
<pre id="code">
AB  12
 <b>&lt;x&gt;</b></pre>
<a href="next?page=2"><span aria-hidden="true">→</span> Next</a>
<button hx-get="/told" aria-label="Resend license 1" id="first">Resend</button>
<button hx-get="/told" aria-labelledby="resend-2"><i>R</i></button> <p id="resend-2">Resend 2</p>
<button hidden hx-get="/told">Secret</button>
<fieldset disabled><button hx-get="/told">Later</button></fieldset>
<button type="button">Copy</button>
<form action="/told" method="post" id="form">
  <input type="hidden" name="csrf_token" value="abc">
  <label>Name <input name="name" value="Kim"></label>
  <label for="text">Text</label> <textarea name="text" id="text">
one &amp;
two</textarea>
  <select name="language" aria-label="Language"><option value="de">German<option selected>French
  </select>
  <input type="checkbox" name="status" value="paid" aria-label="paid" checked>
  <input type="checkbox" name="status" value="deleted" aria-label="deleted">
  <input name="off" value="1" disabled>
  <input name="empty">
  <input value="without a name">
  <button name="do" value="send">Send</button>
  <input type="submit" value="Save">
</form>
<input name="outside" form="form" value="in">
<form action="/told" role="search"><input name="q" aria-label="Search orders"><button>Find</button>
</form>
<form hx-post="/changes"><input type="hidden" name="token" value="t"><button>Change</button></form>
"""


@pytest.fixture
def page():
    app = Flask(__name__)
    app.config["SQLALCHEMY_DATABASE_URI"] = "sqlite://"
    SQLAlchemy(app)

    @app.get("/orders/A1")
    def show():
        return PAGE

    @app.route("/told", methods=["GET", "POST"])
    @app.get("/orders/next")
    def told():
        return {
            "method": request.method,
            "path": request.full_path,
            "form": request.form.to_dict(flat=False),
            "htmx": {name: value for name, value in request.headers if name.startswith("Hx-")},
            "token": request.headers.get("X-CSRFToken"),
        }

    @app.post("/changes")
    def change():
        return "<p id=history>changed</p>", {"HX-Push-Url": "/orders/A1?changed"}

    @app.get("/moved")
    def moved():
        return redirect("/orders/A1")

    @app.get("/left")
    def left():
        return "", {"HX-Redirect": "/orders/A1"}

    with app.app_context():
        yield PlainBrowser(app).open("/orders/A1")


def test_text_is_read_as_it_is_shown(page):
    assert page.title == "Order A1"
    assert page.text.startswith("Order A1 one kim@example.com AB 12 <x> → Next Resend")
    assert "Secret" not in page.text
    assert page.part("code").exact_text == "AB  12\n <x>"


def test_parts_are_found_by_id_or_say_what_is_there(page):
    assert [part.text for part in page.parts("li")] == ["one", "kim@example.com"]
    assert "first" in page.ids
    with pytest.raises(AssertionError, match=r"no part 'second' but .*'first'"):
        page.part("second")


def test_names_are_what_a_screen_reader_says(page):
    assert page.names[:4] == ["Next", "Resend license 1", "Resend 2", "Copy"]
    assert page.part("form").names == ["Send", "Save"]


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("Resend", "ambiguous"),
        ("Secret", "there is no"),
        ("Later", "there is no"),
        ("Copy", "nothing happens"),
    ],
)
def test_what_a_person_could_not_press_is_not_pressed(page, name, complaint):
    with pytest.raises(AssertionError, match=complaint):
        page.press(name)


def test_a_link_is_followed_from_where_the_page_is(page):
    answer = page.press("Next")
    assert answer.response.json["path"] == "/orders/next?page=2"
    assert answer.address == "/orders/next?page=2"
    assert answer.response.json["htmx"] == {}


def test_a_button_of_htmx_asks_as_htmx_does(page):
    told = page.press("Resend license").response.json
    assert (told["method"], told["path"], told["token"]) == ("GET", "/told?", "token")
    assert told["htmx"] == {
        "Hx-Request": "true",
        "Hx-Source": "button#first",
        "Hx-Current-Url": "http://localhost/orders/A1",
    }


def test_a_form_sends_its_fields_and_the_button_pressed(page):
    assert page.press("Send").response.json["form"] == {
        "csrf_token": ["abc"],
        "name": ["Kim"],
        "text": ["one &\ntwo"],
        "language": ["French"],
        "status": ["paid"],
        "empty": [""],
        "do": ["send"],
        "outside": ["in"],
    }


def test_a_form_sends_what_was_filled_in(page):
    page.fill("Name", "Ada").fill("Text", "").fill("Language", "de")
    page.fill("paid", False).fill("deleted", True)
    form = page.press("Save").response.json["form"]
    assert (form["name"], form["text"], form["language"]) == (["Ada"], [""], ["de"])
    assert form["status"] == ["deleted"]
    assert "do" not in form


def test_a_form_that_gets_puts_its_fields_into_the_address(page):
    answer = page.fill("Search orders", "kim & co").press("Find")
    assert answer.address == "/told?q=kim+%26+co"


def test_a_form_of_htmx_stays_where_it_is_but_for_a_pushed_address(page):
    answer = page.press("Change")
    assert isinstance(answer, Page)
    assert answer.part("history").text == "changed"
    assert answer.address == "/orders/A1?changed"


@pytest.mark.parametrize("path", ["/moved", "/left"])
def test_where_an_answer_leads_is_followed(page, path):
    answer = page._browser.open(path)
    assert (answer.address, answer.title) == ("/orders/A1", "Order A1")
