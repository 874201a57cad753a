"""Secrets taken out of names and values before they become evidence.

Evidence is shown in pull requests and kept for ever. What looks like a secret is replaced; a
secret that looks like nothing (a plain word under an innocent name) cannot be found.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise

from assent.core.evidence import REDACTED
from assent.core.scalar import Scalar


def redact(name: str, value: Scalar) -> Scalar:
    """`value`, or `REDACTED` if its dotted name says that it is a secret; within other text, what
    looks like a secret is replaced. Booleans, null and empty text hide nothing and stay.
    """
    is_text = isinstance(value, str)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if (is_number or (is_text and value)) and is_secret_name(name):
        return REDACTED
    return redact_text(value) if isinstance(value, str) else value


def redact_text(text: str) -> str:
    """`text` with every part that looks like a secret replaced by `REDACTED`: tokens by their
    prefix, private keys, passwords and signatures in addresses, `name=value` and `--name value`
    with a secret's name. Redacting again changes nothing.
    """
    if len(text) < 6:  # shorter than any of them
        return text
    text = _PRIVATE_KEY.sub(REDACTED, text)
    text = _TOKEN.sub(REDACTED, text)
    if "://" in text:
        text = _USER_AND_PASSWORD.sub(rf"\1{REDACTED}@", text)
        text = _TOKEN_AS_USER.sub(rf"\1{REDACTED}@", text)
    if "=" in text:
        text = _ASSIGNMENT.sub(_assignment, text)
    if "--" in text:
        text = _OPTION.sub(_option, text)
    return _AUTHORIZATION.sub(rf"\1{REDACTED}", text)


def is_secret_name(name: str) -> bool:
    """Whether a dotted name says that its value is a secret: its last part does, or a part before
    it names a collection of secrets (`credentials.user`).
    """
    *above, last = name.split(".")
    return _is_secret_part(last) or any(
        not _COLLECTIONS.isdisjoint(_words(part)[-1:]) for part in above
    )


@lru_cache(maxsize=4096)
def _words(part: str) -> list[str]:
    """`apiKey`, `API_KEY` and `api-key` as `["api", "key"]`."""
    return [word.lower() for word in _WORD.findall(part[:200])]


@lru_cache(maxsize=4096)
def _is_secret_part(part: str) -> bool:
    words = _words(part)
    if not words or words[-1] in _MEASURES:
        return False
    joined = "".join(words)
    if any(word in _SECRET_WORDS for word in words) or any(run in joined for run in _SECRET_RUNS):
        return True
    if any(owner in _KEY_OWNERS and word in ("key", "keys") for owner, word in pairwise(words)):
        return True
    before = words[-2] if len(words) > 1 else ""
    match words[-1]:
        case "token":
            return before not in _INNOCENT_BEFORE_TOKEN
        case "tokens":
            return before in _TOKEN_OWNERS
        case "pass":
            return before in _PASS_OWNERS
        case "auth" | "oauth" | "authorization":
            return True
        case _:
            return False


def _assignment(match: re.Match[str]) -> str:
    sign, name, value = match.groups()
    is_query = bool(sign)
    if is_query and _SIGNATURE.fullmatch(name):
        return f"{sign}{name}={REDACTED}"
    if is_secret_name(name) and value not in ("true", "false"):
        return f"{sign}{name}={REDACTED}"
    return match[0]


def _option(match: re.Match[str]) -> str:
    option, space = match.groups()
    return f"{option}{space}{REDACTED}" if is_secret_name(option) else match[0]


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")

_SECRET_WORDS = _set(
    "password passwords passwd pwd passphrase passcode secret secrets credential credentials "
    "apikey apikeys bearer"
)
_SECRET_RUNS = _set(
    "password passwd passphrase apikey secretkey privatekey accesskey accountkey authtoken "
    "accesstoken apitoken credential connectionstring sharedaccess"
)
_COLLECTIONS = _set("password secret secrets credential credentials")
_KEY_OWNERS = _set(
    "api access private secret encryption signing account storage master auth session ssh gpg "
    "hmac service deploy subscription openai anthropic azure wandb hf stripe aws gcp google "
    "cohere comet neptune sendgrid datadog"
)
# What language models call a token. `pad_token` is a word, `time_to_first_token` a measurement.
_INNOCENT_BEFORE_TOKEN = _set(
    "pad padding eos bos unk sep cls mask special stop start end image audio video next per n num "
    "max min first last new extra prefix suffix separator blank oov sos eot"
)
_TOKEN_OWNERS = _set("access api auth refresh bearer secret session id github gitlab")
_PASS_OWNERS = _set("db database user smtp mysql postgres pg ftp admin root mail email redis mongo")
# A name that ends in one of these says how much or which kind, not the secret itself.
_MEASURES = _set(
    "count length len size limit ttl timeout type method mode rate ratio policy enabled required"
)
_SIGNATURE = re.compile(
    r"sig|signature|key|token|code|awsaccesskeyid|googleaccessid"
    r"|x-(?:amz|goog)-(?:signature|credential|security-token)",
    re.IGNORECASE,
)

# Every repetition below is bounded, or starts at a place that cannot repeat, so that the time
# grows with the length of the text and no faster.
_PRIVATE_KEY = re.compile(
    r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
    r".*?(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|\Z)",
    re.DOTALL,
)
_TOKEN = re.compile(
    r"(?<![A-Za-z0-9])(?:"
    r"gh[pousr]_[A-Za-z0-9]{20,255}|github_pat_[A-Za-z0-9_]{20,255}"
    r"|gl(?:pat|dt|rt|cbt|ptt|ft|imt|agent|oas|soat|ffct)-[A-Za-z0-9_.-]{16,255}"
    r"|(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Za-z0-9])"
    r"|xox[abeoprs]-[A-Za-z0-9-]{10,255}|xapp-[A-Za-z0-9-]{10,255}"
    r"|sk-(?=[A-Za-z_-]{0,100}[0-9])[A-Za-z0-9_-]{20,512}"
    r"|[rs]k_(?:live|test)_[A-Za-z0-9]{16,255}|hf_[A-Za-z0-9]{20,255}"
    r"|AIza[A-Za-z0-9_-]{35}|ya29\.[A-Za-z0-9_-]{20,1024}|npm_[A-Za-z0-9]{36}"
    r"|pypi-[A-Za-z0-9_-]{50,512}|dapi[a-f0-9]{32}|hvs\.[A-Za-z0-9_-]{20,255}"
    r"|do[opr]_v1_[a-f0-9]{64}|SG\.[A-Za-z0-9_-]{16,64}\.[A-Za-z0-9_-]{16,64}"
    r"|eyJ[A-Za-z0-9_-]{8,4096}\.eyJ[A-Za-z0-9_-]{4,8192}(?:\.[A-Za-z0-9_-]{0,4096})?"
    r")|(?<=hooks\.slack\.com/services/)[A-Za-z0-9/]{10,255}"
)
_USER_AND_PASSWORD = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{0,30}://[^\s/?#:@]{0,255}:)[^\s/?#]+@")
_TOKEN_AS_USER = re.compile(r"(https?://)[^\s/?#:@]{1,1024}@")
_ASSIGNMENT = re.compile(
    r"""([?&]?)(?<![\w.-])(-{0,2}[A-Za-z_][\w.-]{0,63})="""
    r"""("[^"]{1,4096}"|'[^']{1,4096}'|[^\s&;"']{1,8192})"""
)
_OPTION = re.compile(r"(?<![\w-])(--[A-Za-z][\w-]{0,63})(\s{1,9})[^\s-]\S{0,8192}")
_AUTHORIZATION = re.compile(
    r"((?<![A-Za-z])(?:[Bb]earer|[Aa]uthorization:\s{0,9}[Bb]asic)\s{1,9})[A-Za-z0-9._~+/=-]{12,8192}"
)
