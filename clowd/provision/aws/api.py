"""Signed calls of Amazon's APIs that `orphans` and `bill` need, with nothing but Python's own library."""

import datetime
import hashlib
import hmac
import json
import os
import re
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import xml.etree.ElementTree as xml

TRIES = 5
VERSIONS = {"ec2": "2016-11-15", "elasticloadbalancing": "2015-12-01"}
ENDPOINTS = {
    "ec2": "AWS_ENDPOINT_URL_EC2",
    "elasticloadbalancing": "AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2",
    "pricing": "AWS_ENDPOINT_URL_PRICING",
}
FORM = "application/x-www-form-urlencoded; charset=utf-8"


class Refused(Exception):
    """An answer that is no success; `code` is empty when there was none."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


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


def signed(service, region, url, body, headers):
    """A request with a signature of version 4."""
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    key, secret = (os.environ.get(name) or fail(f"{name} is not set") for name in names)
    now = datetime.datetime.now(datetime.timezone.utc)
    stamp, day = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d")
    headers = headers | {"host": urllib.parse.urlsplit(url).netloc, "x-amz-date": stamp}
    if os.environ.get("AWS_SESSION_TOKEN"):
        headers["x-amz-security-token"] = os.environ["AWS_SESSION_TOKEN"]
    listed = ";".join(sorted(headers))
    canonical = "\n".join(["POST", "/", "", *(f"{name}:{headers[name]}" for name in sorted(headers)), "", listed, hashlib.sha256(body).hexdigest()])
    scope = f"{day}/{region}/{service}/aws4_request"
    text = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    made = ("AWS4" + secret).encode()
    for part in (day, region, service, "aws4_request"):
        made = hmac.new(made, part.encode(), hashlib.sha256).digest()
    signature = hmac.new(made, text.encode(), hashlib.sha256).hexdigest()
    headers["authorization"] = f"AWS4-HMAC-SHA256 Credential={key}/{scope}, SignedHeaders={listed}, Signature={signature}"
    del headers["host"]  # urllib's own
    return urllib.request.Request(url, data=body, headers=headers, method="POST")


def sent(service, region, host, action, body, headers, read):
    """One call; patient with limits, errors of the server and lost connections."""
    end = os.environ.get(ENDPOINTS[service]) or os.environ.get("AWS_ENDPOINT_URL") or f"https://{host}/"
    for attempt in range(1, TRIES + 1):
        try:
            with urllib.request.urlopen(signed(service, region, end.rstrip("/") + "/", body, headers), timeout=20) as answer:
                return read(answer.read(64 << 20))
        except urllib.error.HTTPError as error:
            text = error.read(8192).decode(errors="replace")
            # XML, or JSON with a name such as com.amazonaws.pricing#AccessDeniedException.
            code = (re.search(r'<Code>([^<]*)|"__type": *"(?:[^"#]*#)?([^"]*)', text) or ["", "", ""])
            code = code[1] or code[2] or str(error.code)
            message = (re.search(r'<Message>([^<]*)|"[Mm]essage": *"([^"]*)', text) or ["", "", ""])
            refused = Refused(code, f"{action}: {code}: {message[1] or message[2] or error.reason}")
            if error.code < 500 and error.code != 429 and "Throttl" not in code and "LimitExceeded" not in code:
                raise refused from None
        except (OSError, ValueError, xml.ParseError) as error:
            refused = Refused("", f"{urllib.parse.urlsplit(end).netloc} does not answer: {getattr(error, 'reason', error)}")
        if attempt == TRIES:
            raise refused
        time.sleep(0.5 * 2**attempt)


def call(service, region, action, **fields):
    """One call of a query API. The answer without its namespaces."""
    body = urllib.parse.urlencode({"Action": action, "Version": VERSIONS[service], **fields}).encode()
    read = lambda text: xml.fromstring(re.sub(rb' xmlns="[^"]*"', b"", text))
    return sent(service, region, f"{service}.{region}.amazonaws.com", action, body, {"content-type": FORM}, read)


def products(service, **filters):
    """What the price list has of a service with these attributes: it is in one region, whatever region the prices are of."""
    asked = [{"Type": "TERM_MATCH", "Field": field, "Value": value} for field, value in filters.items()]
    headers = {"content-type": "application/x-amz-json-1.1", "x-amz-target": "AWSPriceListService.GetProducts"}
    document = {"ServiceCode": service, "FormatVersion": "aws_v1", "Filters": asked, "MaxResults": 100}
    while True:
        body = json.dumps(document).encode()
        answer = sent("pricing", "us-east-1", "api.pricing.us-east-1.amazonaws.com", "GetProducts", body, headers, json.loads)
        yield from (json.loads(product) for product in answer.get("PriceList") or [])
        if not answer.get("NextToken"):
            return
        document["NextToken"] = answer["NextToken"]
