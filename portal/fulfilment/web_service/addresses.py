"""Which addresses are out in the Internet, and which lead back into some inner network."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

# What Python's `is_global` lets through and no vendor has a web service at. IANA's registries of
# special-purpose addresses (RFC 6890), and two at which clouds answer their own machines.
INNER_IPV4 = [
    IPv4Network("192.0.0.0/24"),  # IETF protocols; Oracle's clouds answer at .192
    IPv4Network("192.88.99.0/24"),  # relays of 6to4
    IPv4Network("168.63.129.16/32"),  # Azure's clouds
]
GLOBAL_IPV6 = IPv6Network("2000::/3")  # all that is given out (RFC 4291, 2.4)
INNER_IPV6 = [
    IPv6Network("2001::/23"),  # IETF protocols; Teredo among them
    IPv6Network("2002::/16"),  # 6to4, around any IPv4 address
    IPv6Network("3fff::/20"),  # documentation
]
TRANSLATED = IPv6Network("64:ff9b::/96")  # NAT64: the last 32 bits are where it leads (RFC 6052)


def is_public(address: str) -> bool:
    """Whether the numeric `address` leads out, as an IPv6 address does that stands for an IPv4
    address that does."""
    number = ip_address(address)
    if isinstance(number, IPv6Address):
        return _is_public_ipv6(number)
    return _is_public_ipv4(number)


def _is_public_ipv4(number: IPv4Address) -> bool:
    if number.is_multicast or number.is_reserved or not number.is_global:
        return False
    return not any(number in network for network in INNER_IPV4)


def _is_public_ipv6(number: IPv6Address) -> bool:
    if number.ipv4_mapped:
        return _is_public_ipv4(number.ipv4_mapped)
    if number in TRANSLATED:
        return _is_public_ipv4(IPv4Address(int(number) & 0xFFFFFFFF))
    if number not in GLOBAL_IPV6 or not number.is_global:
        return False
    return not any(number in network for network in INNER_IPV6)
