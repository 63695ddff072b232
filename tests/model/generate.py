# SPDX-License-Identifier: Apache-2.0
"""Registries by chance, from a seed: few namespaces, hosts and ports, so that everything
collides with everything; and questions about them.

Manifests are valid: what is refused at load is the matter of the unit tests.
"""

import json
import random

NAMESPACES = ["a", "b", "c", "istio-system"]
PODLESS = "d"
HOSTS = ["t", "w.t", "x.w.t", "y.w.t", "n.w.t", "x.n.w.t", "y.x.n.w.t", "a.t", "b.a.t", "single",
         "u.v", "x.local", "local", "cluster.local", "x.cluster.local", "y.x.cluster.local",
         "x.inner.cluster.local", "deep.er.u.v"]
WILDCARDS = ["*.t", "*.w.t", "*.n.w.t", "*.x.n.w.t", "*.a.t", "*.u.v", "*.local",
             "*.cluster.local", "*.x.w.t", "*.v"]
PARTIAL = ["*w.t", "*-x.w.t"]
ZONES = ["cluster.local", "svc.cluster.local", "a.svc.cluster.local", "inner.cluster.local",
         "x.local", "zone"]
TIMES = ["2020-01-01T00:00:00Z", "2021-01-01T00:00:00Z", "2021-01-01T01:00:00+01:00",
         "2022-06-01T12:00:00.5Z", "2023-01-01T00:00:00Z"]
PROTOCOLS = ["HTTP", "HTTPS", "TLS", "TCP", "UDP", "GRPC", "http2", "MONGO", ""]
SEVERAL_HOSTS = ["HTTP", "HTTPS", "TLS", "GRPC", "http2"]
DYNAMIC = ["HTTP", "TLS", "GRPC", "HTTP2"]
PORTS = [53, 80, 443, 8443]
SINGLE = ["203.0.113.1", "203.0.113.2", "10.1.2.3", "169.254.169.254", "2001:db8::1",
          "fd00:5::1"]
RANGES = ["203.0.113.0/24", "10.1.0.0/16", "10.1.2.0/24", "203.0.113.2/32", "2001:db8::/32",
          "2001:db8::1/64", "0.0.0.0/0"]
ENDPOINTS = ["198.51.100.1", "198.51.100.2", "10.9.0.1", "2001:db8:9::1", "203.0.113.1"]
ENDPOINT_NAMES = ["real.t", "x.w.t", "elsewhere.u.v"]
OWN = ["10.0.0.0/16", "192.0.2.0/24", "2001:db8:5::/48"]
LABELS = [{}, {}, {"app": "x"}, {"app": "y"}, {"app": "x", "tier": "z"}]
PROBES = ["8.8.8.8", "203.0.113.1", "203.0.113.2", "203.0.113.77", "10.1.2.3", "10.1.9.9",
          "10.9.0.1", "192.0.2.7", "127.0.0.1", "169.254.169.254", "224.0.0.1", "0.0.0.0",
          "100.64.0.1", "198.51.100.1", "2606:4700::1", "2001:db8::1", "2001:db8::2",
          "2001:db8:5::1", "2001:db8:9::1", "fd00:5::1", "fd00:6::1", "fe80::1", "::1",
          "::ffff:10.1.2.3", "::ffff:8.8.8.8", "64:ff9b::203.0.113.1", "64:ff9b::127.0.0.1",
          "64:ff9b::8.8.8.8", "2002:a01:203::1", "10.96.0.1",
          "fd00:96::2", "10.244.0.1", "64:ff9b::192.0.2.7", "10.0.0.1", "172.16.0.1"]
TWIN_TRIES = 8


class Registry:
    """settings: of the daemon; manifests; questions: as judge.c takes them."""

    def __init__(self, seed, questions):
        self.chance = random.Random(seed)
        self.seed = seed
        self.names = 0
        self.settings = self.make_settings()
        chance = self.chance
        self.hosts = chance.sample(HOSTS, chance.randint(2, 7)) + \
            chance.sample(WILDCARDS, chance.randint(0, 4)) + chance.sample(PARTIAL, 1)
        self.services = self.make_services()
        self.manifests = self.services + self.make_pods() + \
            self.make_workload_entries() + self.make_entries() + \
            self.make_sidecars() + self.make_mesh()
        chance.shuffle(self.manifests)
        self.questions = [self.make_question() for _ in range(questions)]

    def likely(self, probability):
        return self.chance.random() < probability

    def make_settings(self):
        chance = self.chance
        return {"mode": chance.choice(["REGISTRY_ONLY"] * 12 + ["ALLOW_ANY", None]),
                "zones": chance.sample(ZONES, chance.choice([0, 0, 1, 1, 2, 3])),
                "own": chance.sample(OWN, chance.randint(0, 3)), "probes": PROBES}

    def metadata(self, namespace):
        self.names += 1
        # names do not come in the order of age
        name = f"{self.chance.choice('klmnopq')}{self.names}"
        metadata = {"name": name, "namespace": namespace}
        if self.likely(0.8):
            metadata["creationTimestamp"] = self.chance.choice(TIMES)
        labels = self.chance.choice(LABELS)
        if labels:
            metadata["labels"] = labels
        return metadata

    # Pods

    def make_pods(self):
        pods = []
        self.sources = ["10.0.9.9", "fd00::99"]  # nobody's
        for number in range(self.chance.randint(0, 7)):
            addresses = self.pod_addresses(number)
            self.sources += addresses
            pod = {"apiVersion": "v1", "kind": "Pod",
                   "metadata": self.metadata(self.chance.choice(NAMESPACES)),
                   "status": {"phase": self.chance.choice(["Running"] * 8 + ["Failed",
                                                                             "Succeeded"]),
                              "podIPs": [{"ip": text} for text in addresses]}}
            if addresses:
                pod["status"]["podIP"] = addresses[0]
            if self.likely(0.1):
                pod["spec"] = {"hostNetwork": True}
            pods.append(pod)
        return pods

    def pod_addresses(self, number):
        if self.likely(0.05):
            number = 1  # somebody else's
        v4, v6 = f"10.0.0.{number}", f"fd00::{number}"
        return self.chance.choice([[v4, v6]] * 5 + [[v6, v4], [v4], [v6], []])

    def make_workload_entries(self):
        manifests = []
        for _ in range(self.chance.choice([0, 0, 1, 3])):
            spec = {"address": self.chance.choice(["172.16.0.1", "fd00:172::1", "vm.u.v"])}
            labels = self.chance.choice(LABELS)
            if labels:
                spec["labels"] = labels
            manifests.append({"apiVersion": "networking.istio.io/v1", "kind": "WorkloadEntry",
                              "metadata": self.metadata(self.chance.choice(NAMESPACES)),
                              "spec": spec})
        return manifests

    # ServiceEntries

    def make_entries(self):
        """Some are made to agree with an earlier one, so that they are merged."""
        entries = []
        for _ in range(self.chance.choice([0, 2, 5, 8, 12, 16])):
            if entries and self.likely(0.2):
                entries.append(self.make_twin(self.chance.choice(entries)))
            else:
                entries.append(self.make_entry())
        return entries

    def make_twin(self, first):
        for _ in range(TWIN_TRIES):
            entry = self.make_entry(first["spec"]["hosts"])
            if entry["spec"].get("resolution") == first["spec"].get("resolution"):
                break
        metadata, spec = entry["metadata"], entry["spec"]
        metadata["namespace"] = first["metadata"]["namespace"]
        metadata.pop("labels", None)
        spec.pop("exportTo", None)
        for key, part, of in (("labels", metadata, first["metadata"]),
                              ("exportTo", spec, first["spec"])):
            if key in of:
                part[key] = of[key]
        return entry

    def make_entry(self, hosts=None):
        chance = self.chance
        metadata = self.metadata(chance.choice(NAMESPACES + [PODLESS]))
        hosts = hosts or chance.sample(self.hosts, chance.choice([1, 1, 1, 2, 3]))
        spec = {"hosts": [self.written(host) for host in hosts]}
        resolution = chance.choice(self.resolutions(hosts))
        if resolution != "NONE" or self.likely(0.5):
            spec["resolution"] = resolution
        spec.update(chance.choice([{}, {}, {"location": "MESH_EXTERNAL"},
                                   {"location": "MESH_INTERNAL"}]))
        self.add_ports(spec, resolution)
        self.add_addresses(spec, resolution)
        self.add_endpoints(spec, resolution)
        export_to = self.make_export(metadata["namespace"])
        if export_to is not None:
            spec["exportTo"] = export_to
        return {"apiVersion": "networking.istio.io/v1", "kind": "ServiceEntry",
                "metadata": metadata, "spec": spec}

    @staticmethod
    def resolutions(hosts):
        """Those that such hosts may have."""
        wild = [host for host in hosts if host.startswith("*")]
        if not wild:
            return ["NONE", "NONE", "STATIC", "DNS", "DNS", "DNS_ROUND_ROBIN"]
        if len(wild) == len(hosts):
            return ["NONE", "NONE", "STATIC", "DNS with endpoints", "DYNAMIC_DNS"]
        return ["NONE", "NONE", "STATIC", "DNS with endpoints"]

    def written(self, host):
        """As a person may have written it."""
        if self.likely(0.1):
            host = host.upper()
        if self.likely(0.1) and not host.endswith("."):
            host += "."
        return host

    def add_ports(self, spec, resolution):
        protocols = PROTOCOLS
        if len(spec["hosts"]) > 1 and resolution != "NONE":
            protocols = SEVERAL_HOSTS
        if resolution == "DYNAMIC_DNS":
            protocols = DYNAMIC
        ports = []
        for number in self.chance.sample(PORTS, self.chance.choice([0, 1, 1, 1, 2, 3])):
            port = {"number": number, "name": f"p{number}"}
            protocol = self.chance.choice(protocols)
            if protocol or self.likely(0.5):
                port["protocol"] = protocol
            ports.append(port)
        if ports or self.likely(0.5):
            spec["ports"] = ports

    def add_addresses(self, spec, resolution):
        chance = self.chance
        addresses = []
        if self.likely(0.5):
            addresses += chance.sample(SINGLE, chance.randint(1, 3))
        if resolution in ("NONE", "STATIC") and self.likely(0.3):
            addresses += chance.sample(RANGES, chance.randint(1, 2))
        if addresses and resolution != "DYNAMIC_DNS":
            spec["addresses"] = addresses

    def add_endpoints(self, spec, resolution):
        if resolution == "NONE" and self.likely(0.1):
            spec["workloadSelector"] = {"labels": {"app": "x"}}
        if resolution in ("NONE", "DYNAMIC_DNS"):
            return
        choice = ENDPOINTS if resolution == "STATIC" else ENDPOINTS + ENDPOINT_NAMES
        count = self.chance.choice([0, 1] if resolution == "DNS_ROUND_ROBIN" else [0, 0, 1, 2, 3])
        if resolution == "DNS with endpoints":
            spec["resolution"] = "DNS"
            count = max(count, 1)
        if self.likely(0.2) and resolution != "DNS with endpoints":
            spec["workloadSelector"] = {"labels": self.chance.choice([{"app": "x"},
                                                                      {"app": "y"}])}
        elif count > 0:
            spec["endpoints"] = [{"address": text}
                                 for text in self.chance.sample(choice, count)]

    def make_export(self, namespace):
        chance = self.chance
        kind = chance.choice(["absent"] * 4 + ["empty", "all", "nobody", "own", "own", "some",
                                               "some", "own and some"])
        if kind in ("absent", "empty", "all", "nobody"):
            return {"absent": None, "empty": [], "all": ["*"], "nobody": ["~"]}[kind]
        own = [chance.choice([".", namespace])]
        if kind == "own":
            return own
        others = [other for other in NAMESPACES if other != namespace]
        some = chance.sample(others, chance.randint(1, len(others)))
        if kind == "own and some":
            some.insert(chance.randint(0, len(some)), own[0])
        return some

    # Services

    def make_services(self):
        """Their names are hosts that entries and questions are about, too."""
        chance = self.chance
        manifests = []
        places = chance.sample([(name, namespace) for name in ("s", "v")
                                for namespace in NAMESPACES], chance.choice([0, 0, 1, 2, 4]))
        for name, namespace in places:
            host = f"{name}.{namespace}.svc.cluster.local"
            self.hosts += [host, chance.choice([f"pod-0.{host}", f"*.{host}"])]
            metadata = {**self.metadata(namespace), "name": name}
            if self.likely(0.4):
                metadata["annotations"] = {"networking.istio.io/exportTo": chance.choice(
                    [".", "*", "~", "a", "d, .", " d,. ", ""])}
            kind = chance.choice(["cluster", "cluster", "headless", "external"])
            spec = {"ports": [{"port": port, "name": f"p{port}",
                               "protocol": chance.choice(["TCP", "TCP", "UDP", "SCTP"])}
                              for port in chance.sample(PORTS, chance.choice([1, 1, 2]))]}
            if kind == "cluster":
                addresses = chance.choice([["10.96.0.1"], ["10.96.0.2", "fd00:96::2"],
                                           ["fd00:96::3"]])
                spec.update({"clusterIP": addresses[0], "clusterIPs": addresses})
            elif kind == "headless":
                spec.update({"clusterIP": "None", "clusterIPs": ["None"]})
                if self.likely(0.2):
                    spec["publishNotReadyAddresses"] = True
                manifests += [self.make_slice(name, namespace)
                              for _ in range(chance.choice([0, 1, 1, 2]))]
            else:
                spec.update({"type": "ExternalName", "externalName":
                             chance.choice(["real.t", "x.w.t", "X.cluster.local"])})
            manifests.append({"apiVersion": "v1", "kind": "Service", "metadata": metadata,
                              "spec": spec})
        return manifests

    def make_slice(self, service, namespace):
        chance = self.chance
        version = chance.choice([4, 4, 6])
        endpoints = []
        for number in range(chance.choice([0, 1, 2, 3])):
            endpoint = {"addresses": [f"10.244.0.{number}" if version == 4
                                      else f"fd00:244::{number}"]}
            if self.likely(0.6):
                endpoint["conditions"] = {"ready": self.likely(0.6)}
            if self.likely(0.5):
                endpoint["hostname"] = f"pod-{chance.randint(0, 1)}"
            endpoints.append(endpoint)
        self.names += 1
        return {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
                "metadata": {"name": f"e{self.names}", "namespace": namespace,
                             "labels": {"kubernetes.io/service-name": service}},
                "addressType": f"IPv{version}", "endpoints": endpoints,
                "ports": [{"name": f"p{port}", "port": port,
                           "protocol": chance.choice(["TCP", "UDP"])}
                          for port in chance.sample(PORTS, 1)]}

    # Sidecars

    def make_sidecars(self):
        return [self.make_sidecar() for _ in range(self.chance.choice([0, 0, 1, 2, 3, 5]))]

    def make_sidecar(self):
        chance = self.chance
        namespace = chance.choice(NAMESPACES + ["istio-system"] * 3 + [PODLESS])
        spec = {}
        if self.likely(0.4):
            labels = chance.choice(LABELS)
            spec["workloadSelector"] = {"labels": labels} if labels else {}
        policy = chance.choice([None] * 4 + [{}, {"mode": "REGISTRY_ONLY"},
                                             {"mode": "ALLOW_ANY"}])
        if policy is not None:
            spec["outboundTrafficPolicy"] = policy
        ports = chance.sample(PORTS, chance.choice([0, 1, 1, 1, 2, 3, 3]))
        egress = [self.make_listener(port) for port in ports]
        if egress and self.likely(0.7):
            del egress[-1]["port"]
        if not egress and policy is None:
            egress = [{"hosts": ["*/*"]}]  # one that says nothing is refused
        if egress or self.likely(0.3):
            spec["egress"] = egress
        return {"apiVersion": "networking.istio.io/v1", "kind": "Sidecar",
                "metadata": self.metadata(namespace), "spec": spec}

    def make_listener(self, port):
        protocol = self.chance.choice(["HTTP", "TCP", "TLS", "HTTP", "HTTP_PROXY"])
        hosts = [self.make_import() for _ in range(self.chance.choice([1, 1, 2, 3]))]
        if self.likely(0.2):
            hosts = ["*/*", self.make_import("~.")]
        return {"port": {"number": port, "protocol": protocol, "name": f"p{port}"},
                "hosts": sorted(set(hosts))}

    def make_import(self, namespace=None):
        chance = self.chance
        if namespace is None:
            namespace = chance.choice(["*", "*", ".", "."] + NAMESPACES + [PODLESS])
            if self.likely(0.15):
                namespace = chance.choice(["~", "~.", "~a", "~b", "~d"])
        host = chance.choice(["*", "*", "*", "full", "full", "below", "other"])
        if host == "full":
            host = chance.choice(self.hosts)
        elif host == "below":
            host = f"*.{chance.choice(self.hosts).removeprefix('*.')}"
        elif host == "other":
            host = chance.choice(WILDCARDS)
        if "*" in host[1:] or (host[0] == "*" and host[1:2] != ".") or "." not in host:
            host = "*"  # no pattern of a Sidecar's
        return f"{namespace}/{host}"

    # The mesh

    def make_mesh(self):
        """Fields stand in an IstioOperator, in the mesh's ConfigMap, or in both."""
        fields = self.mesh_fields()
        manifests = []
        places = [{}, {}]
        for key, value in fields.items():
            for place in self.chance.choice([places[:1], places[1:], places]):
                place[key] = value
        if places[0] or self.likely(0.1):
            manifests.append({"apiVersion": "install.istio.io/v1alpha1", "kind": "IstioOperator",
                              "metadata": {"name": "mesh", "namespace": "istio-system"},
                              "spec": {"meshConfig": places[0]}})
        if places[1] or self.likely(0.1):
            manifests.append({"apiVersion": "v1", "kind": "ConfigMap",
                              "metadata": {"name": "istio", "namespace": "istio-system"},
                              "data": {"mesh": json.dumps(places[1])}})
        return manifests + self.make_namespaces()

    def mesh_fields(self):
        chance = self.chance
        fields = {}
        policy = chance.choice([None] * 12 + [{}, {"mode": "REGISTRY_ONLY"}, {"mode": "ALLOW_ANY"},
                                              {"mode": "ALLOW_ANY_DYNAMIC_DNS"}])
        if policy is not None:
            fields["outboundTrafficPolicy"] = policy
        if self.likely(0.3):
            fields["defaultServiceExportTo"] = chance.choice(
                [[], ["*"], ["."], ["."], ["~"], ["a"], ["b", "."], ["b", "c"]])
        if self.likely(0.3):
            fields["discoverySelectors"] = [self.make_selector()
                                            for _ in range(chance.choice([0, 1, 1, 2]))]
        if self.likely(0.2):
            fields["rootNamespace"] = chance.choice(["istio-system", "c"])
        return fields

    def make_selector(self):
        chance = self.chance
        selector = {}
        labels = chance.choice(LABELS + [{"kubernetes.io/metadata.name": "a"}])
        if labels or self.likely(0.2):
            selector["matchLabels"] = labels
        expressions = []
        for _ in range(chance.choice([0, 0, 1, 2])):
            operator = chance.choice(["In", "NotIn", "Exists", "DoesNotExist"])
            key = chance.choice(["app", "tier", "kubernetes.io/metadata.name"])
            expression = {"key": key, "operator": operator}
            if operator in ("In", "NotIn"):
                expression["values"] = chance.sample(["x", "y", "z", "a", "b"],
                                                     chance.randint(1, 3))
            expressions.append(expression)
        if expressions:
            selector["matchExpressions"] = expressions
        return selector

    def make_namespaces(self):
        namespaces = []
        for name in NAMESPACES + [PODLESS]:
            if self.likely(0.8):
                labels = self.chance.choice(LABELS)
                metadata = {"name": name, **({"labels": labels} if labels else {})}
                namespaces.append({"apiVersion": "v1", "kind": "Namespace",
                                   "metadata": metadata})
        return namespaces

    # Questions

    def make_question(self):
        source = self.chance.choice(self.sources)
        kind = self.chance.random()
        if kind < 0.7:
            return f"judge {source} {self.make_name()}"
        if kind < 0.98:
            return self.make_reach(source)
        return f"mode {source}"

    def make_reach(self, source):
        """Mostly of what some entry lists, from an address of its family."""
        chance = self.chance
        address, port = chance.choice(PROBES + SINGLE), chance.choice(PORTS + [1])
        listed = [m["spec"] for m in self.manifests
                  if m["kind"] == "ServiceEntry" and m["spec"].get("addresses")]
        if listed and self.likely(0.9):
            spec = chance.choice(listed)
            address = chance.choice(spec["addresses"]).split("/")[0]
            if spec.get("ports") and self.likely(0.9):
                port = chance.choice(spec["ports"])["number"]
        fitting = [text for text in self.sources if (":" in text) == (":" in address)]
        if fitting and self.likely(0.95):
            source = chance.choice(fitting)
        return f"reach {source} {address} {port} {chance.choice([6, 6, 6, 17])}"

    def make_name(self):
        chance = self.chance
        host = chance.choice(self.hosts) if self.likely(0.9) else \
            chance.choice(HOSTS + ZONES + ["nothing.at.all"])
        kind = chance.random()
        if host.startswith("*."):
            host = host[2:]
            if kind < 0.6:
                host = f"{chance.choice(['x', 'y', 'q', '*', 'x.n'])}.{host}"
        elif host.startswith("*"):
            host = "q" + host[1:]
        if 0.6 < kind < 0.75 and "." in host:
            host = host.split(".", 1)[1]
        elif 0.75 < kind < 0.9:
            host = f"{chance.choice(['x', 'y', 'q.r'])}.{host}"
        elif kind > 0.99:
            return "."
        return self.written(host)
