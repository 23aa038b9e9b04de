"""The few calls of DigitalOcean's API that `orphans` and `shared` need, with nothing but Python's own library."""

import json
import os
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

URL = os.environ.get("DIGITALOCEAN_API_URL") or "https://api.digitalocean.com"
# Seconds and numbers as the Terraform provider reads them.
TRIES = 1 + int(os.environ.get("DIGITALOCEAN_HTTP_RETRY_MAX") or 4)
LEAST = float(os.environ.get("DIGITALOCEAN_HTTP_RETRY_WAIT_MIN") or 1)
MOST = float(os.environ.get("DIGITALOCEAN_HTTP_RETRY_WAIT_MAX") or 15)


class Refused(Exception):
    """An answer that is no success; `status` 0 when there was none."""

    def __init__(self, status, message):
        super().__init__(message)
        self.status = status


def fail(message):
    print(message, file=sys.stderr)
    sys.exit(1)


def variables():
    """What otto says of the deployment: the JSON file OTTO_VARS."""
    try:
        with open(os.environ["OTTO_VARS"], encoding="utf-8") as file:
            return json.load(file)
    except (KeyError, OSError, ValueError) as error:
        fail(f"OTTO_VARS must be the path of the JSON file with the variables: {error!r}")


def call(method, path, body=None):
    """One call; patient with a limit on requests, with errors of the server and with lost connections."""
    token = next((os.environ[name] for name in ("DIGITALOCEAN_TOKEN", "DIGITALOCEAN_ACCESS_TOKEN") if os.environ.get(name)), "")
    data = None if body is None else json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json", "User-Agent": "otto"}
    request = urllib.request.Request(f"{URL.rstrip('/')}/v2/{path}", data=data, method=method, headers=headers)
    for attempt in range(1, TRIES + 1):
        wait = min(LEAST * 2 ** (attempt - 1), MOST)
        try:
            with urllib.request.urlopen(request, timeout=15) as answer:
                text = answer.read(32 << 20)
                return json.loads(text) if text.strip() else {}
        except urllib.error.HTTPError as error:
            text = error.read(4096).decode(errors="replace")
            try:
                message = json.loads(text)["message"]
            except (ValueError, KeyError, TypeError):
                message = text.strip() or error.reason
            refused = Refused(error.code, f"{method} /v2/{path}: {error.code} {message}")
            if error.code != 429 and error.code < 500:
                raise refused from None
            try:
                wait = max(wait, float(error.headers.get("Retry-After") or 0))
            except ValueError:
                pass
        except (OSError, ValueError) as error:
            refused = Refused(0, f"{URL} does not answer: {getattr(error, 'reason', error)}")
        if attempt == TRIES:
            raise refused
        time.sleep(min(wait, 60))


def every(path, key):
    """All pages of a list."""
    page = 1
    mark = "&" if "?" in path else "?"
    while True:
        answer = call("GET", f"{path}{mark}page={page}&per_page=200")
        yield from answer.get(key) or []
        if not ((answer.get("links") or {}).get("pages") or {}).get("next"):
            return
        page += 1


def main(run):
    if not URL.startswith(("http://", "https://")):
        fail(f"DIGITALOCEAN_API_URL is `{URL}`, which is no address such as https://api.digitalocean.com")
    try:
        run()
    except Refused as refused:
        if refused.status == 401:
            fail(f"DigitalOcean refuses the token in DIGITALOCEAN_TOKEN: {refused}")
        fail(str(refused))
