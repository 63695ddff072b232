# SPDX-License-Identifier: Apache-2.0
"""What a registry means, told a second time: as plainly as it can be, in lists and loops.

Takes manifests as kubectl prints them, as Python dicts that are known to be valid, and gives
the verdicts of policy/registry/registry.h in the words of tests/model/judge.c. Nothing here was
written after the code in policy/: where the two differ, one of them is wrong.

An address is (4 or 6, number), a prefix is (4 or 6, number, length).
"""

import datetime
import functools
import ipaddress
import json

TCP, UDP = 6, 17
REGISTRY_ONLY, ALLOW_ANY = "REGISTRY_ONLY", "ALLOW_ANY"
RESOLUTIONS = {"NONE": 0, "STATIC": 1, "DNS": 2, "DNS_ROUND_ROBIN": 3, "DYNAMIC_DNS": 4}
EVERYBODY = "*"  # as the audience of a definition

CLUSTER_DOMAIN = "cluster.local"

PUBLIC, PRIVATE, NEVER = "public", "private", "never"


# Addresses

def address_of(text):
    value = ipaddress.ip_address(text)
    return value.version, int(value)


def prefix_of(text):
    value = ipaddress.ip_network(text, strict=False)
    return value.version, int(value.network_address), value.prefixlen


def address_text(address):
    version, value = address
    make = ipaddress.IPv4Address if version == 4 else ipaddress.IPv6Address
    return str(make(value))


def contains(prefix, address):
    version, network, length = prefix
    shift = (32 if version == 4 else 128) - length
    return version == address[0] and network >> shift == address[1] >> shift


RANGES = [(prefix_of(text), kind) for text, kind in (
    ("169.254.169.254/32", NEVER), ("fd00:ec2::254/128", NEVER),  # metadata
    ("0.0.0.0/8", NEVER), ("127.0.0.0/8", NEVER), ("169.254.0.0/16", NEVER),
    ("192.0.0.0/24", NEVER), ("198.18.0.0/15", NEVER), ("224.0.0.0/3", NEVER),
    ("10.0.0.0/8", PRIVATE), ("172.16.0.0/12", PRIVATE), ("192.168.0.0/16", PRIVATE),
    ("100.64.0.0/10", PRIVATE),
    ("::/96", NEVER), ("::ffff:0:0/96", NEVER), ("64:ff9b:1::/48", NEVER),
    ("100::/64", NEVER), ("5f00::/16", NEVER), ("2001::/32", NEVER),
    ("fe80::/10", NEVER), ("ff00::/8", NEVER),
    ("fc00::/7", PRIVATE), ("fec0::/10", PRIVATE))]
MAPPED, NAT64, SIX_TO_FOUR = (
    prefix_of(text) for text in ("::ffff:0:0/96", "64:ff9b::/96", "2002::/16"))


def unwrap(address):
    """The IPv4 address that an IPv6 one leads to, else the address itself."""
    if contains(MAPPED, address) or contains(NAT64, address):
        return 4, address[1] & 0xffffffff
    if contains(SIX_TO_FOUR, address):
        return 4, address[1] >> 80 & 0xffffffff
    return address


@functools.lru_cache(maxsize=None)
def range_of(address):
    if contains(MAPPED, address):
        return NEVER  # nobody ought to answer with one
    for prefix, kind in RANGES:
        if contains(prefix, unwrap(address)):
            return kind
    return PUBLIC


# Names, as lists of labels in lower case

def labels_of(text):
    return text.lower().removesuffix(".").split(".") if text != "." else []


def is_below(name, parent):
    return len(name) > len(parent) and name[len(name) - len(parent):] == parent


def is_within(name, parent):
    return name == parent or is_below(name, parent)


def zone_of(name, zones):
    """The index of the longest zone that the name lies in, or -1."""
    around = [zone for zone in zones if is_within(name, zone)]
    return zones.index(max(around, key=len)) if around else -1


class Pattern:
    """A host of an entry: a name, "*.rest", or "*rest", which matches nothing here."""

    def __init__(self, text):
        self.text = text
        self.labels = labels_of(text)
        self.wildcard = self.labels[0] == "*"
        self.partial = not self.wildcard and self.labels[0].startswith("*")
        self.rest = self.labels[1:] if self.wildcard else self.labels

    def matches(self, name):
        return is_below(name, self.rest) if self.wildcard else name == self.rest

    def has_above(self, name):
        """Is the name above something that the host matches, and not matched itself?"""
        return is_within(self.rest, name) if self.wildcard else is_below(self.rest, name)


# Objects

def created(metadata):
    text = metadata.get("creationTimestamp")
    if text is None:
        return 0
    return int(datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp())


class Pod:
    def __init__(self, manifest):
        metadata = manifest["metadata"]
        status = manifest.get("status") or {}
        self.namespace = metadata.get("namespace", "default")
        self.name = metadata["name"]
        self.labels = metadata.get("labels") or {}
        self.addresses = []
        if (manifest.get("spec") or {}).get("hostNetwork"):
            return
        if status.get("phase") in ("Succeeded", "Failed"):
            return
        texts = [status.get("podIP")] + [ip.get("ip") for ip in status.get("podIPs") or []]
        for text in texts:
            if text and address_of(text) not in self.addresses:
                self.addresses.append(address_of(text))


def subset(inner, outer):
    """Is every name that the host inner matches one that the pattern outer does?"""
    if not outer.wildcard:
        return not inner.wildcard and inner.rest == outer.rest
    return is_within(inner.rest, outer.rest) if inner.wildcard else \
        is_below(inner.rest, outer.rest)


class Import:
    """NAMESPACE/HOST of a listener; "~" in front takes away."""

    def __init__(self, text):
        self.away = text.startswith("~")
        self.namespace, host = text.removeprefix("~").split("/")
        self.pattern = None if host == "*" else Pattern(host)

    def covers(self, definition, viewer):
        """viewer: the namespace of the pod, None when it is not known."""
        if self.namespace not in ("*", ""):
            namespace = viewer if self.namespace == "." else self.namespace
            if namespace != definition.namespace:
                return False
        return self.pattern is None or subset(definition.pattern, self.pattern)


class Listener:
    def __init__(self, egress):
        port = egress.get("port") or {}
        self.port = port.get("number")
        self.trims = self.port is not None and port["protocol"].upper() != "HTTP_PROXY"
        self.imports = [Import(text) for text in egress["hosts"]]

    def has(self, definition, viewer):
        hits = [i.away for i in self.imports if i.covers(definition, viewer)]
        return bool(hits) and not any(hits)

    def ports(self, definition, others):
        """Those that it serves; others: ports with a listener of their own. None: it does
        not import the definition."""
        ports = definition.ports()
        if self.port is None:
            return [port for port in ports if port[0] not in others]
        if not self.trims:
            return ports
        return [port for port in ports if port[0] == self.port] or None


class Sidecar:
    def __init__(self, manifest):
        metadata, spec = manifest["metadata"], manifest["spec"]
        self.namespace = metadata.get("namespace", "default")
        self.age = created(metadata), metadata["name"], self.namespace
        selector = spec.get("workloadSelector")
        self.selector = None if selector is None else selector.get("labels") or {}
        policy = spec.get("outboundTrafficPolicy")
        self.mode = None if policy is None else policy_mode(policy)
        self.listeners = [Listener(egress) for egress in
                          spec.get("egress") or [{"hosts": ["*/*"]}]]

    def selects(self, pod):
        return self.selector is not None and \
            all(pod.labels.get(key) == value for key, value in self.selector.items())


EVERYTHING = [Listener({"hosts": ["*/*"]})]  # without a Sidecar


def audience(export_to, namespace):
    """EVERYBODY, or the list of namespaces that see it."""
    if EVERYBODY in export_to:
        return EVERYBODY
    if "~" in export_to:
        return []
    return sorted(namespace if element == "." else element for element in export_to)


def selects(selector, labels):
    """A Kubernetes label selector."""
    for key, value in (selector.get("matchLabels") or {}).items():
        if labels.get(key) != value:
            return False
    for expression in selector.get("matchExpressions") or []:
        key, values = expression["key"], expression.get("values") or []
        holds = {"In": key in labels and labels[key] in values,
                 "NotIn": key not in labels or labels[key] not in values,
                 "Exists": key in labels,
                 "DoesNotExist": key not in labels}
        if not holds[expression["operator"]]:
            return False
    return True


class Mesh:
    """What the configuration says, and manifests in its stead, field by field."""

    def __init__(self, settings, manifests):
        self.mode = settings["mode"] or ALLOW_ANY
        self.default_export = [EVERYBODY]
        self.root = "istio-system"
        self.discovery = []
        for manifest in manifests:
            if manifest["kind"] == "IstioOperator":
                self.read(manifest["spec"]["meshConfig"])
            elif manifest["kind"] == "ConfigMap":
                self.read(json.loads(manifest["data"]["mesh"]))

    def read(self, fields):
        policy = fields.get("outboundTrafficPolicy")
        if policy is not None:
            self.mode = policy_mode(policy)
        self.default_export = fields.get("defaultServiceExportTo") or self.default_export
        self.root = fields.get("rootNamespace") or self.root
        self.discovery = fields.get("discoverySelectors") or self.discovery


def policy_mode(policy):
    """Of an outboundTrafficPolicy that is there."""
    mode = policy.get("mode") or REGISTRY_ONLY
    return REGISTRY_ONLY if mode == REGISTRY_ONLY else ALLOW_ANY


class Entry:
    """A ServiceEntry."""

    def __init__(self, manifest, default_export, workloads):
        metadata, spec = manifest["metadata"], manifest["spec"]
        self.kind = "ServiceEntry"
        self.namespace = metadata.get("namespace", "default")
        self.name = metadata["name"]
        self.age = created(metadata), self.namespace, self.name
        self.labels = metadata.get("labels") or {}
        self.hosts = [Pattern(text) for text in spec["hosts"]]
        self.resolution = spec.get("resolution") or "NONE"
        self.internal = spec.get("location") == "MESH_INTERNAL"
        self.ports = [(int(port["number"]),
                       UDP if port.get("protocol", "").upper() == "UDP" else TCP)
                      for port in spec.get("ports") or []]
        self.addresses = [prefix_of(text) for text in spec.get("addresses") or []]
        selector = spec.get("workloadSelector")
        self.selector = None if selector is None else selector.get("labels") or {}
        texts = [endpoint["address"] for endpoint in spec.get("endpoints") or []]
        for namespace, labels, addresses in workloads:
            if selector is not None and namespace == self.namespace and \
                    selects({"matchLabels": self.selector}, labels):
                texts += addresses
        self.endpoints, self.targets = [], []
        for text in texts:
            try:
                self.endpoints.append(prefix_of(text))
            except ValueError:
                self.targets.append(".".join(labels_of(text)))
        if self.resolution in ("NONE", "STATIC"):
            self.targets = []  # no names are asked in their stead
        if self.resolution == "NONE" and self.endpoints:
            self.resolution = "STATIC"  # those that it selects are answered
        self.has_endpoints = bool(spec.get("endpoints")) or selector is not None
        self.audience = audience(spec.get("exportTo") or default_export, self.namespace)

    def is_service(self):
        return False

    def agrees_with(self, other):
        return (not other.is_service() and self.resolution == other.resolution and
                self.labels == other.labels and
                self.selector == other.selector and self.audience == other.audience)


class Service:
    """A Kubernetes Service as the entry that would say the same."""

    def __init__(self, manifest, slices, default_export, zones):
        metadata, spec = manifest["metadata"], manifest["spec"]
        self.kind = "Service"
        self.namespace = metadata.get("namespace", "default")
        self.name = metadata["name"]
        self.age = created(metadata), self.namespace, self.name
        self.hosts = [Pattern(f"{self.name}.{self.namespace}.svc.{CLUSTER_DOMAIN}")]
        self.internal = True
        self.ports = service_ports(spec.get("ports") or [], "port")
        self.addresses, self.targets = [], []
        self.resolution = "STATIC"
        self.slices = [piece for piece in slices
                       if piece["metadata"]["namespace"] == self.namespace and
                       piece["metadata"]["labels"]["kubernetes.io/service-name"] == self.name]
        self.not_ready_too = spec.get("publishNotReadyAddresses") or False
        self.headless = spec.get("clusterIP") == "None"
        self.endpoints = [prefix_of(text) for text in spec.get("clusterIPs") or []
                          if text != "None"]
        if self.headless:
            self.endpoints = self.ready(None)
            for piece in self.slices:
                self.ports += service_ports(piece.get("ports") or [], "port")
        if spec.get("type") == "ExternalName":
            self.resolution = "DNS"
            name = labels_of(spec["externalName"])
            self.targets = [".".join(name)]
            self.internal = any(is_within(name, zone)
                                for zone in [*zones, labels_of(CLUSTER_DOMAIN)])
        self.has_endpoints = True
        annotation = (metadata.get("annotations") or {}).get("networking.istio.io/exportTo")
        words = [word.strip() for word in (annotation or "").split(",") if word.strip()]
        self.audience = audience(words or default_export, self.namespace)

    def ready(self, hostname):
        """The addresses of the ready endpoints, or of those with this hostname."""
        return [prefix_of(text) for piece in self.slices for endpoint in piece["endpoints"]
                for text in endpoint["addresses"]
                if (self.not_ready_too or
                    (endpoint.get("conditions") or {}).get("ready") is not False)
                and hostname in (None, endpoint.get("hostname"))]

    def members(self):
        """The hosts that a headless one's endpoints are."""
        if not self.headless:
            return []
        names = sorted(set(endpoint["hostname"] for piece in self.slices
                           for endpoint in piece["endpoints"] if endpoint.get("hostname")))
        return [member for member in (Member(self, name) for name in names)
                if member.endpoints]

    def is_service(self):
        return True

    def agrees_with(self, other):
        return False


class Member(Service):
    """An endpoint of a headless Service that has a name of its own."""

    def __init__(self, service, hostname):
        self.__dict__.update(service.__dict__)
        self.headless = False
        self.hosts = [Pattern(f"{hostname}.{service.hosts[0].text}")]
        self.endpoints = service.ready(hostname)


def service_ports(ports, key):
    of = {"TCP": TCP, "UDP": UDP}
    return [(port[key], of[port.get("protocol", "TCP")]) for port in ports
            if port.get("protocol", "TCP") in of]


class Definition:
    """What one namespace says of one host: its oldest entry and those that agree with it."""

    def __init__(self, pattern, entry):
        self.pattern = pattern
        self.oldest = entry
        self.parts = [entry]
        self.namespace = entry.namespace

    def defines(self, pattern):
        return pattern.labels == self.pattern.labels

    def ports(self):
        ports = []
        for part in self.parts:
            ports += [port for port in part.ports if port not in ports]
        return ports

    def exported_to(self, namespace):
        return self.oldest.audience == EVERYBODY or namespace in self.oldest.audience

    def internal(self):
        """One of them that leads outside makes the host one that leads outside."""
        return all(part.internal for part in self.parts)

    def zone(self, zones):
        """That a Service is asked in, or -1."""
        return zone_of(self.pattern.labels, zones) if self.oldest.is_service() else -1

    def lists(self, address):
        prefixes = [prefix for part in self.parts for prefix in part.addresses + part.endpoints]
        return any(contains(prefix, form) for prefix in prefixes
                   for form in (address, unwrap(address)))

    def asks_nobody(self):
        """No name is asked for the answer: neither an endpoint's nor the host's own."""
        if self.oldest.resolution == "STATIC":
            return True
        if self.oldest.resolution == "NONE":
            return False
        with_endpoints = [part.has_endpoints for part in self.parts]
        return all(with_endpoints) and not any(part.targets for part in self.parts)

    def permits(self, address, own, zones):
        """May an answer for the host hold this address?"""
        if self.lists(address):
            return True
        if self.asks_nobody() and self.zone(zones) < 0:
            return False
        if range_of(address) == NEVER:
            return False
        if self.internal():
            return True
        return range_of(address) == PUBLIC and \
            not any(contains(prefix, unwrap(address)) for prefix in own)

    def targets(self, zones):
        """The endpoints' names, each with the zone that it lies in. A part without
        endpoints, beside one that has them, asks the host itself."""
        names = [target for part in self.parts for target in part.targets]
        if self.oldest.resolution.startswith("DNS") and \
                any(part.has_endpoints for part in self.parts) and \
                not all(part.has_endpoints for part in self.parts):
            names.append(".".join(self.pattern.labels))
        return [f"{name}@{zone_of(labels_of(name), zones)}" for name in sorted(set(names))]

    def answer(self):
        """What is answered without a question."""
        single = [prefix[:2] for part in self.parts for prefix in part.addresses
                  if self.oldest.resolution == "STATIC"
                  and prefix[2] == (32 if prefix[0] == 4 else 128)]
        return single or [prefix[:2] for part in self.parts for prefix in part.endpoints]


class Seen:
    """A definition as one workload sees it: on which ports."""

    def __init__(self, definition, ports):
        self.definition = definition
        self.ports = ports

    def same(self, other):
        return self.definition is other.definition and sorted(self.ports) == sorted(other.ports)

    def opens(self, address, port):
        """Without a lookup."""
        return port in self.ports and any(
            port in part.ports and any(contains(prefix, address) for prefix in part.addresses)
            for part in self.definition.parts)


class Registry:
    def __init__(self, manifests, settings):
        self.zones = [labels_of(zone) for zone in settings["zones"]]
        self.own = [prefix_of(text) for text in settings["own"]]
        self.probes = [address_of(text) for text in settings["probes"]]
        self.mesh = Mesh(settings, manifests)
        of_kind = {}
        for manifest in manifests:
            of_kind.setdefault(manifest["kind"], []).append(manifest)
        self.discovered = None  # every namespace
        if self.mesh.discovery:
            self.discovered = [m["metadata"]["name"] for m in of_kind.get("Namespace", [])
                               if self.is_discovered(m)]
        self.pods = [Pod(manifest) for manifest in of_kind.get("Pod", [])]
        workloads = [(pod.namespace, pod.labels, [address_text(a) for a in pod.addresses])
                     for pod in self.pods]
        for manifest in of_kind.get("WorkloadEntry", []):
            metadata, spec = manifest["metadata"], manifest["spec"]
            labels = {**(spec.get("labels") or {}), **(metadata.get("labels") or {})}
            workloads.append((metadata["namespace"], labels, [spec["address"]]))
        entries = [Entry(manifest, self.mesh.default_export, workloads)
                   for manifest in of_kind.get("ServiceEntry", [])]
        self.entries = [entry for entry in entries if self.is_seen(entry)]
        self.services = []
        for manifest in of_kind.get("Service", []):
            service = Service(manifest, of_kind.get("EndpointSlice", []),
                              self.mesh.default_export, self.zones)
            if self.is_seen(service):
                self.services += [service] + service.members()
        sidecars = [Sidecar(manifest) for manifest in of_kind.get("Sidecar", [])]
        self.sidecars = sorted((sidecar for sidecar in sidecars if self.is_seen(sidecar)),
                               key=lambda sidecar: sidecar.age)
        self.services.sort(key=lambda service: service.age)
        self.entries.sort(key=lambda entry: entry.age)
        self.define()
        self.views = {}

    def is_seen(self, thing):
        return self.discovered is None or thing.namespace in self.discovered

    def is_discovered(self, namespace):
        metadata = namespace["metadata"]
        labels = {**(metadata.get("labels") or {}),
                  "kubernetes.io/metadata.name": metadata["name"]}
        return any(selects(selector, labels) for selector in self.mesh.discovery)

    def define(self):
        self.definitions = []
        for entry in self.services + self.entries:
            for pattern in entry.hosts:
                if pattern.partial:
                    continue  # it matches nothing, so nobody sees it
                for definition in self.definitions:
                    if definition.namespace == entry.namespace and \
                            definition.defines(pattern):
                        if definition.oldest.agrees_with(entry) and \
                                entry not in definition.parts:
                            definition.parts.append(entry)
                        break
                else:
                    self.definitions.append(Definition(pattern, entry))

    # Who asks

    def pod_at(self, source):
        """The pod with this address; an address that two claim is nobody's."""
        pods = [pod for pod in self.pods if source in pod.addresses]
        return pods[0] if len(pods) == 1 else None

    def pod_count(self):
        """Pods that some address is known to belong to."""
        return len([pod for pod in self.pods
                    if any(self.pod_at(address) is pod for address in pod.addresses)])

    def sidecar_of(self, pod):
        """The one that applies, or None. pod may be None: one that is not known."""
        if pod:
            for sidecar in self.sidecars:
                if sidecar.namespace == pod.namespace and sidecar.selects(pod):
                    return sidecar
        return self.sidecar_in(pod.namespace if pod else None)

    def sidecar_in(self, namespace):
        """For pods of this namespace that no selector is for."""
        for place in (namespace, self.mesh.root):
            for sidecar in self.sidecars:
                if sidecar.namespace == place and sidecar.selector is None:
                    return sidecar
        return None

    def mode(self):
        """The strictest."""
        modes = [self.mesh.mode] + [sidecar.mode for sidecar in self.sidecars]
        return REGISTRY_ONLY if REGISTRY_ONLY in modes else ALLOW_ANY

    def mode_of(self, pod):
        if not pod:
            return self.mode()
        sidecar = self.sidecar_of(pod)
        return sidecar.mode if sidecar and sidecar.mode else self.mesh.mode

    # What they see

    def view(self, pod):
        """The list of what a pod (None: one that is not known) sees."""
        if pod not in self.views:
            self.views[pod] = self.look(pod.namespace if pod else None, self.sidecar_of(pod))
        return self.views[pod]

    def seen_by_all(self):
        """What an unknown pod, every pod and every namespace that is told of see, with a
        Sidecar and without."""
        namespaces = [sidecar.namespace for sidecar in self.sidecars]
        for entry in self.services + self.entries:
            namespaces.append(entry.namespace)
            if entry.audience != EVERYBODY:
                namespaces += entry.audience
        views = [self.look(namespace, self.sidecar_in(namespace))
                 for namespace in sorted(set(namespaces))]
        views += [self.look(namespace, None) for namespace in sorted(set(namespaces))]
        views += [self.look(sidecar.namespace, sidecar) for sidecar in self.sidecars
                  if sidecar.selector is not None]
        views += [self.view(pod) for pod in self.pods if pod.addresses]
        return [s for s in self.view(None)
                if all(any(s.same(other) for other in view) for view in views)]

    def look(self, viewer, sidecar):
        """Of each host what the first listener that imports it chooses, with its ports of
        all listeners."""
        listeners = sidecar.listeners if sidecar else EVERYTHING
        taken = [listener.port for listener in listeners]
        seen = []
        for listener in listeners:
            for definition, ports in self.choose(viewer, listener, taken):
                for earlier in seen:
                    if earlier.definition.defines(definition.pattern):
                        if earlier.definition is definition:
                            earlier.ports += [p for p in ports if p not in earlier.ports]
                        break
                else:
                    seen.append(Seen(definition, list(ports)))
        return seen

    def choose(self, viewer, listener, taken):
        """Of each host that the listener imports the best definition, with its ports."""
        chosen = []
        for definition in self.definitions:
            if not definition.exported_to(viewer) or not listener.has(definition, viewer):
                continue
            ports = listener.ports(definition, taken)
            if ports is None:
                continue
            for index, (rival, _) in enumerate(chosen):
                if rival.defines(definition.pattern):
                    if self.better(rival, definition, viewer) is definition:
                        chosen[index] = definition, ports
                    break
            else:
                chosen.append((definition, ports))
        return chosen

    @staticmethod
    def better(first, second, namespace):
        for wins in (lambda d: d.namespace == namespace,
                     lambda d: d.oldest.is_service(),
                     lambda d: d.oldest.audience != EVERYBODY):
            if wins(first) != wins(second):
                return first if wins(first) else second
        return first if first.oldest.age < second.oldest.age else second

    # Answers

    def judge(self, source, text):
        pod = self.pod_at(source)
        name = labels_of(text)
        zone = zone_of(name, self.zones)
        if zone >= 0:
            return self.judge_in_zone(pod, name, zone)
        if self.mode_of(pod) == ALLOW_ANY:
            return "open"
        seen = [s for s in self.view(pod) if s.definition.pattern.matches(name)]
        if seen:
            # an exact host is as long as the name, a wildcard's rest is shorter
            return self.host_text(max(seen, key=lambda s: len(s.definition.pattern.rest)))
        if any(s.definition.pattern.has_above(name) for s in self.view(pod)) or \
                any(is_below(zone, name) for zone in self.zones):
            return "parent"
        return self.why_not([d for d in self.definitions if d.pattern.matches(name)], pod)

    def judge_in_zone(self, pod, name, zone):
        """A Service there, and what lies below its name, is only for who sees it."""
        hosts = [s.hosts[0] for s in self.services if is_within(name, s.hosts[0].labels)
                 and zone_of(s.hosts[0].labels, self.zones) == zone]
        if not hosts or self.mode_of(pod) == ALLOW_ANY:
            return f"zone {zone}"
        host = max(hosts, key=lambda pattern: len(pattern.labels))
        for seen in self.view(pod):
            if seen.definition.defines(host):
                if seen.definition.oldest.is_service():
                    return self.host_text(seen)
                return f"zone {zone}"
        return self.why_not([d for d in self.definitions if d.defines(host)], pod)

    @staticmethod
    def why_not(hidden, pod):
        if any(d.exported_to(pod.namespace if pod else None) for d in hidden):
            return "not imported"
        return "not exported" if hidden else "not registered"

    def host_text(self, seen):
        definition = seen.definition
        oldest = definition.oldest
        text = (f"host {oldest.kind} {oldest.namespace}/{oldest.name} {definition.pattern.text}"
                f" resolution={RESOLUTIONS[oldest.resolution]}"
                f"{' internal' if definition.internal() else ''}"
                f" ports={','.join(f'{n}/{p}' for n, p in seen.ports)} permits=")
        text += "".join(str(int(definition.permits(probe, self.own, self.zones)))
                        for probe in self.probes)
        zone = definition.zone(self.zones)
        if zone >= 0:
            return f"{text} zone={zone}"
        if definition.targets(self.zones):
            text += f" targets={','.join(definition.targets(self.zones))}"
        if definition.answer():
            text += f" static={','.join(address_text(a) for a in definition.answer())}"
        return text

    def reach(self, source, address, port, proto):
        pod = self.pod_at(source)
        if self.mode_of(pod) == ALLOW_ANY:
            return "anything"
        if source[0] != address[0]:
            return "shut"
        # the kernel cannot tell an unknown pod from others: only what is there for all is
        # open to it
        seen = self.view(pod) if pod else self.seen_by_all()
        if any(s.opens(address, (port, proto)) for s in seen):
            return "open"
        return "shut"
