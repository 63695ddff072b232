# SPDX-License-Identifier: Apache-2.0
"""The three scenes, told as they happen:

    demo.py [--egressd PATH] [--egressctl PATH]

A pod runs curl, a node runs egressd as shipped, and a small internet serves google.com.
Ends with 0 when all went as it ought to, 1 when anything did not, 2 when it could not run.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import manifests  # noqa: E402
import nft  # noqa: E402
import reach  # noqa: E402
import zone  # noqa: E402
from build import program  # noqa: E402
from daemon import Daemon, Record  # noqa: E402
from lab import Lab, Pod  # noqa: E402
from witness import Witness, to  # noqa: E402

AGAIN = "EGRESSD_DEMO_IN_NAMESPACE"
GOOGLE = manifests.service_entry("google.com", name="google-ext")
SOON_S = 0.5  # "fails at once", curl's own start included
LOG_DEADLINE_S = 5


class Story:
    """Prints what is tried, what ought to happen and what did; remembers what differed."""

    def __init__(self, lab: Lab, daemon: Daemon, witness: Witness) -> None:
        self.lab = lab
        self.daemon = daemon
        self.witness = witness
        self.pod = lab.pods[0]
        self.differences = 0

    def check(self, fine: bool, what: str) -> None:
        print(f"    {'as expected' if fine else 'DIFFERENT'}: {what}", flush=True)
        self.differences += not fine

    def scene(self, number: int, title: str) -> None:
        print(f"\nScene {number}: {title}\n", flush=True)

    def curl(self, url: str, expected: str, *, status: str = "000", exit_code: int = 0,
             ) -> None:
        print(f"  default/sleep$ curl -I {url}\n    expected:    {expected}", flush=True)
        page = reach.curl(self.pod.namespace, url, self.lab.internet.ca_file)
        print(f"    seen:        {page.line}")
        fine = (page.status, page.exit) == (status, exit_code)
        if exit_code:
            fine = fine and page.took_s < SOON_S
        self.check(fine, f"exit status {page.exit}, after {page.took_s * 1000:.0f} ms")

    def log_line(self, since: int) -> None:
        """The record of the refusal that just happened."""
        record: Record = self.daemon.log.wait_for(
            lambda r: r["event"] == "refused_lookup" and r.get("EGRESSD_NAME") == "google.com",
            LOG_DEADLINE_S, since)
        print(f"    log:         {record['message']}")
        self.check((record.get("EGRESSD_POD"), record.get("EGRESSD_REASON"))
                   == ("default/sleep", "not-registered"), "it names the pod, name and reason")

    def refused_line(self, since: int, address: str, port: int, reason: str) -> None:
        """The record of the connection that was just refused."""
        record: Record = self.daemon.log.wait_for(
            lambda r: r["event"] == "refused_connection" and r["EGRESSD_ADDRESS"] == address
            and r.get("EGRESSD_PORT") == str(port), LOG_DEADLINE_S, since)
        print(f"    log:         {record['message']}")
        self.check((record.get("EGRESSD_POD"), record.get("EGRESSD_REASON"))
                   == ("default/sleep", reason), "it names the pod, address, port and reason")

    def kernel_set(self, expected: list[str]) -> None:
        for family in (4, 6):
            for line in nft.lease_text(self.lab.node, family).splitlines():
                print(f"    {line}")
        held = sorted(f"{e.pod} . {e.destination} . {e.proto} . {e.port}"
                      for e in self.daemon.leases())
        self.check(held == sorted(expected), f"{len(held)} leases in the kernel")

    def uplink(self, mark: int, *destinations: str) -> None:
        seen = self.witness.since(mark)
        try:
            self.witness.only(mark, to(destinations, 443))
            self.check(True, f"on the uplink ({len(seen)} packets): nothing else")
        except AssertionError as e:
            self.check(False, str(e))


def allow_any(story: Story) -> None:
    story.scene(1, "no outboundTrafficPolicy, which means ALLOW_ANY")
    story.curl("https://google.com", "HTTP 200", status="200")
    story.curl("http://google.com", "HTTP 200", status="200")


def registry_only(story: Story, pod: manifests.Manifest) -> None:
    story.scene(2, "outboundTrafficPolicy: {mode: REGISTRY_ONLY}, then SIGHUP")
    story.daemon.load(pod)
    mark, log = story.witness.mark(), story.daemon.log.mark()
    story.curl("https://google.com", "the name does not resolve, at once",
               exit_code=reach.CURL_NO_NAME)
    story.log_line(log)
    for address, host in ((zone.GOOGLE4, zone.GOOGLE4), (zone.GOOGLE6, f"[{zone.GOOGLE6}]")):
        story.curl(f"https://{host}", "the bare address is refused, at once",
                   exit_code=reach.CURL_NO_CONNECTION)
        story.refused_line(log, address, 443, "unlisted")
    story.kernel_set([])
    story.uplink(mark)


def entry_added(story: Story, pod: manifests.Manifest) -> None:
    story.scene(3, "a ServiceEntry for google.com, port 443/HTTPS, then SIGHUP")
    story.daemon.load(pod, GOOGLE)
    mark, log = story.witness.mark(), story.daemon.log.mark()
    story.curl("https://google.com", "HTTP 200", status="200")
    story.curl("http://google.com", "port 80 is refused, at once",
               exit_code=reach.CURL_NO_CONNECTION)
    story.refused_line(log, zone.GOOGLE4, 80, "not-listed-port")
    story.kernel_set(leases_of(story.pod))
    story.uplink(mark, zone.GOOGLE4, zone.GOOGLE6)


def leases_of(pod: Pod) -> list[str]:
    return [f"{pod.v4} . {zone.GOOGLE4} . tcp . 443", f"{pod.v6} . {zone.GOOGLE6} . tcp . 443"]


def tell(lab: Lab, daemon: Daemon) -> int:
    pod = manifests.pod("sleep", [lab.pods[0].v4, lab.pods[0].v6])
    daemon.register(pod, mode=None)
    daemon.start()
    story = Story(lab, daemon, Witness(lab.node))
    allow_any(story)
    registry_only(story, pod)
    entry_added(story, pod)
    print(f"\n{story.differences} differences" if story.differences else "\nAll as expected.")
    return 1 if story.differences else 0


def interrupted(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def become_root() -> None:
    """The lab needs a root; a user namespace's will do."""
    if os.geteuid() == 0:
        return
    if os.environ.get(AGAIN):
        sys.exit("demo.py: needs root")
    os.environ[AGAIN] = "1"
    os.execvp("unshare", ["unshare", "-Urnm", "--", sys.executable, *sys.argv])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--egressd", type=Path, default=Path(program("EGRESSD")))
    parser.add_argument("--egressctl", type=Path, default=Path(program("EGRESSCTL")))
    options = parser.parse_args()
    for path in (options.egressd, options.egressctl):
        if not os.access(path, os.X_OK):
            print(f"demo.py: {path} is not there: run make first", file=sys.stderr)
            return 2
    become_root()
    signal.signal(signal.SIGTERM, interrupted)
    lab: Lab | None = None
    try:
        lab = Lab(pods=1)
        daemon = Daemon(lab, options.egressd.resolve(), options.egressctl.resolve())
        try:
            return tell(lab, daemon)
        finally:
            daemon.close()
    except KeyboardInterrupt:
        print("\ndemo.py: interrupted", file=sys.stderr)
        return 130
    except (AssertionError, RuntimeError, OSError) as e:
        print(f"demo.py: {e}", file=sys.stderr)
        return 1
    finally:
        if lab:
            lab.close()


if __name__ == "__main__":
    sys.exit(main())
