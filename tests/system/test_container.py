"""The image, compose.yaml and the Kubernetes manifest of a project.

These tests need no container engine, because container.py builds and runs the image.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from http.client import HTTPConnection
from pathlib import Path

import kubernetes_validate
import pytest
import yaml
from conftest import PASSWORD, free_port, wait_for
from container import AS_ROOT, Image
from helpers import run
from visitors import Visitor

BIN = Path(sys.executable).parent
SECONDS = 40  # compose.yaml and the manifest give containers this many seconds to stop.


@pytest.fixture(scope="module")
def composed(project):
    """Return compose.yaml as Docker Compose interprets it, with the project's .env."""
    command = BIN / "docker-compose", "config", "--format", "json"
    result = run(*command, cwd=project.path)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def manifests(project):
    """Return the objects in deploy/kubernetes.yaml: {(kind, name): object}."""
    text = (project.path / "deploy" / "kubernetes.yaml").read_text("utf-8")
    each = list(yaml.safe_load_all(text))
    return {(one["kind"], one["metadata"]["name"]): one for one in each}


def pods(project):
    """Return the pods in the manifest: {kind: pod}."""
    found = manifests(project)
    jobs = found["CronJob", "purge"]["spec"]["jobTemplate"]
    parents = found["Job", "migrate"], found["Deployment", "site"], jobs
    kinds = "Job", "Deployment", "CronJob"
    return {
        kind: parent["spec"]["template"]["spec"]
        for kind, parent in zip(kinds, parents, strict=True)
    }


def test_dockerfile_passes_hadolint(project):
    result = run(BIN / "hadolint", "Dockerfile", cwd=project.path)
    assert result.returncode == 0, result.stdout


def test_images_are_pinned_to_versions(project, composed):
    images = re.findall(
        r"^FROM (\S+)", (project.path / "Dockerfile").read_text(), re.M
    ) + [one["image"] for one in composed["services"].values() if "build" not in one]
    assert len(images) >= 5
    for image in images:
        assert re.search(r":v?\d[\w.-]*$", image), image


def test_compose_starts_services_in_order(composed):
    services = composed["services"]
    needed = {
        name: {
            other: how["condition"] for other, how in one.get("depends_on", {}).items()
        }
        for name, one in services.items()
    }
    done, healthy = "service_completed_successfully", "service_healthy"
    assert needed == {
        "db": {},
        "s3": {},
        "bucket": {"s3": healthy},
        "migrate": {"db": healthy},
        "site": {"migrate": done, "bucket": done},
        "purge": {"site": healthy},
    }
    assert all("test" in services[name]["healthcheck"] for name in ("db", "s3"))
    [port] = services["site"]["ports"]
    assert port["host_ip"] == "127.0.0.1"
    assert services["site"]["stop_grace_period"] == f"{SECONDS}s"


def test_compose_reports_missing_variables(project, tmp_path):
    shutil.copy(project.path / "compose.yaml", tmp_path)
    result = run(BIN / "docker-compose", "config", cwd=tmp_path)
    assert result.returncode != 0
    assert "Set it in .env, as .env.example says." in result.stderr


def passwords(services):
    """Return the passwords of the database and the storage."""
    database = services["db"]["environment"]["POSTGRES_PASSWORD"]
    users = [services[name]["environment"] for name in ("site", "migrate", "purge")]
    for user in users:
        assert user["DATABASE_URL"] == f"postgresql://site:{database}@db/site"
    users += [services[name]["environment"] for name in ("s3", "bucket")]
    [storage] = {user["AWS_SECRET_ACCESS_KEY"] for user in users}
    return database, storage


def test_database_and_storage_passwords_differ(composed):
    first, second = passwords(composed["services"])
    assert len(first) > 50 and len(second) > 50 and first != second


def test_old_env_file_has_one_password_for_both_services(project, tmp_path):
    """Version 0.4.0 generated a `.env` that contains only SERVICES_PASSWORD."""
    shutil.copy(project.path / "compose.yaml", tmp_path)
    (tmp_path / ".env").write_text("SECRET_KEY=key\nSERVICES_PASSWORD=word\n")
    command = BIN / "docker-compose", "config", "--format", "json"
    result = run(*command, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert passwords(json.loads(result.stdout)["services"]) == ("word", "word")


def test_temporary_files_are_in_memory(composed, image):
    """`/tmp` is a tmpfs with a size limit, and not a volume."""
    assert image.volumes == ["/data"]
    for name in ("site", "migrate", "purge"):
        assert composed["services"][name]["tmpfs"] == ["/tmp:size=2g"]
    code, text = image.run(["df", "--output=fstype,size", "-B1G", "/tmp"], {})
    assert (code, text.split()[-2:]) == (0, ["tmpfs", "2"])


@pytest.mark.parametrize("version", ["1.29.0", "1.37.0"])
def test_manifest_is_valid(project, version):
    found = manifests(project)
    assert len(found) == 6
    for manifest in found.values():
        kubernetes_validate.validate(manifest, version, strict=True)


def test_manifest_matches_compose_and_image(project, composed):
    known = set(composed["services"]["site"]["environment"])
    assert set(manifests(project)["ConfigMap", "site"]["data"]) <= known
    deployment = pods(project)["Deployment"]
    assert deployment["terminationGracePeriodSeconds"] >= SECONDS
    [site] = deployment["containers"]
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        assert site[probe]["httpGet"]["path"] in {"/healthz", "/readyz"}
    for pod in pods(project).values():
        assert pod["securityContext"]["runAsNonRoot"]
        for container in pod["containers"] + pod.get("initContainers", []):
            assert container["securityContext"]["readOnlyRootFilesystem"]
            places = {mount["mountPath"] for mount in container["volumeMounts"]}
            assert places == {"/data", "/tmp"}


@pytest.fixture(scope="module")
def image(project, composed, collected):
    """The built image of the project."""
    can = shutil.which("unshare") and shutil.which("setpriv")
    if not can or subprocess.run([*AS_ROOT, "unshare", "--mount", "true"]).returncode:
        reason = "needs Linux, and root (or sudo without a password)"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
    # Only pytest's own user can enter pytest's temporary directory.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as directory:
        os.chmod(directory, 0o755)
        static = Path(collected["STATIC_ROOT"])
        tmpfs = composed["services"]["site"]["tmpfs"]
        yield Image(project.path, static, tmpfs, Path(directory), free_port())


@pytest.fixture(scope="module")
def variables(composed, postgres, s3):
    """The site's variables in compose.yaml, adapted to this machine's services."""
    given = composed["services"]["site"]["environment"]
    variables = {name: value for name, value in given.items() if value is not None}
    return {**variables, "DATABASE_URL": postgres.database(), **s3.bucket()}


def test_image_contains_only_required_files(image, project):
    files = {"gunicorn.conf.py", "manage.py", "pyproject.toml", "uv.lock"}
    expected = {"accounts", "packages", project.slug, "__pycache__", *files}
    assert set(os.listdir(image.files / "app")) == expected
    assert list((image.files / "app" / "packages").rglob("*.pyc"))
    code, text = image.run(["python", "-m", "pytest", "--version"], {})
    assert code and "No module named pytest" in text


def test_container_runs_unprivileged_and_writes_only_to_data_and_tmp(image):
    places = "/app /app/packages /venv /static /etc /var/tmp /data /tmp".split()
    write = 'for each; do touch "$each/x" 2>/dev/null && echo "$each"; done; id -u'
    code, text = image.run(["sh", "-c", write, "sh", *places], {})
    assert (code, text.split()) == (0, ["/data", "/tmp", "10001"])


def test_container_serves_requests_and_shuts_down_gracefully(
    image, variables, project, composed, s3, tmp_path
):
    services = composed["services"]
    log = tmp_path / "log"

    def must(command, **more):
        code, text = image.run(command, {**variables, **more})
        assert code == 0, text
        return text

    manage = ["python", "manage.py"]
    # In Kubernetes, an init container of each pod waits for the job that migrates the
    # database.
    [waits] = pods(project)["Deployment"]["initContainers"]
    assert image.run(waits["command"], variables)[0] == 1
    must(services["migrate"]["command"])
    must(waits["command"])
    account = "createsuperuser --noinput --username ann --email ann@example.com".split()
    must([*manage, *account], DJANGO_SUPERUSER_PASSWORD=PASSWORD)
    with log.open("w") as output:
        options = {"stdout": output, "stderr": subprocess.STDOUT}
        process = image.start(image.command, variables, **options)
    try:
        url = f"http://127.0.0.1:{image.port}"
        wait_for(f"{url}/readyz", process, log)
        must(image.health)
        visitor = Visitor(url, project.prefix)
        visitor.sign_in("ann", PASSWORD)
        id = visitor.upload("a,b\n1,2\n")
        assert visitor.get(f"data/{id}", ids=["0"])["results"]["0"]["a"] == 1
        assert visitor.open("/static/frames/pages.css")[0] == 200
        # The test sends the second part of this form after it has asked the server to
        # stop.
        form = visitor.upload_form("c,d\n7,8\n" * 10_000, "slow.csv")
        upload = slowly(visitor, "/frames/upload/", *form)
        next(upload)
        start = time.monotonic()
        image.terminate(process)
        time.sleep(3)
        assert process.poll() is None
        assert next(upload).startswith(visitor.dtale)
        assert process.wait(SECONDS) == 0
        assert time.monotonic() - start < SECONDS
    finally:
        if process.poll() is None:
            image.terminate(process)
    assert len(s3.keys(variables["FRAMES_STORAGE_URL"])) == 2
    assert image.run(image.health, variables)[0] != 0
    purge = pods(project)["CronJob"]["containers"][0]["command"]
    assert services["purge"]["command"][2].count(" ".join(purge)) == 1
    told = must(purge)
    assert "0 expired frames" in told and "0 unreferenced files" in told
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert not [line for line in lines if line["level"] not in {"INFO", "DEBUG"}]
    assert set(os.listdir(image.files / "data")) <= {"fetched", "x"}


def slowly(visitor, path, body, content_type):
    """Post a body in two parts. Yield between the parts. Then yield the redirect."""
    connection = HTTPConnection(visitor.url.removeprefix("http://"), timeout=60)
    connection.putrequest("POST", path)
    jar = next(h.cookiejar for h in visitor.opener.handlers if hasattr(h, "cookiejar"))
    headers = {
        "Content-Type": content_type,
        "Content-Length": len(body),
        "Cookie": "; ".join(f"{each.name}={each.value}" for each in jar),
        "Origin": visitor.url,
        "Sec-Fetch-Site": "same-origin",
    }
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders(body[:1000])
    yield
    connection.send(body[1000:])
    with connection.getresponse() as answer:
        yield answer.headers["Location"]
