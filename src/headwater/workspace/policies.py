"""Say what an app decides about its own collection: what is masked, and what is sampled.

In: JSON objects as kept with the app. Out: typed policies with safe defaults. Decides nothing
itself: the collector applies them.
"""

import msgspec


class MaskingPolicy(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    """What is masked beyond what always is, and what is not; names match whole, in any spelling."""

    mask: tuple[str, ...] = ()
    """Names of headers, parameters and JSON keys whose values are masked as well."""
    keep: tuple[str, ...] = ()
    """Names that look secret but are not, such as `next_page_token`."""
    fingerprint: tuple[str, ...] = ()
    """Names whose values become a keyed fingerprint, so that equal ones can be grouped."""
    emails: bool = False
    """Mask e-mail addresses in captured traffic; never in the profiles of users."""
    ip_addresses: bool = False
    """Cut addresses of clients to their network: /24 of IPv4, /48 of IPv6."""
