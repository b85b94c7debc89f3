"""Every rule of masking as a table: what comes in, what may be kept. No logic.

`NAMED`: a value is secret because of its name, in every spelling. `SHAPED`: a value is secret by
its looks, under any name; the planted secret is the middle column. `PLAIN`: looks like a secret to
a careless eye, and stays. The tests put each row into every place where text can be.
"""

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbmEifQ.c2lnbmF0dXJl"

NAMED = (
    # rule, names
    ("authorization", ("Authorization", "proxy-authorization", "x_authorization")),
    ("cookie", ("Cookie", "SET-COOKIE", "cookies")),
    ("token", ("token", "access_token", "X-Auth-Token", "refreshToken", "pin.token")),
    ("password", ("password", "Pass-Word", "user_passwd", "PASSPHRASE", "pass phrase", "newPwd")),
    ("secret", ("secret", "client_secret", "CLIENTSECRET")),
    ("key", ("apiKey", "X-Api-Key", "api key", "aws_access_key_id", "privateKey", "auth-key")),
    ("session", ("session", "X-Session-Id", "JSESSIONID", "sessionId")),
    ("forgery", ("X-CSRF-Token", "x-xsrf", "csrfmiddleware")),
    ("card code", ("cvc", "cvv2", "card_cvc")),
    ("credential", ("credentials", "X-Amz-Credential", "X-Amz-Signature", "jwt")),
    ("auth as a whole", ("auth", "X-Auth")),
)

SHAPED = (
    # rule, what comes in, the secret in it, what is kept
    ("jwt", f"see {JWT} there", JWT, "see *masked* there"),
    ("jwt without signature", f"x {JWT.rpartition('.')[0]}.", JWT[:40], "x *masked*"),
    ("bearer", "got Bearer abcdefghijklmnopqrst", "abcdefghijklmnopqrst", "got Bearer *masked*"),
    ("card", "4111111111111111", "4111111111111111", "*masked*"),
    (
        "card in words",
        "paid by 6011000990139424 today",
        "6011000990139424",
        "paid by *masked* today",
    ),
    ("card in groups", "5555 5555 5555 4444", "5555 5555 5555 4444", "*masked*"),
    ("card with dashes", "no 3782-822463-10005", "3782-822463-10005", "no *masked*"),
    ("card of 19 digits", "6304000000000000000", "6304000000000000000", "*masked*"),
    (
        "password of a URI",
        "postgres://ana:Qx7planted@db.example/x",
        "Qx7planted",
        "postgres://ana:*masked*@db.example/x",
    ),
    (
        "parameter of a URI in text",
        "https://a.example/cb?code=1&access_token=Qx7planted&y=2",
        "Qx7planted",
        "https://a.example/cb?code=1&access_token=*masked*&y=2",
    ),
)

PLAIN = (
    # rule, name, value
    ("not the word auth", "author", "Ana Authority"),
    ("not a key", "keyboard", "monkey"),
    ("one digit off", "number", "4111111111111112"),
    ("a moment in milliseconds", "at", "1763888720000"),
    ("a moment in nanoseconds", "at", "1763888720000000003"),
    ("a UUID", "id", "550e8400-e29b-41d4-a716-446655440000"),
    ("a hash", "etag", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b"),
    ("a secret word as a value", "vary", "Cookie, Authorization"),
    ("a path with a secret word", "path", "/v1/sessions/7/token"),
    ("an e-mail address", "email", "ana@parcel.example"),
    ("many decimals", "ratio", "0.41111111111111111"),
    ("a version", "version", "4111.1111.1111.1111"),
)

BROKEN = (
    # JSON that was cut or never was any; the secret is Qx7-planted-zz
    '{"password": "Qx7-planted-zz", "a": ',
    '{"password": "Qx7-planted-zz',
    '{\\"token\\": \\"Qx7-planted-zz\\", oops',
    '{"secret": {"a": "Qx7-planted-zz"}, oops',
    "{'api_key': 'Qx7-planted-zz'}",
    '{"password": "say \\"Qx7-planted-zz\\" loud", "x": ',
    "Cookie: a=b; c=Qx7-planted-zz",
    "Authorization: Basic Qx7-planted-zz",
    "token=Qx7-planted-zz and more",
)
