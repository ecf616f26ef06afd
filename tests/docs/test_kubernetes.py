"""The manifests of `deploy/kubernetes`: Kubernetes takes them, and they fit together, and the image."""

from __future__ import annotations

from typing import Any

import kubernetes_validate  # type: ignore[import-untyped]
import pytest
import yaml

from durabase.cli.main import parser

from ._pages import ROOT
from .test_deployment import image

FOLDER = ROOT / "deploy" / "kubernetes"
OLDEST, NEWEST = "1.29", kubernetes_validate.latest_version()


def read(name: str) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((FOLDER / name).read_text())
    return document


KUSTOMIZATION = read("kustomization.yaml")
RESOURCES = {name: read(name) for name in KUSTOMIZATION["resources"]}
PODS = RESOURCES["statefulset.yaml"]["spec"]
POD = PODS["template"]["spec"]
(CONTAINER,) = POD["containers"]
PORTS = {port["name"]: port["containerPort"] for port in CONTAINER["ports"]}


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
@pytest.mark.parametrize("name", RESOURCES)
def test_kubernetes_knows_every_field(name: str, version: str) -> None:
    kubernetes_validate.validate(RESOURCES[name], version, strict=True)


def test_nothing_is_forgotten() -> None:
    assert {*RESOURCES, "kustomization.yaml"} == {path.name for path in FOLDER.glob("*.yaml")}


def test_objects_have_one_owner() -> None:
    assert PODS["replicas"] == 1
    (claim,) = PODS["volumeClaimTemplates"]
    assert claim["spec"]["accessModes"] == ["ReadWriteOncePod"]


def test_everything_selects_the_pod() -> None:
    labels = PODS["template"]["metadata"]["labels"]
    assert PODS["selector"]["matchLabels"] == labels
    assert RESOURCES["service.yaml"]["spec"]["selector"] == labels
    assert RESOURCES["networkpolicy.yaml"]["spec"]["podSelector"]["matchLabels"] == labels


def test_clients_find_the_way() -> None:
    (rule,) = RESOURCES["ingress.yaml"]["spec"]["rules"]
    backend = rule["http"]["paths"][0]["backend"]["service"]
    service = RESOURCES["service.yaml"]
    assert backend["name"] == service["metadata"]["name"] == PODS["serviceName"]
    (port,) = service["spec"]["ports"]
    assert backend["port"]["name"] == port["name"]
    assert PORTS[port["targetPort"]] == 8787
    let_in = {rule["ports"][0]["port"] for rule in RESOURCES["networkpolicy.yaml"]["spec"]["ingress"]}
    assert let_in == set(PORTS)


def test_the_server_is_started_as_the_ports_and_volumes_say() -> None:
    options = parser().parse_args(CONTAINER["command"][1:])
    assert options.ip == "0.0.0.0"  # noqa: S104 - of the pod, which the network policy guards
    assert options.admin == (options.ip, PORTS["admin"])
    assert options.port is None  # and so 8787
    mounts = [mount["mountPath"] for mount in CONTAINER["volumeMounts"]]
    assert mounts == [str(options.persist_to), "/tmp"]


def test_the_pod_is_the_user_of_the_image() -> None:
    user = POD["securityContext"]
    assert f"{user['runAsUser']}:{user['runAsGroup']}" == image()["USER"][0]
    assert image()["CMD"][0].startswith('["durabase", "serve", "--processes", "1"')


def test_secrets_come_from_the_file_that_is_to_be_filled_in() -> None:
    (secret,) = KUSTOMIZATION["secretGenerator"]
    assert CONTAINER["envFrom"] == [{"secretRef": {"name": secret["name"]}}]
    (file,) = secret["envs"]
    example = (FOLDER / f"{file}.example").read_text().splitlines()
    assert [line for line in example if not line.startswith("#")] == ["DURABASE_ADMIN_TOKEN=", "ROOM_KEYS="]
    assert not (FOLDER / file).exists()


def test_there_is_time_to_stop_in_good_order() -> None:
    from durabase.cluster.supervisor import STOP_SECONDS

    assert POD["terminationGracePeriodSeconds"] > 5 + STOP_SECONDS
