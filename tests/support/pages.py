"""An answer of the portal, to be read by ids and names, filled in and pressed as a person would."""

import json
from urllib.parse import urljoin, urlsplit

from tests.support import html


class Part:
    """An element of a page: read it, fill it in, press what is in it."""

    def __init__(self, page, element):
        self._page = page
        self._element = element
        self.text = html.text_of(element)

    def __repr__(self):
        return f"<{type(self).__name__} {self.text!r}>"

    @property
    def html(self):
        """Its HTML, itself included."""
        return self._element.html

    @property
    def exact_text(self):
        """Its text with every blank and line end as it is."""
        return self._element.text()

    @property
    def attributes(self):
        """Its attributes by name."""
        return self._element.attributes

    @property
    def ids(self):
        """The ids in it, in order."""
        return [element.id for element in self._element.css("[id]")]

    @property
    def names(self):
        """The accessible names of the buttons and links in it, in order."""
        return [html.name_of(element) for element in html.pressables(self._element)]

    def part(self, id):
        """The part with this id."""
        assert id in self.ids, f"there is no part {id!r} but {self.ids} on {self._page.seen}"
        return Part(self._page, self._element.css_first(f'[id="{id}"]'))

    def parts(self, selector):
        """The parts that a CSS selector finds, such as 'tbody tr'."""
        return [Part(self._page, element) for element in self._element.css(selector)]

    def fill(self, label, value):
        """Fill in the field with this label; True and False tick a checkbox and untick it."""
        field = self._named(label, html.fields(self._element))
        if isinstance(value, bool):
            value = field.attributes.get("value", "on") if value else None
        self._page.filled[field] = value
        return self

    def press(self, name):
        """Press the button or link with this name, or whose name begins so; the answer."""
        return self._page.follow(self._named(name, html.pressables(self._element)))

    def _named(self, name, elements):
        names = [html.name_of(element) for element in elements]
        exact = [e for e, n in zip(elements, names, strict=True) if n == name]
        found = exact or [e for e, n in zip(elements, names, strict=True) if n.startswith(name)]
        assert found, f"there is no {name!r} but {names} on {self._page.seen}"
        assert len(found) == 1, f"{name!r} is ambiguous among {names} on {self._page.seen}"
        return found[0]


class Page(Part):
    """An answer: a whole page, or the fragments that changed.

    `status`, `headers` and `response` are the answer's, `address` is what the address bar shows.
    """

    def __init__(self, browser, response):
        self._browser = browser
        self.response = response
        self.status = response.status_code
        self.headers = response.headers
        self.address = _address(response)
        self.filled = {}
        super().__init__(self, html.parse(response.get_data(as_text=True)))

    @property
    def title(self):
        """The title of the page."""
        return self._element.css_first("title").text()

    @property
    def seen(self):
        """What this was, for the message of a failed test."""
        return f"the answer {self.status} at {self.address}: {self.text[:1000]}"

    def follow(self, element):
        """Do what pressing `element` does; the answer."""
        form = html.form_of(element) if html.is_button(element) else None
        data = self._data(form, element) if form else {}
        for source in filter(None, [element, form]):
            for method in ("get", "post", "put", "patch", "delete"):
                path = source.attributes.get(f"hx-{method}")
                if path is not None:
                    return self._ask(method, path, data, self._hx_headers(source))
        if element.tag == "a":
            return self._ask("get", element.attributes["href"], {})
        assert form, f"nothing happens when {html.name_of(element)!r} is pressed"
        return self._ask(
            form.attributes.get("method") or "get",
            form.attributes.get("action") or self.address,
            data,
        )

    def _ask(self, method, path, data, headers=()):
        sent_as = "query_string" if method.lower() == "get" else "data"
        return self._browser.open(
            urljoin(self.address, path),
            method=method.upper(),
            headers={"Referer": self._url, **dict(headers)},
            **({sent_as: data} if data else {}),
        )

    @property
    def _url(self):
        return urljoin(self.response.request.root_url, self.address)

    def _hx_headers(self, source):
        """The headers htmx 4 sends; `hx-headers` counts on the element or where it is inherited."""
        headers = {
            "HX-Request": "true",
            "HX-Source": source.tag + (f"#{source.id}" if source.id else ""),
            "HX-Current-URL": self._url,
            "Accept": "text/html",
        }
        for around in self._element.css(r"[hx-headers\:inherited]"):
            headers |= json.loads(around.attributes["hx-headers:inherited"])
        return headers | json.loads(source.attributes.get("hx-headers") or "{}")

    def _data(self, form, pressed):
        """The fields of `form` as a browser sends them, with the name of the button pressed."""
        data = {}
        for field in html.fields(self._element):
            name = field.attributes.get("name")
            value = self.filled.get(field, html.value_of(field))
            if name and value is not None and html.form_of(field) == form:
                data.setdefault(name, []).append(value)
        if pressed.attributes.get("name"):
            data[pressed.attributes["name"]] = [pressed.attributes.get("value") or ""]
        return data


def _address(response):
    # A request of htmx leaves the browser where it is, unless the answer says otherwise.
    asked = response.request.headers
    here = asked["HX-Current-URL"] if "HX-Request" in asked else response.request.url
    address = urlsplit(urljoin(here, response.headers.get("HX-Push-Url", "")))
    return address.path + (f"?{address.query}" if address.query else "")
