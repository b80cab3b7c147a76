"""HTML as a person without a mouse meets it: by ids, by names, and by what can be read."""

from selectolax.lexbor import LexborHTMLParser

# What may stand within a word or a sentence; every other element begins a new word.
IN_A_SENTENCE = {"a", "abbr", "b", "bdi", "bdo", "cite", "code", "data", "em", "i", "kbd", "mark"}
IN_A_SENTENCE |= {"q", "s", "small", "span", "strong", "sub", "sup", "time", "u", "var", "wbr"}
NEVER_SHOWN = {"head", "script", "style", "template"}


def parse(html):
    """The root of a page, or of a page made of the fragments `html`."""
    return LexborHTMLParser(html).root


def text_of(element, *, leaving_out=lambda _element: False):
    """The text a person reads, each run of blanks made one."""
    return " ".join("".join(_pieces(element, leaving_out)).split())


def _pieces(element, leaving_out):
    for child in element.iter(include_text=True):
        if child.is_text_node:
            yield child.text_content
        elif not (is_hidden(child) or leaving_out(child)):
            gap = "" if child.tag in IN_A_SENTENCE else " "
            yield gap
            yield from _pieces(child, leaving_out)
            yield gap


def is_hidden(element):
    """Whether nobody can see this."""
    return element.tag in NEVER_SHOWN or "hidden" in element.attributes


def name_of(element):
    """The accessible name of a button, a link or a field, by the rules that matter here.

    https://www.w3.org/TR/accname-1.2/#computation-steps
    """
    attributes = element.attributes
    named_by = [with_id(element, id) for id in (attributes.get("aria-labelledby") or "").split()]
    candidates = [
        " ".join(text_of(other) for other in named_by),
        attributes.get("aria-label"),
        *(text_of(label) for label in _labels(element)),
        attributes.get("value") if is_button(element) and element.tag == "input" else None,
        None if is_field(element) else text_of(element, leaving_out=_is_decoration),
        attributes.get("title"),
    ]
    return next((" ".join(name.split()) for name in candidates if name and name.strip()), "")


def _is_decoration(element):
    return element.attributes.get("aria-hidden") == "true"


def _labels(element):
    if not is_field(element):
        return []
    around, id = closest(element, "label"), element.attributes.get("id")
    return [around] if around else element.parser.css(f'label[for="{id}"]') if id else []


def is_button(element):
    """Whether this can be pressed to submit a form."""
    kind = element.attributes.get("type", "submit" if element.tag == "button" else "text")
    return element.tag in ("button", "input") and kind == "submit"


def is_field(element):
    """Whether this is filled in."""
    return element.tag in ("select", "textarea") or (
        element.tag == "input" and not is_button(element)
    )


def with_id(element, id):
    """The element with this id on the page of `element`, or None."""
    return element.parser.css_first(f'[id="{id}"]')


def closest(element, tag):
    """The nearest element named `tag` around `element`, itself included, or None."""
    return next((around for around in _outwards(element) if around.tag == tag), None)


def pressables(element):
    """The buttons and links in `element` that a person can reach."""
    found = element.css("button, a[href], input[type=submit], [role=button]:not(a, button)")
    return [element for element in found if _can_be_reached(element)]


def fields(element):
    """The fields in `element` that are sent with a form, hidden ones included."""
    found = element.css("input, select, textarea")
    return [field for field in found if is_field(field) and _can_be_reached(field)]


def _can_be_reached(element):
    return not any(
        is_hidden(around) or "inert" in around.attributes or "disabled" in around.attributes
        for around in _outwards(element)
    )


def _outwards(element):
    while element is not None and element.is_element_node:
        yield element
        element = element.parent


def form_of(element):
    """The form a button or a field belongs to, or None."""
    id = element.attributes.get("form")
    return with_id(element, id) if id else closest(element, "form")


def value_of(field):
    """What `field` sends, as it came from the server; None for nothing."""
    if field.tag == "textarea":
        return field.text()
    if field.tag == "select":
        options = field.css("option")
        chosen = [option for option in options if "selected" in option.attributes] or options
        return chosen[0].attributes.get("value", chosen[0].text().strip()) if chosen else None
    if field.attributes.get("type") in ("checkbox", "radio"):
        return field.attributes.get("value", "on") if "checked" in field.attributes else None
    return field.attributes.get("value") or ""
