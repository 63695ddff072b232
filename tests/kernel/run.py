#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs tests on Debian 12's own kernel: boots it in qemu and runs a command in there.

    tests/kernel/run.py WORK [NAME=VALUE...] COMMAND...

WORK is a folder for the kernel, which comes from Debian's package and is installed nowhere,
and for what boots it. The machine's root is this one's, read-only, with a layer in memory on
top; so COMMAND runs with the programs and libraries that are here. Its console is printed as
it comes. The last line is "N passed, N failed" as COMMAND said it; the exit status is 0 only
when something ran and nothing failed.
"""

import os
import pathlib
import re
import shlex
import shutil
import signal
import subprocess
import sys
import threading

HERE = pathlib.Path(__file__).resolve().parent
PACKAGE = "linux-image-amd64"
# Enough to mount the root; whatever else the kernel wants it asks modprobe for.
MODULES = ("virtio_pci", "9pnet_virtio", "9p", "overlay")
MEMORY_MB = 2048
TIMEOUT_S = 5400
KVM_TRY_S = 30
PACE = 10  # tests/integration/pace.py: an emulated machine is so much slower


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def kernel_package():
    """The package that the name for all of them stands for at present."""
    listed = output("apt-cache", "depends", "--important", PACKAGE)
    return re.search(r"Depends: (linux-image-\S+)", listed).group(1)


def fetch(work):
    """The newest kernel, unpacked under WORK/image; one that is there already is kept."""
    package = kernel_package()
    image, mark = work / "image", work / "package"
    if mark.exists() and mark.read_text() == package:
        return image
    shutil.rmtree(image, ignore_errors=True)
    for old in work.glob("*.deb"):
        old.unlink()
    subprocess.run(["apt-get", "-q", "download", package], cwd=work, check=True)
    (archive,) = work.glob("*.deb")
    subprocess.run(["dpkg-deb", "-x", archive, image], check=True)
    archive.unlink()
    release = kernel_release(image)
    subprocess.run(["depmod", "-b", image, release], check=True)
    mark.write_text(package)
    return image


def kernel_release(image):
    (folder,) = (image / "lib/modules").iterdir()
    return folder.name


def module_order(modules):
    """Files of these modules and of all that they need, in the order to load them."""
    needs = {}
    for line in (modules / "modules.dep").read_text().splitlines():
        name, _, others = line.partition(":")
        needs[name] = others.split()
    names = {pathlib.Path(f).name.split(".")[0].replace("-", "_"): f for f in needs}
    order = []
    for module in MODULES:
        # what a module needs stands with the last first
        for file in [*reversed(needs[names[module]]), names[module]]:
            if file not in order:
                order.append(file)
    return order


def make_initramfs(work, image):
    root, modules = work / "initramfs", image / "lib/modules" / kernel_release(image)
    shutil.rmtree(root, ignore_errors=True)
    for folder in ("bin", "dev", "host", "layer", "modules", "proc", "root"):
        (root / folder).mkdir(parents=True)
    shutil.copy("/bin/busybox", root / "bin")
    for applet in ("sh", "sed", "insmod", "mkdir", "mount", "umount", "switch_root"):
        (root / "bin" / applet).symlink_to("busybox")
    shutil.copy(HERE / "init.sh", root / "init")
    (root / "init").chmod(0o755)
    order = module_order(modules)
    for file in order:
        shutil.copy(modules / file, root / "modules")
    (root / "modules/order").write_text("".join(pathlib.Path(f).name + "\n" for f in order))
    names = "\n".join(str(p.relative_to(root)) for p in sorted(root.rglob("*")))
    packed = subprocess.run(["cpio", "--quiet", "-o", "-H", "newc"], cwd=root, input=names.encode(),
                            stdout=subprocess.PIPE, check=True).stdout
    target = work / "initramfs.cpio"
    target.write_bytes(packed)
    return target


def write_inside(work, settings, command):
    script = f"cd {shlex.quote(os.getcwd())}\nexec env {shlex.join(settings)} " \
             f"sh {shlex.quote(str(HERE / 'inside.sh'))} {shlex.join(command)}\n"
    (work / "inside").write_text(script)


def processor(image, fast):
    release = kernel_release(image)
    return ["qemu-system-x86_64", "-nodefaults", "-no-user-config", "-no-reboot",
            "-machine", "pc", "-accel", "kvm" if fast else "tcg,thread=multi",
            "-cpu", "host" if fast else "max", "-smp", str(min(os.cpu_count() or 1, 2)),
            "-m", str(MEMORY_MB), "-display", "none", "-monitor", "none",
            "-kernel", str(image / "boot" / f"vmlinuz-{release}")]


def has_kvm(image):
    """Inside of some virtual machines there is one on which nothing boots. Without a root the
    kernel panics at once, and that ends the machine."""
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return False
    try:
        return subprocess.run([*processor(image, True), "-serial", "none", "-append", "panic=-1"],
                              capture_output=True, timeout=KVM_TRY_S).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def machine(work, image, initramfs, fast):
    return [*processor(image, fast), "-serial", "stdio", "-initrd", str(initramfs),
            "-fsdev", "local,id=host,path=/,security_model=none,readonly=on,multidevs=remap",
            "-device", "virtio-9p-pci,fsdev=host,mount_tag=host",
            "-append", f"console=ttyS0 quiet panic=-1 egressd.work={work}"]


def run(command):
    """The machine's console, a line each; ended when it hangs."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    timer = threading.Timer(TIMEOUT_S, process.kill)
    timer.start()
    try:
        assert process.stdout is not None
        for line in process.stdout:
            yield line.decode(errors="replace").rstrip("\r\n")
    finally:
        timer.cancel()
        process.kill()
        process.wait()


def main(arguments):
    work = pathlib.Path(arguments.pop(0)).resolve()
    settings = []
    while arguments and re.match(r"\w+=", arguments[0]):
        settings.append(arguments.pop(0))
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    work.mkdir(parents=True, exist_ok=True)
    image = fetch(work)
    initramfs = make_initramfs(work, image)
    fast = has_kvm(image)
    write_inside(work, [f"EGRESSD_PACE={1 if fast else PACE}", *settings], arguments)
    passed, failed, ended = 0, 0, False
    for line in run(machine(work, image, initramfs, fast)):
        counts = re.fullmatch(r"(\d+) passed, (\d+) failed", line)
        if counts:
            passed, failed = int(counts.group(1)), int(counts.group(2))
        elif line:
            print(line, flush=True)
        ended = ended or line == "kernel: exit status 0"
    if not ended and failed == 0:
        failed = 1
    print(f"{passed} passed, {failed} failed", flush=True)
    return 0 if passed > 0 and failed == 0 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
