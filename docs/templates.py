"""The templates for GitLab, made from the command line and the table of `docs.wrappers`.

Inputs become variables of the job. GitLab writes them into the text of the YAML, so a text stands
in a literal block: whatever it holds on one line, it stays a value.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from assent.cli.main import VERBS
from assent.cli.published import OUTPUTS
from docs.wrappers import (
    MADE,
    OWN_MERGE_REQUEST,
    RETRAINING,
    ROOT,
    WRAPPERS,
    Input,
    Job,
    inputs,
)

SHIPPED = ROOT / "src/assent/forges/gitlab/texts/pipeline.yml"
"""What `assent init --gitlab` writes."""
IMAGE = "python:3.12"
PREFIX = "assent"
REPORTS = ".assent/ci"
"""The folder of what GitLab is told, below that of the job."""
HANDOVER = "assent-bundle"
"""The folder in which a bundle goes from one job to the next."""
DIFFERENT = {
    "environment": "GitLab wants the name of the environment in the job: it is that of the stage",
    "reason": "whoever presses the button gives it, as a variable of the job",
    "artifact": "who trains and who proposes are two jobs: the one that trains has this name",
    "waiting": "GitLab starts no pipeline for a review, so each one looks for what waits: by the "
    "name that the job of `bundle` has",
}
"""Inputs that are not what the command takes them for when they are not given, and why."""

INSTALL = f"""\
rm -rf {REPORTS}
if [ -n "$ASSENT_INSTALL" ]; then
  place=$(mktemp -d)
  trap 'rm -rf "$place"' EXIT
fi
# The last part of an address tells whether it names a commit: an account has an @ before it.
case "$ASSENT_INSTALL ${{ASSENT_INSTALL##*/}}" in
" ")
  if ! assent=$(command -v assent); then
    echo "assent: the image has no program of this name; give the input install" >&2
    exit 2
  fi
  ;;
git+*" "*@* | *" @ git+"*" "*@*)
  source=${{ASSENT_INSTALL#*git+}}
  revision=${{source##*@}}
  case "$ASSENT_INSTALL" in
  *\\[*\\]*git+*) extras=${{ASSENT_INSTALL#*\\[}} ;;
  *) extras="" ;;
  esac
  git clone --quiet --no-checkout -- "${{source%@*}}" "$place/source"
  git -C "$place/source" checkout --quiet --detach "${{revision%%#*}}"
  assent=$(env RUNNER_TEMP="$place" ASSENT_EXTRAS="${{extras%%\\]*}}" \\
    "$place/source/actions/setup/install.sh")
  ;;
*)
  python3 -I -m venv "$place"
  take() {{
    env -u ASSENT_GITLAB_TOKEN -u ASSENT_LEDGER_TOKEN -u PYTHONPATH "$place/bin/python" -I -m pip \\
      install --quiet --disable-pip-version-check "$@"
  }}
  take --no-deps -- "$ASSENT_INSTALL"
  # A package of Assent holds the lock that it was made with: what it needs is that, byte by byte.
  locks=$("$place/bin/python" -I -c 'if True:
    import importlib.util
    found = importlib.util.find_spec("assent")
    print(*(found.submodule_search_locations or [""])[:1] if found else [""])')/requirements
  if [ -f "$locks/base.txt" ]; then
    case "$ASSENT_INSTALL" in
    *\\[*\\]*) extras=${{ASSENT_INSTALL#*\\[}} ;;
    *) extras="" ;;
    esac
    for name in base $(printf '%s' "${{extras%%\\]*}}" | tr ',[:space:]' ' ?'); do
      take --require-hashes --requirement "$locks/$name.txt"
    done
  else
    take -- "$ASSENT_INSTALL"
  fi
  printf '#!/bin/sh\\nexec "%s" -I "%s" "$@"\\n' \\
    "$place/bin/python" "$place/bin/assent" >"$place/assent"
  chmod +x "$place/assent"
  assent=$place/assent
  ;;
esac
"""
"""A commit is installed from the lock that it has, and a package from the one in it. The team's
own `python` stays the one that is found. `python -I` does not take a module of the team's for one
of Python's. The tokens are not for what is installed.
"""

REQUIREMENT = (
    "What to install, as pip takes it: git+https://…@<commit>, or for example a wheel in the "
    "repository. What it needs is installed from the lock of that commit, or of that wheel, with "
    "hashes. Empty where the image has Assent already."
)
REPORT_FILES = {
    "annotations": f"{REPORTS}/annotations.json",
    "dotenv": f"{REPORTS}/assent.env",
    "junit": f"{REPORTS}/junit*.xml",
    "metrics": f"{REPORTS}/metrics.txt",
}
RUNS_THE_TEAM = ("train", "evaluate")
"""Verbs that run the team's commands, and so get what the team's `default` sets up for them."""
RUNS_WITH_A_CHANGE = (*RUNS_THE_TEAM, "bundle")
"""Verbs whose jobs run in the pipeline of a change, without anything worth stealing."""
TRUSTED = {"environment": {"name": "assent", "action": "access"}}
"""Variables can be limited to environments, and that is how the tokens are kept from trainings on
the default branch. With `access` GitLab takes the job for no deployment.
"""
TEMPLATES = {verb: about.job for verb, about in WRAPPERS.items() if about.job is not None}


class Text(str):
    """What an input brings, as a value that stays one."""

    __slots__ = ()


class Quoted(str):
    """Text in double quotes."""

    __slots__ = ()


class _Dumper(yaml.SafeDumper):
    """Values as people write them."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> Any:
        """Lists stand further in than their key."""
        del indentless
        return super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:
        """Everything is written out where it belongs, but what every job begins with."""
        return data is not INSTALLING

    def generate_anchor(self, node: yaml.Node) -> str:
        """The one name that there is."""
        del node
        return "install"


def _literal(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:str", str(text), style="|")


def _quoted(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:str", str(text), style='"')


_Dumper.add_representer(Text, _literal)
_Dumper.add_representer(Quoted, _quoted)


def dump(value: Mapping[Any, Any]) -> str:
    """YAML of `value`, in its order."""
    text: str = yaml.dump(
        value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100_000, indent=2
    )
    return text


INSTALLING = Text(INSTALL)


def given(name: str) -> str:
    """Where the value of an input goes."""
    return f"$[[ inputs.{name} ]]"


def job(
    verb: str,
    values: Mapping[str, str],
    *,
    stage: str,
    image: str,
    rules: Any,
    needs: Any,
    artifacts: Any = None,
    **more: Any,
) -> dict[str, Any]:
    """The job of a verb. `values` are those of its variables, by name of the input."""
    about = TEMPLATES[verb]
    variables = {"GIT_DEPTH": Quoted("0"), "ASSENT_INSTALL": Text(given("install"))}
    if verb not in RUNS_WITH_A_CHANGE:
        # What another job has left in the checkout, settings of Git included, is not there.
        variables["GIT_STRATEGY"] = Quoted("clone")
    variables["ASSENT_REPORTS"] = Quoted(REPORTS)
    for input_ in inputs(verb):
        if input_.name in values:
            kind = Quoted if isinstance(input_.default, bool) else Text
            variables[input_.variable] = kind(values[input_.name])
    made: dict[str, Any] = {"stage": Quoted(stage), "image": Quoted(image)}
    # What the team's `default` says is for the team's code: a trusted job takes no cache, no
    # service and no command of it.
    made |= {} if verb in RUNS_THE_TEAM else {"inherit": {"default": ["tags", "retry"]}}
    made |= {"rules": rules, "needs": needs, **more}
    if about.has_environment:
        stage_variable = f"$ASSENT_{verb.upper()}_STAGE"
        made["environment"] = {"name": Quoted(values["environment"])}
        made["resource_group"] = Quoted(f"assent-{values['model']}-{stage_variable}")
    elif verb not in RUNS_WITH_A_CHANGE:
        made |= TRUSTED
    made |= {key: _plain(value) for key, value in about.keywords.items()}
    made |= {"variables": variables, "script": [INSTALLING, Quoted(f'"$assent" {verb}')]}
    made["artifacts"] = _artifacts(verb, about, artifacts)
    return made


def _plain(value: Any) -> Any:
    return Quoted(value) if isinstance(value, str) and "$" in value else value


def _artifacts(verb: str, about: Job, paths: Any) -> dict[str, Any]:
    if about.artifacts == ():
        return {"paths": paths, "expire_in": "7 days"}
    names = ["annotations", *(["dotenv"] if WRAPPERS[verb].outputs else []), *about.reports]
    made: dict[str, Any] = {"when": "always", "paths": paths or [f"{REPORTS}/"]}
    made["expire_in"] = "7 days" if about.artifacts else "30 days"
    made["reports"] = {name: REPORT_FILES[name] for name in sorted(names)}
    return made


def needed(jobs: Sequence[str], *, with_artifacts: bool, prefix: str = PREFIX) -> list[Any]:
    """Jobs that come first, where they are in the pipeline."""
    return [
        {"job": f"{prefix}-{name}", "optional": True, "artifacts": with_artifacts} for name in jobs
    ]


def _default(verb: str, input_: Input) -> str | bool:
    return TEMPLATES[verb].defaults.get(input_.name, input_.default)


def spec(verb: str) -> dict[str, Any]:
    """The inputs of a verb's template."""
    about = TEMPLATES[verb]
    made: dict[str, Any] = {"install": {"description": REQUIREMENT}}
    for input_ in inputs(verb):
        made[input_.name] = {"description": input_.description}
        if isinstance(input_.default, bool):
            made[input_.name]["type"] = "boolean"
        if not input_.is_required or input_.name in about.defaults:
            default = _default(verb, input_)
            made[input_.name]["default"] = default if isinstance(default, bool) else Quoted(default)
    made["job-name"] = {"description": "The name of the job.", "default": f"{PREFIX}-{verb}"}
    made["job-stage"] = {"description": "The stage of the pipeline.", "default": about.stage}
    made["job-image"] = {
        "description": "The image: Git, and Python 3.11 or newer.",
        "default": IMAGE,
    }
    made["job-rules"] = {
        "description": "In which pipelines it runs.",
        "type": "array",
        "default": [dict(rule) for rule in about.rules],
    }
    made["job-needs"] = {
        "description": "The jobs that come first.",
        "type": "array",
        "default": needed(about.needs, with_artifacts=takes_artifacts(verb)),
    }
    if about.artifacts is not None:
        made["job-artifacts"] = {"description": ARTIFACTS, "type": "array"}
    if about.artifacts:
        made["job-artifacts"] |= {
            "description": f"The folder for the next job, below {REPORTS}/ what GitLab shows.",
            "default": [f"{REPORTS}/", *about.artifacts],
        }
    return made


ARTIFACTS = (
    "What goes to the next job: .assent/work/, the model, and the files that assent.yaml names "
    "as metrics, predictions and plots."
)


def takes_artifacts(verb: str) -> bool:
    """Whether a job gets the files of the jobs before it, or only waits for them."""
    return verb in ("evaluate", "bundle")


def template(verb: str) -> str:
    """The template of a verb."""
    about = TEMPLATES[verb]
    values = {input_.name: given(input_.name) for input_ in inputs(verb)}
    body = job(
        verb,
        values,
        stage=given("job-stage"),
        image=given("job-image"),
        rules=given("job-rules"),
        needs=given("job-needs"),
        artifacts=given("job-artifacts") if about.artifacts is not None else None,
    )
    head = f"# {VERBS[verb]}{' ' + about.note if about.note else ''}\n# {MADE}\n"
    return (
        _wrapped(head)
        + dump({"spec": {"inputs": spec(verb)}})
        + "---\n"
        + dump({Quoted(given("job-name")): body})
    )


def _wrapped(head: str) -> str:
    """Comments of lines that people can read."""
    import textwrap

    lines: list[str] = []
    for line in head.splitlines():
        lines += textwrap.wrap(line, 98, subsequent_indent="# ", break_on_hyphens=False)
    return "\n".join(lines) + "\n"


PIPELINE = """\
The whole way of one model. A merge request: train, evaluate, bundle, and wake the default
branch, which reviews. The default branch: approve and register what was merged, and a button to
promote and to roll back for each stage. A schedule: review, approve, register and verify, or,
where its variable ASSENT_SCHEDULE is retrain, retrain. A pipeline that a webhook starts: approve,
review, reply.
"""
RECIPES = "Caches, GPUs, long trainings, data that is not in Git: docs/recipes/."
PIPELINE_INPUTS: dict[str, dict[str, Any]] = {
    "install": {"description": REQUIREMENT},
    "artifacts": {"description": ARTIFACTS, "type": "array"},
    "model": {"description": "The model; needless if there is only one.", "default": Quoted("")},
    "config": {
        "description": "The assent.yaml to use; otherwise that of the top folder.",
        "default": Quoted(""),
    },
    "stages": {
        "description": "The stages of assent.yaml, in their order. Each has two buttons.",
        "type": "array",
        "default": ["staging", "production"],
    },
    "environment-prefix": {
        "description": "Before the name of a stage, the name of its environment: churn/ for "
        "churn/staging.",
        "default": Quoted(""),
    },
    "job-prefix": {
        "description": "Before the name of a verb, the name of its job. With several models one "
        "for each.",
        "default": PREFIX,
    },
    "image": {"description": "The image: Git, and Python 3.11 or newer.", "default": IMAGE},
    "build-stage": {"description": "The stage of train, evaluate and bundle.", "default": "build"},
    "test-stage": {"description": "The stage of wake, review and reply.", "default": "test"},
    "deploy-stage": {"description": "The stage of all that follows.", "default": "deploy"},
}
RETRAINED = "retrain-bundle"
"""The job that trains the default branch for `retrain`, and proposes nothing itself."""
WAKE = "wake"
"""The job of a merge request that starts a pipeline of the default branch. It has no script, runs
on no runner, and hands over nothing: what waits, the other pipeline asks GitLab.
"""


def pipeline_jobs() -> dict[str, tuple[str, dict[str, str], tuple[str, ...]]]:
    """The jobs of the whole way: verb, what its inputs are, and the jobs that come first."""
    jobs: dict[str, tuple[str, dict[str, str], tuple[str, ...]]] = {}
    shared = {"model": given("model"), "config": given("config")}
    for verb, about in TEMPLATES.items():
        own: dict[str, str] = {}
        if verb == "bundle":
            own = {"output": HANDOVER}
        elif verb == "review":
            own = {"waiting": f"{given('job-prefix')}-bundle", "exit-zero": "true"}
        elif verb == "approve":
            own = {"exit-zero": "true"}
        elif verb == "retrain":
            own = {"artifact": f"{given('job-prefix')}-{RETRAINED}"}
        elif about.has_environment:
            stage = f"$ASSENT_{verb.upper()}_STAGE"
            own = {"environment": f"{given('environment-prefix')}{stage}", "reason": ""}
            own |= {"version": ""} if verb == "promote" else {"to": ""}
        known = {input_.name for input_ in inputs(verb)}
        values = {name: value for name, value in (shared | own).items() if name in known}
        jobs[verb] = (verb, values, about.needs)
    return jobs


def wake() -> dict[str, Any]:
    """The job that wakes the default branch. Where whoever pushed may run no pipeline there, it
    fails, and a webhook, the schedule or a person wakes it.
    """
    forward = {"pipeline_variables": False, "yaml_variables": False}
    place = {"project": Quoted("$CI_PROJECT_PATH"), "branch": Quoted("$CI_DEFAULT_BRANCH")}
    return {
        "stage": Quoted(given("test-stage")),
        "rules": [{key: _plain(value) for key, value in OWN_MERGE_REQUEST.items()}],
        "needs": _needs(("bundle",), with_artifacts=False),
        "trigger": {**place, "forward": forward},
        "allow_failure": True,
    }


def retraining() -> dict[str, Any]:
    """The job that trains, evaluates and bundles for `retrain`. What runs there could read every
    variable of its job, so the tokens must not be among them.
    """
    verbs = ("train", "evaluate", "bundle")
    variables = {"GIT_DEPTH": Quoted("0"), "ASSENT_INSTALL": Text(given("install"))}
    for verb in verbs:
        known = {input_.name: input_ for input_ in inputs(verb)}
        own = {"model": given("model"), "config": given("config")}
        own |= {"output": HANDOVER} if verb == "bundle" else {"force": "true"}
        for name, value in own.items():
            kind = Quoted if isinstance(known[name].default, bool) else Text
            variables[known[name].variable] = kind(value)
    return {
        "stage": Quoted(given("deploy-stage")),
        "image": Quoted(given("image")),
        "rules": [{key: _plain(value) for key, value in RETRAINING.items()}],
        "needs": [],
        "variables": variables,
        "script": [INSTALLING, *(Quoted(f'"$assent" {verb}') for verb in verbs)],
        "artifacts": {"paths": [f"{HANDOVER}/"], "expire_in": "7 days"},
    }


def pipeline() -> str:
    """The template of the whole way. It holds the jobs and includes no other file: so it can be
    included itself from a file, a project, an address and a catalog alike.
    """
    body: dict[Any, Any] = {}
    for name, (verb, values, needs) in pipeline_jobs().items():
        about = TEMPLATES[verb]
        if verb == "retrain":
            body[Quoted(f"{given('job-prefix')}-{RETRAINED}")] = retraining()
            needs = (RETRAINED,)
        more: dict[str, Any] = {}
        if about.has_environment:
            matrix = {f"ASSENT_{verb.upper()}_STAGE": given("stages")}
            more["parallel"] = {"matrix": [matrix]}
        body[Quoted(f"{given('job-prefix')}-{name}")] = job(
            verb,
            values,
            stage=given(f"{about.stage}-stage"),
            image=given("image"),
            rules=[{key: _plain(value) for key, value in rule.items()} for rule in about.rules],
            needs=_needs(needs, with_artifacts=takes_artifacts(verb)),
            artifacts=_handed_over(about),
            **more,
        )
        if verb == "bundle":
            body[Quoted(f"{given('job-prefix')}-{WAKE}")] = wake()
    about_it = [*PIPELINE.splitlines(), RECIPES, MADE]
    head = _wrapped("".join(f"# {line}\n" for line in about_it))
    return head + dump({"spec": {"inputs": PIPELINE_INPUTS}}) + "---\n" + dump(body)


def _needs(jobs: Sequence[str], *, with_artifacts: bool) -> list[Any]:
    """Jobs of the whole way that come first."""
    needs = needed(jobs, with_artifacts=with_artifacts, prefix=given("job-prefix"))
    return [{**need, "job": Quoted(need["job"])} for need in needs]


def _handed_over(about: Job) -> Any:
    """What a job of the whole way leaves for the next one."""
    if about.artifacts is None:
        return None
    return [f"{REPORTS}/", *about.artifacts] if about.artifacts else given("artifacts")


def document() -> str:
    """The documentation of all templates."""
    lines = [
        "# Templates for GitLab",
        "",
        f"<!-- {MADE} -->",
        "",
        "Each template is one job that installs Assent, passes its inputs on as variables and runs",
        "one verb. [pipeline.yml](#pipeline) is all of them. An input that is empty is not given.",
        "The exit codes are those of the [command line](cli.md#exit-codes). How the jobs work",
        "together, and which tokens they need, is in [gitlab.md](gitlab.md).",
        "",
        "`acme/assent` stands for where you keep Assent and the zeros for the commit that you have",
        "chosen: pin it in full.",
        "",
        "A job is changed like any other: one of the same name in your `.gitlab-ci.yml` is merged",
        "with it. So `tags`, `before_script` and `cache` need no input.",
        "",
        "## pipeline",
        "",
        " ".join(PIPELINE.split()),
        "",
        *_table(PIPELINE_INPUTS),
        "",
        *_example("pipeline", {"artifacts": [".assent/work/", "model/", "metrics.json"]}),
    ]
    for verb in TEMPLATES:
        lines += ["", *_section(verb)]
    return "\n".join(lines) + "\n"


def _section(verb: str) -> Iterator[str]:
    about = TEMPLATES[verb]
    yield from (f"## {verb}", "", VERBS[verb] + (f" {about.note}" if about.note else ""), "")
    yield from _table(spec(verb))
    if WRAPPERS[verb].outputs:
        yield from ("", "| variable for later jobs | meaning |", "|---|---|")
        yield from (
            f"| `{name_of(output)}` | {OUTPUTS[output]} |" for output in WRAPPERS[verb].outputs
        )
    example: dict[str, Any] = {
        input_.name: "production" if input_.name == "stage" else "…"
        for input_ in inputs(verb)
        if input_.is_required and input_.name not in about.defaults
    }
    if about.artifacts == ():
        example["job-artifacts"] = [".assent/work/", "model/", "metrics.json"]
    yield ""
    yield from _example(verb, example)


def name_of(output: str) -> str:
    """The variable in which a later job finds an output."""
    return f"ASSENT_{output.upper().replace('-', '_')}"


def _table(described: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    yield from ("| input | type | default | meaning |", "|---|---|---|---|")
    for name, about in described.items():
        default = "**required**"
        if "default" in about:
            value = about["default"]
            shown = value if isinstance(value, str) else json.dumps(value)
            default = f"`{shown}`".replace("|", "\\|") if shown else ""
            default = "see the template" if len(shown) > 60 else default
        yield f"| `{name}` | {about.get('type', 'string')} | {default} | {about['description']} |"


def _example(name: str, values: Mapping[str, Any]) -> Iterator[str]:
    yield from ("```yml", "include:", "  - project: acme/assent", f"    ref: {'0' * 40}")
    yield from (f"    file: gitlab-templates/{name}.yml", "    inputs:")
    yield "      install: git+https://gitlab.example.com/acme/assent@" + "0" * 40
    for key, value in values.items():
        shown = f"[{', '.join(value)}]" if isinstance(value, list) else value
        yield f"      {key}: {shown}"
    yield "```"


def files() -> dict[Path, str]:
    """Every file that is made, by its place."""
    made = {ROOT / "gitlab-templates" / f"{verb}.yml": template(verb) for verb in TEMPLATES}
    made[ROOT / "gitlab-templates/pipeline.yml"] = pipeline()
    made[SHIPPED] = pipeline()
    return made
