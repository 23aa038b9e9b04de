"""What `orphans` and `bill` need of Google's APIs: a token, and calls that are patient. Nothing but Python's own library and openssl."""

import base64
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

TRIES = 5


class Refused(Exception):
    """An answer that is no success; `status` 0 when there was none."""

    def __init__(self, status, message):
        super().__init__(message)
        self.status = status


def fail(message):
    print(message, file=sys.stderr)
    sys.exit(1)


def variables():
    """What otto says: the JSON file OTTO_VARS."""
    try:
        with open(os.environ["OTTO_VARS"], encoding="utf-8") as file:
            return json.load(file)
    except (KeyError, OSError, ValueError) as error:
        fail(f"OTTO_VARS must be the path of the JSON file with the variables: {error!r}")


def ask(request):
    """One request; patient with limits, errors of the server and lost connections."""
    for attempt in range(1, TRIES + 1):
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                text = answer.read(64 << 20)
                return json.loads(text) if text.strip() else {}
        except urllib.error.HTTPError as error:
            text = error.read(4096).decode(errors="replace")
            try:
                answer = json.loads(text)
                message = answer.get("error_description") or answer["error"]["message"]
            except (ValueError, KeyError, TypeError, AttributeError):
                message = text.strip() or error.reason
            refused = Refused(error.code, f"{urllib.parse.urlsplit(request.full_url).path}: {error.code} {message}")
            if error.code != 429 and error.code < 500:
                raise refused from None
        except (OSError, ValueError) as error:
            refused = Refused(0, f"{urllib.parse.urlsplit(request.full_url).netloc} does not answer: {getattr(error, 'reason', error)}")
        if attempt == TRIES:
            raise refused
        time.sleep(0.5 * 2**attempt)


def form(url, **fields):
    return ask(urllib.request.Request(url, data=urllib.parse.urlencode(fields).encode()))


def token(scope):
    """An access token for one kind of work: given, or got for the credentials in the file."""
    if os.environ.get("GOOGLE_OAUTH_ACCESS_TOKEN"):
        return os.environ["GOOGLE_OAUTH_ACCESS_TOKEN"]
    path = os.environ.get("GOOGLE_APPLICATION_CREDENTIALS") or fail("GOOGLE_APPLICATION_CREDENTIALS is not set")
    try:
        with open(path, encoding="utf-8") as file:
            key = json.load(file)
    except (OSError, ValueError) as error:
        fail(f"GOOGLE_APPLICATION_CREDENTIALS: {path}: {error}")
    if key.get("type") == "authorized_user":
        fields = {name: key[name] for name in ("client_id", "client_secret", "refresh_token")}
        return form("https://oauth2.googleapis.com/token", grant_type="refresh_token", **fields)["access_token"]
    if key.get("type") != "service_account":
        fail(f"GOOGLE_APPLICATION_CREDENTIALS: {path}: credentials of type `{key.get('type')}` are not known here")
    now = int(time.time())
    url = key.get("token_uri") or "https://oauth2.googleapis.com/token"
    claims = {"iss": key["client_email"], "scope": scope, "aud": url, "iat": now, "exp": now + 600}
    part = lambda value: base64.urlsafe_b64encode(value).rstrip(b"=")
    signed = part(b'{"alg":"RS256","typ":"JWT"}') + b"." + part(json.dumps(claims).encode())
    with tempfile.NamedTemporaryFile("w") as pem:  # 0600, and gone at the end
        pem.write(key["private_key"])
        pem.flush()
        try:
            made = subprocess.run(["openssl", "dgst", "-sha256", "-sign", pem.name], input=signed, capture_output=True, check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            fail(f"openssl cannot sign with the key of {path}: {error}")
    assertion = (signed + b"." + part(made.stdout)).decode()
    return form(url, grant_type="urn:ietf:params:oauth:grant-type:jwt-bearer", assertion=assertion)["access_token"]


def headers(scope):
    """What goes with every request."""
    return {"Authorization": f"Bearer {token(scope)}", "Content-Type": "application/json", "User-Agent": "otto"}
