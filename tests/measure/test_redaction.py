from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.core.evidence import REDACTED
from assent.core.scalar import NonFinite
from assent.measure.redaction import redact, redact_text
from tests.waiting import HANGS_AFTER_S

SECRET_NAMES = (
    "api_key API_KEY apiKey db.password HF_TOKEN token github.token access_tokens private_key "
    "AWS_SECRET_ACCESS_KEY awsAccessKeyId client-secret auth basic_auth proxy_authorization "
    "DB_PASS credentials.user secrets.db.host dbpassword openai_key AccountKey OPENAI_API_KEY "
    "authtoken passwd pwd encryption_key train.wandb.apikey passphrase vault_secret_id"
).split()
INNOCENT_NAMES = (
    "max_tokens tokenizer tokenizer.type n_tokens token_count key author authors authority "
    "primary_key foreign_key public_key sort_key num_keys key_dim pad_token eos_token_id "
    "time_to_first_token tokens tokens_per_s tokenization n_pass forward_pass compass bypass "
    "secretary password_length auth_type monkey hidden_size passenger_count"
).split()


@pytest.mark.threat(38)
@pytest.mark.parametrize("name", SECRET_NAMES)
def test_a_secret_by_its_name(name: str) -> None:
    assert redact(name, "hunter2") == REDACTED
    assert redact(name, 12345) == REDACTED


@pytest.mark.parametrize("name", INNOCENT_NAMES)
def test_an_innocent_name(name: str) -> None:
    assert redact(name, "hunter2") == "hunter2"
    assert redact(name, 512) == 512


@pytest.mark.parametrize("value", [True, None, "", NonFinite("nan")])
def test_what_hides_nothing_stays(value: bool | str | NonFinite | None) -> None:
    assert redact("use_auth_token", value) == value


@pytest.mark.threat(38)
@pytest.mark.parametrize(
    "secret",
    [
        "ghp_" + "a1B2" * 9,
        "github_pat_" + "a1B2_" * 12,
        "glpat-" + "a1B2-" * 4,
        "AKIA" + "ABCD" * 4,
        "xoxb-1234567890-abcdef",
        "sk-" + "a1B2" * 10,
        "sk-proj-" + "a1B2_-" * 10,
        "sk-ant-api03-" + "a1B2" * 10,
        "sk_live_" + "a1B2" * 6,
        "hf_" + "aB" * 17,
        "AIza" + "a1B2-" * 7,
        "npm_" + "a1B2" * 9,
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc\n-----END RSA PRIVATE KEY-----",
        "-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl and cut off",
    ],
)
def test_a_secret_by_its_look(secret: str) -> None:
    assert redact("note", secret) == REDACTED
    assert redact_text(f"see '{secret}") == f"see '{REDACTED}"


@pytest.mark.threat(38)
@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgres://u:p@ss@h/db", f"postgres://u:{REDACTED}@h/db"),
        ("redis://:pw@h:1", f"redis://:{REDACTED}@h:1"),
        ("https://tok@h/x", f"https://{REDACTED}@h/x"),
        (
            "s3://b/k?X-Amz-Signature=a1&X-Amz-Date=2",
            f"s3://b/k?X-Amz-Signature={REDACTED}&X-Amz-Date=2",
        ),
        ("https://h/k?a=1&X-Goog-Signature=a1", f"https://h/k?a=1&X-Goog-Signature={REDACTED}"),
        ("https://h/k?sv=1&sig=a%3D&se=2", f"https://h/k?sv=1&sig={REDACTED}&se=2"),
        ("AccountName=x;AccountKey=ab==;Suffix=y", f"AccountName=x;AccountKey={REDACTED};Suffix=y"),
        ("https://h/k?api_key=a1", f"https://h/k?api_key={REDACTED}"),
        ("API_KEY=abc python t.py", f"API_KEY={REDACTED} python t.py"),
        ("t.py --api-key=abc --lr 5", f"t.py --api-key={REDACTED} --lr 5"),
        ("t.py --token abc --max-tokens 5", f"t.py --token {REDACTED} --max-tokens 5"),
        ("t.py --password='a b' -v", f"t.py --password={REDACTED} -v"),
        ("Authorization: Bearer abcdefghijklmnop", f"Authorization: Bearer {REDACTED}"),
    ],
)
def test_only_the_secret_part_is_redacted(text: str, shown: str) -> None:
    assert redact_text(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "git@github.com:acme/churn.git",
        "ssh://git@github.com/acme/churn",
        "https://h:8080/a@b?c=d",
        "s3://bucket/key?versionId=abc",
        "python train.py --max-tokens=512 --tokenizer bpe --seed 7",
        "sk-learn-pipeline-with-a-long-name",
        "task-1234567890-1234567890-abc",
        "-----BEGIN PUBLIC KEY-----",
        "sig=0.05",
        "SELECT * FROM t WHERE key = 'x'",
    ],
)
def test_innocent_text_stays(text: str) -> None:
    assert redact_text(text) == text


@given(
    st.text("abc:/@?&=-. '\"\n", max_size=30),
    st.sampled_from(["password=", "https://u:", "--token ", "Bearer ", "?sig=", "ghp_", "eyJ"]),
    st.text("abcdefgh0123=@/", max_size=60),
)
def test_redacting_again_changes_nothing(before: str, start: str, after: str) -> None:
    once = redact_text(before + start + after)
    assert redact_text(once) == once


UNITS = (
    'a|eyJ|sk-|a://|://a|a=|a="|--a |a.b-|b:|bearer |http://a|eyJaaaaaaaaa.|gh_p_|a://b:|AKIA|'
    "--token |-----BEGIN PRIVATE KEY"
).split("|")
LONG = """
import sys
from assent.measure.redaction import redact_text

for unit in sys.argv[1:]:
    print(repr(unit), flush=True)
    redact_text(unit * (2_000_000 // len(unit)))
"""


@pytest.mark.threat(39)
def test_long_text_takes_linear_time() -> None:
    """Of a text as long as this, whatever looks at all of it for each of its characters hangs. The
    last that is printed is the one.
    """
    subprocess.run([sys.executable, "-c", LONG, *UNITS], check=True, timeout=HANGS_AFTER_S)
