"""Every lab of the course, solved and not solved, checked by a real server through `millpond learn`.

The solution passes; the file that a learner starts from and each plausible mistake (wrong_*.py) fail,
first by the check that lab.yaml names. The attempts run in parallel against one server.
"""

import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys

import pytest
import yaml

from conftest import BINARY, ROOT, clean_env

LABS = ROOT / "content" / "labs"


def attempts():
    """(lab's folder, script, the check that fails first or None)."""
    out = []
    for folder in sorted(LABS.iterdir()):
        lab = yaml.safe_load((folder / "lab.yaml").read_text())
        out.append((folder, "solution.py", None))
        out += [(folder, script, check) for script, check in lab["fails"].items()]
    return out


def name(attempt):
    return f"{attempt[0].name}/{attempt[1]}"


@pytest.fixture(scope="module", autouse=True)
def patched(tmp_path_factory):
    """Lets labs run with the pip package, as in a managed runtime, whatever Python runs the tests."""
    site = tmp_path_factory.mktemp("site")
    (site / "sitecustomize.py").write_text("import millpond\n")
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join([str(site), str(ROOT / "python" / "src")])
    yield
    if before is None:
        del os.environ["PYTHONPATH"]
    else:
        os.environ["PYTHONPATH"] = before


def learn(server, *args, ok=True, **kwargs):
    try:
        p = subprocess.run([BINARY, "learn", *args, "--server", server.http_url], capture_output=True, text=True, timeout=300,
                           env=clean_env(NO_COLOR="1"), **kwargs)
    except subprocess.TimeoutExpired as e:
        raise AssertionError(f"{e}\n{e.stderr}\n{server.stacks()}") from e
    assert not ok or p.returncode == 0, p.stdout + p.stderr
    return p


def judged(server, folder, script, data):
    """Runs a script as an attempt of a learner of its own; gives the server's judgement."""
    learner = f"{folder.name}-{script}"
    workspace = data / learner
    workspace.mkdir()
    lab = folder.name.partition("-")[2]
    started = json.loads(learn(server, "start", lab, "--learner", learner, "--json").stdout)
    for f in started["files"][1:]:
        (workspace / f["name"]).write_text(f["text"])
    (workspace / script).write_text((folder / script).read_text())
    p = learn(server, "check", lab, "--learner", learner, "--file", str(workspace / script), "--python", sys.executable, "--json",
              "--limit", "2m", ok=False)
    assert p.stdout, p.stderr
    assert "was ended after" not in p.stdout, p.stdout + p.stderr + server.stacks()
    return json.loads(p.stdout)


@pytest.fixture(scope="module")
def judgements(request, server, tmp_path_factory):
    """The judgement of every attempt that was selected, by name. Labs run in parallel, as many at once as there are
    processors and one; the attempts at one lab come after each other, because they register the same models."""
    data = tmp_path_factory.mktemp("labs")
    by_lab = {}
    for item in request.session.items:
        if item.name.startswith("test_lab["):
            by_lab.setdefault(item.callspec.params["attempt"][0], []).append(item.callspec.params["attempt"])
    with concurrent.futures.ThreadPoolExecutor((os.cpu_count() or 1) + 1) as pool:
        jobs = [pool.submit(lambda mine: [(name(a), outcome(judged, server, a[0], a[1], data)) for a in mine], mine) for mine in by_lab.values()]
        return dict(pair for job in jobs for pair in job.result())


def outcome(do, *args):
    """What a call gives, or the error that ended it: one attempt's must not be another's."""
    try:
        return do(*args)
    except Exception as e:
        return e


@pytest.mark.parametrize("attempt", attempts(), ids=name)
def test_lab(judgements, attempt):
    verdict = judgements[name(attempt)]
    if isinstance(verdict, Exception):
        raise verdict
    failed = [f for f in verdict["findings"] if not f["ok"]]
    if attempt[2] is None:
        assert verdict["passed"], failed
        return
    assert not verdict["passed"]
    assert failed[0]["id"] == attempt[2], failed
    assert failed[0]["sought"]


def test_first_lab_by_hand(server, tmp_path):
    """What a newcomer does: start, check, a hint, the solution, check again, and the next lab."""
    who = ("--learner", "newcomer")
    assert "Welcome" in learn(server, *who).stdout
    text = learn(server, "start", "1", *who, cwd=tmp_path).stdout
    lab = tmp_path / "millpond-labs" / "01-random-split" / "lab.py"
    assert lab.exists() and "randomSplit" not in lab.read_text() and str(lab.relative_to(tmp_path)) in text
    p = learn(server, "check", "--python", sys.executable, *who, cwd=tmp_path, ok=False)
    assert p.returncode == 1 and "looked for" in p.stdout and "found" in p.stdout
    assert "Hint 1 of" in learn(server, "hint", *who).stdout
    assert "Hint 2 of" in learn(server, "hint", *who).stdout
    lab.write_text(learn(server, "solution", *who).stdout)
    assert "is passed" in learn(server, "check", "--python", sys.executable, *who, cwd=tmp_path).stdout
    labs = json.loads(learn(server, "labs", "--json", *who).stdout)["labs"]
    assert labs[0]["passed"] and labs[0]["hints_seen"] == 2 and labs[0]["solution_seen"] and not labs[1].get("passed")
    assert "labs 1 of" in learn(server, *who).stdout


def test_progress_travels(server, tmp_path):
    who, file = ("--learner", "traveller"), tmp_path / "progress.json"
    question = json.loads(learn(server, "practice", "--json", *who).stdout)["questions"][0]
    assert all(set(o) == {"id", "text"} for o in question["options"]), "an answer is told before the question is answered"
    p = subprocess.run([BINARY, "learn", "practice", "--count", "1", *who, "--server", server.http_url], input="A\n", capture_output=True, text=True, timeout=60)
    assert p.returncode == 0 and "of 1 right" in p.stdout, p.stdout + p.stderr
    learn(server, "plan", "weekend", *who)
    learn(server, "export", str(file), *who)
    learn(server, "import", str(file), "--learner", "somebody else")
    there = json.loads(learn(server, "export", "--learner", "somebody else").stdout)
    here = json.loads(file.read_text())
    assert here["answers"] and {**there, "learner": ""} == {**here, "learner": ""}


def test_without_a_server(tmp_path):
    p = subprocess.run([BINARY, "learn", "--server", "http://127.0.0.1:9"], capture_output=True, text=True, timeout=60, cwd=tmp_path)
    assert p.returncode == 1 and "millpond serve" in p.stderr


def test_content_is_checked(tmp_path):
    """A malformed file is refused by name and line."""
    copy = tmp_path / "content"
    subprocess.run(["cp", "-r", str(ROOT / "content"), str(copy)], check=True)
    assert subprocess.run([BINARY, "learn", "check-content", str(copy)], capture_output=True, timeout=60).returncode == 0
    question = next(pathlib.Path(copy / "questions").rglob("*.yaml"))
    lines = question.read_text().splitlines()
    at = next(i for i, l in enumerate(lines) if l.startswith("kind:"))
    lines[at] = "kind: triple"
    question.write_text("\n".join(lines) + "\n")
    p = subprocess.run([BINARY, "learn", "check-content", str(copy)], capture_output=True, text=True, timeout=60)
    assert p.returncode == 1 and f"{question.relative_to(copy)}:{at + 1}:" in p.stderr, p.stderr


def computed():
    """The numbers that questions say are computed."""
    out = []
    for f in sorted((ROOT / "content" / "questions").rglob("*.yaml")):
        for i, c in enumerate(yaml.safe_load(f.read_text()).get("computed") or []):
            out.append(pytest.param(c["python"], str(c["is"]), id=f"{f.stem}-{i}"))
    return out


@pytest.mark.parametrize("code, value", computed())
def test_numbers_of_questions(code, value):
    *statements, last = str(code).strip().splitlines()
    scope = {}
    exec("\n".join(statements), scope)
    assert str(eval(last, scope)) == value


def snippets():
    """The code of topics that says that it runs."""
    out = []
    for f in sorted((ROOT / "content" / "topics").rglob("*.md")):
        parts = f.read_text().split("```")
        runs = [p.partition("\n")[2] for p in parts[1::2] if p.split("\n", 1)[0].split() == ["python", "run"]]
        out += [pytest.param(code, id=f"{f.stem}-{i}") for i, code in enumerate(runs)]
    return out


@pytest.mark.parametrize("code", snippets())
def test_snippets_of_topics(server, spark, code, monkeypatch, tmp_path):
    import mlflow

    monkeypatch.chdir(tmp_path)
    mlflow.set_tracking_uri(server.http_url)
    mlflow.set_experiment("snippets")
    try:
        exec(compile(code, "snippet", "exec"), {"spark": spark, "__name__": "__main__"})
    finally:
        while mlflow.active_run():
            mlflow.end_run()
        mlflow.autolog(disable=True)
