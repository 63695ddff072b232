# SPDX-License-Identifier: Apache-2.0
"""Kubernetes and Istio objects as `kubectl get -o json` prints them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Manifest = dict[str, Any]
HTTPS = (443, "HTTPS")
HTTP = (80, "HTTP")


def policy(mode: str | None) -> Manifest:
    """The mesh's outboundTrafficPolicy; None: it does not say."""
    mesh: dict[str, Any] = {} if mode is None else {"outboundTrafficPolicy": {"mode": mode}}
    return {"apiVersion": "install.istio.io/v1alpha1", "kind": "IstioOperator",
            "metadata": {"name": "mesh", "namespace": "istio-system"},
            "spec": {"meshConfig": mesh}}


def service_entry(*hosts: str, ports: Sequence[tuple[int, str]] = (HTTPS,),
                  resolution: str = "DNS", name: str = "", namespace: str = "default",
                  **spec: Any) -> Manifest:
    return {"apiVersion": "networking.istio.io/v1", "kind": "ServiceEntry",
            "metadata": {"name": name or hosts[0].replace("*", "any").replace(".", "-"),
                         "namespace": namespace},
            "spec": {"hosts": list(hosts), "location": "MESH_EXTERNAL", "resolution": resolution,
                     "ports": [{"number": n, "name": f"{p.lower()}-{n}", "protocol": p}
                               for n, p in ports], **spec}}


def pod(name: str, addresses: Sequence[str], namespace: str = "default") -> Manifest:
    return {"apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": name, "namespace": namespace, "labels": {"app": name}},
            "spec": {"nodeName": "node"},
            "status": {"phase": "Running", "podIP": addresses[0],
                       "podIPs": [{"ip": a} for a in addresses]}}


def service(name: str, namespace: str = "default", ports: Sequence[int] = (443,),
            export_to: str = "", **spec: Any) -> Manifest:
    annotations = {"networking.istio.io/exportTo": export_to} if export_to else {}
    return {"apiVersion": "v1", "kind": "Service",
            "metadata": {"name": name, "namespace": namespace, "annotations": annotations},
            "spec": {"ports": [{"name": f"p{p}", "port": p, "protocol": "TCP"} for p in ports],
                     **spec}}


def endpoint_slice(service: str, family: int, endpoints: Sequence[Manifest],
                   namespace: str = "default") -> Manifest:
    return {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
            "metadata": {"name": f"{service}-{family}", "namespace": namespace,
                         "labels": {"kubernetes.io/service-name": service}},
            "addressType": f"IPv{family}", "endpoints": list(endpoints),
            "ports": [{"name": "p443", "port": 443, "protocol": "TCP"}]}


def workload_entry(name: str, address: str, namespace: str = "default",
                   **labels: str) -> Manifest:
    return {"apiVersion": "networking.istio.io/v1", "kind": "WorkloadEntry",
            "metadata": {"name": name, "namespace": namespace, "labels": labels},
            "spec": {"address": address}}
