"""Count again what calls say of people and companies whose calls changed hands.

In: an app and those concerned. Out: `activity`, `people_seen`, `companies_seen` and `company_days`
agree with the calls. Nothing is carried over from one owner to another: what differs from a count
of the calls is added, and who lost something is wiped first. So a recount may be cut short and
repeated at will; only, nobody may store calls meanwhile.
"""

from headwater.base.crash import crash_point
from headwater.eventstore import EventStore
from headwater.profiles.identity.moves import Moved

_ACTIVITY = """
INSERT INTO activity (
    app_id, user_id, slot, calls, successes, client_errors, server_errors, blocked, heaviest
)
SELECT app_id, user_id, slot, sum(c), sum(s), sum(ce), sum(se), sum(b), max(w)
FROM (
    SELECT
        app_id, user_id, toStartOfFifteenMinutes(toDateTime(time, 'UTC')) AS slot,
        toInt64(weight) AS c,
        if(status >= 200 AND status < 400, c, 0) AS s,
        if(status >= 400 AND status < 500, c, 0) AS ce,
        if(status >= 500, c, 0) AS se,
        if(blocked_by != '', c, 0) AS b,
        weight AS w
    FROM calls WHERE app_id = {app_id:String} AND user_id IN {users:Array(String)}
    UNION ALL
    SELECT
        app_id, user_id, slot, -toInt64(calls), -toInt64(successes), -toInt64(client_errors),
        -toInt64(server_errors), -toInt64(blocked), 0
    FROM activity WHERE app_id = {app_id:String} AND user_id IN {users:Array(String)}
)
GROUP BY app_id, user_id, slot
HAVING (sum(c), sum(s), sum(ce), sum(se), sum(b)) != (0, 0, 0, 0, 0)
"""

# Of those who only gained, the calls that were given to them are enough to widen what is known.
_OF_USERS = """
app_id = {app_id:String} AND user_id IN {users:Array(String)}
    AND (user_by != '' OR company_by != '' OR user_id IN {lost_users:Array(String)})
"""
_OF_COMPANIES = """
app_id = {app_id:String} AND company_id IN {companies:Array(String)}
    AND (company_by != '' OR company_id IN {lost_companies:Array(String)})
"""

# The calls that a table lacks; less than none are taken away.
_MISSING = """
SELECT {who} AS id, sum(n) AS missing FROM (
    SELECT {who}, toInt64(weight) AS n FROM calls
    WHERE app_id = {{app_id:String}} AND {who} IN {{{ids}:Array(String)}}
    UNION ALL
    SELECT {who}, -toInt64(calls) FROM {table}
    WHERE app_id = {{app_id:String}} AND {who} IN {{{ids}:Array(String)}}
)
GROUP BY id
"""

# Who calls has a client's name: so the newest call that has one is the newest with a User-Agent.
_PEOPLE = f"""
INSERT INTO people_seen (
    app_id, user_id, first_seen_at, last_seen_at, first_success_at, last_ip, last_user_agent,
    last_company_id, last_call, calls, last_offset
)
SELECT
    e.app_id, e.user_id, min(e.at), max(e.at), minOrNullIf(e.at, e.succeeded),
    maxIf((e.at, e.ref, e.ip), e.ip != ''), maxIf((e.at, e.ref, e.agent), e.agent != ''),
    maxIf((e.at, e.ref, e.company), e.company != ''), maxIf((e.at, e.ref), e.is_call),
    any(m.missing), greatest(max(e.offset), {{due_at:UInt64}})
FROM (
    SELECT
        c.app_id AS app_id, c.user_id AS user_id, c.time AS at, c.call_id AS ref,
        c.ip_address AS ip, b.user_agent AS agent, toString(c.company_id) AS company,
        c.status >= 200 AND c.status < 400 AS succeeded, true AS is_call, c.log_offset AS offset
    FROM (SELECT *, call_id FROM calls WHERE {_OF_USERS}) AS c
    LEFT JOIN (
        SELECT log_offset, call_id, user_agent FROM bodies
        WHERE app_id = {{app_id:String}} AND (log_offset, call_id) IN (
            SELECT argMax(log_offset, (time, call_id)), argMax(call_id, (time, call_id))
            FROM calls WHERE {_OF_USERS} AND client_name != '' GROUP BY user_id
        )
    ) AS b ON b.log_offset = c.log_offset AND b.call_id = c.call_id
    UNION ALL
    SELECT
        app_id, user_id, time, action_id, ip_address, user_agent, toString(company_id),
        false, false, log_offset
    FROM actions WHERE {_OF_USERS}
) AS e
LEFT JOIN ({_MISSING.format(who="user_id", ids="users", table="people_seen")}) AS m
    ON m.id = e.user_id
GROUP BY e.app_id, e.user_id
"""

_COMPANIES = f"""
INSERT INTO companies_seen (
    app_id, company_id, first_seen_at, last_seen_at, first_success_at, last_ip, calls, last_offset
)
SELECT
    e.app_id, e.company, min(e.at), max(e.at), minOrNullIf(e.at, e.succeeded),
    maxIf((e.at, e.ref, e.ip), e.ip != ''), any(m.missing), max(e.offset)
FROM (
    SELECT
        app_id, toString(company_id) AS company, time AS at, call_id AS ref, ip_address AS ip,
        status >= 200 AND status < 400 AS succeeded, log_offset AS offset
    FROM calls WHERE {_OF_COMPANIES}
    UNION ALL
    SELECT app_id, toString(company_id), time, action_id, ip_address, false, log_offset
    FROM actions WHERE {_OF_COMPANIES}
) AS e
LEFT JOIN ({_MISSING.format(who="company_id", ids="companies", table="companies_seen")}) AS m
    ON m.id = e.company
GROUP BY e.app_id, e.company
"""

_COMPANY_DAYS = """
INSERT INTO company_days
SELECT DISTINCT app_id, company_id, toDate(time) FROM calls
WHERE app_id = {app_id:String} AND company_id IN {companies:Array(String)}
"""


async def recount(store: EventStore, app_id: str, moved: Moved, *, due_at: int) -> None:
    """Make the derived tables agree with the calls.

    `due_at` is a log offset that nobody has read yet: whoever follows users by offset finds those
    concerned behind it.
    """
    values = {
        "app_id": app_id,
        "due_at": due_at,
        "users": sorted(moved.users),
        "companies": sorted(moved.companies),
        "lost_users": sorted(moved.lost_users),
        "lost_companies": sorted(moved.lost_companies),
    }
    for table, who, lost in (
        ("activity", "user_id", "lost_users"),
        ("people_seen", "user_id", "lost_users"),
        ("companies_seen", "company_id", "lost_companies"),
        ("company_days", "company_id", "lost_companies"),
    ):
        if values[lost]:
            sql = f"DELETE FROM {table} WHERE app_id = {{app_id:String}}"
            await store.change(f"{sql} AND {who} IN {{{lost}:Array(String)}}", values)
    crash_point("identity.wiped")
    await store.change(_ACTIVITY, values)
    crash_point("identity.half")
    await store.change(_PEOPLE, values)
    await store.change(_COMPANIES, values)
    await store.change(_COMPANY_DAYS, values)
