"""Who may use Headwater and for what: apps, collector ids, logins, sessions, tokens.

In: names, passwords, keys. Out: who it is and what is allowed. Never keeps a password, a session
token or an API token in the clear.
"""

from headwater.workspace.apps import (
    App,
    add_collector_key,
    collector_key,
    create_app,
    ensure_default_app,
    get_app,
    list_apps,
    rotate_collector_key,
    set_masking,
    set_sampling,
)
from headwater.workspace.collector_keys import CollectorKeys
from headwater.workspace.logins import (
    Login,
    Session,
    check_password,
    create_login,
    end_session,
    find_session,
    has_logins,
    start_session,
)
from headwater.workspace.masking import (
    PROTECTED_PARTS,
    MaskingPolicy,
    is_protected,
    read_masking,
)
from headwater.workspace.profile_rules import (
    profile_rules_of,
    read_profile_rules,
    set_profile_rules,
)
from headwater.workspace.sampling import (
    Condition,
    RegexRule,
    SamplingPolicy,
    read_sampling,
    warn_of,
)
from headwater.workspace.suppressed import (
    Suppression,
    allow_user,
    list_suppressed,
    suppress_user,
    suppressed_among,
)
from headwater.workspace.tokens import (
    SCOPES,
    Token,
    check_setup_link,
    create_setup_link,
    create_token,
    find_token,
    use_setup_link,
)

__all__ = [
    "PROTECTED_PARTS",
    "SCOPES",
    "App",
    "CollectorKeys",
    "Condition",
    "Login",
    "MaskingPolicy",
    "RegexRule",
    "SamplingPolicy",
    "Session",
    "Suppression",
    "Token",
    "add_collector_key",
    "allow_user",
    "check_password",
    "check_setup_link",
    "collector_key",
    "create_app",
    "create_login",
    "create_setup_link",
    "create_token",
    "end_session",
    "ensure_default_app",
    "find_session",
    "find_token",
    "get_app",
    "has_logins",
    "is_protected",
    "list_apps",
    "list_suppressed",
    "profile_rules_of",
    "read_masking",
    "read_profile_rules",
    "read_sampling",
    "rotate_collector_key",
    "set_masking",
    "set_profile_rules",
    "set_sampling",
    "start_session",
    "suppress_user",
    "suppressed_among",
    "use_setup_link",
    "warn_of",
]
