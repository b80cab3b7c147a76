"""What is looked for instead when what was typed is not found as it stands.

Where that is not found either, people are told that what they typed is not.
"""

import re
from itertools import islice

from portal.models.search_text import INVISIBLE
from portal.search.typed import Typed

# A number in a sentence, a subject or an address of the web, with what is written before it.
IN_A_TEXT = re.compile(
    r"(?<![\w.@-])(?:[a-z]{1,12}[-.#:_]?|[a-z]{1,12}[.#:_][a-z]{1,3}|[#№]|n[°º])?(\d{5,12})(?![\w@-])",
    re.IGNORECASE,
)
# One that is read out in groups, or written in thousands.
IN_GROUPS = re.compile(r"[a-z]?[-.\s]*\d+(?:[-.\s]+\d+)+|\d{1,3}(?:,\d{3})+", re.IGNORECASE)
# As spreadsheets write a number.
DECIMALS = re.compile(r"(?<=\d{5})[.,]00?$")

NUMBER = re.compile(r"#?\d{5,}:?")

# An address among other words. It begins where a word does, or a long text without one would be
# looked through from each of its letters.
ADDRESS = re.compile(r"(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+")

# How many of them are looked for: each costs the time of a search.
ADDRESSES = 3

# What stands beside a name or a code in a ticket, and is in hardly any order.
BESIDE = {
    *("mr", "mrs", "ms", "miss", "mx", "dr", "prof", "herr", "herrn", "hr", "frau", "fr"),
    *("m", "mme", "mlle", "monsieur", "madame"),
    *("sr", "sra", "señor", "señora", "senhor", "senhora"),
    *("order", "no", "nr", "number", "ticket", "case", "customer", "name", "company"),
    *("bestellung", "kunde", "kundin", "firma", "commande", "client", "pedido", "cliente"),
    *("hi", "hello", "dear", "please", "thanks", "thank", "you", "regards", "my", "the", "is"),
    *("from", "for", "of", "never", "not", "got", "get", "received", "resend", "send", "again"),
    *("license", "licence", "key", "code", "serial", "email", "e-mail", "mail"),
    *("hallo", "bitte", "danke", "nicht", "erhalten", "von", "lizenz", "schlüssel"),
    *("bonjour", "merci", "de", "clé", "hola", "gracias", "licencia", "clave"),
    *("olá", "obrigado", "obrigada", "licença", "chave"),
}

# Letters that many write as two where their keyboard does not have them. Without their marks they
# are found anyway, see searchable().
IN_TWO = {"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa"}
MARKED = re.compile("[äöüøå]", re.IGNORECASE)
TWO = re.compile("ae|oe|ue|aa", re.IGNORECASE)


def instead_of(typed: Typed) -> list[str]:
    """What may be meant by `typed`, to be looked for in turn: the numbers in it, then each of the
    addresses, or the names and codes alone, or as others write them. A number may be that of a
    ticket, and the first address of a mail that of the shop."""
    alone = _alone(typed.q)
    found = [_numbers_in(typed), *_addresses_in(typed.q), alone, _other_spelling_of(alone)]
    return [text for text in dict.fromkeys(found) if text not in ("", typed.q)]


def _numbers_in(typed: Typed) -> str:
    """The numbers that stand among other words or in groups, with blanks between them."""
    if typed.may_be_phone:
        return ""
    text = DECIMALS.sub("", INVISIBLE.sub("", typed.q).strip())
    digits = re.sub(r"\D", "", text) if IN_GROUPS.fullmatch(text) else ""
    found = [digits] if 5 <= len(digits) <= 12 else IN_A_TEXT.findall(text)
    return " ".join(dict.fromkeys(found))


def _addresses_in(text: str) -> list[str]:
    found = ADDRESS.finditer(INVISIBLE.sub("", text))
    return [address[0] for address in islice(found, ADDRESSES)]


def _alone(text: str) -> str:
    """Its words without those that only stand beside them, such as 'Mrs', initials and the number
    of a ticket; all where nothing else is left."""
    if "@" in text:
        return text
    bare = [(word, word.strip(".,:;#()!?").casefold()) for word in text.split()]
    kept = [word.strip(",;!?") for word, name in bare if len(name) > 1 and name not in BESIDE]
    return " ".join(word for word in kept if not NUMBER.fullmatch(word)) or text


def _other_spelling_of(text: str) -> str:
    """'Muller', as 'Müller' is found, for 'Mueller'; 'Mueller' for 'Müller'; '' for what is no
    name."""
    if "@" in text or any(map(str.isdigit, text)):
        return ""
    if TWO.search(text):
        return TWO.sub(lambda two: two[0][0], text)
    return MARKED.sub(lambda mark: IN_TWO[mark[0].lower()], text)
