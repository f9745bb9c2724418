# SPDX-License-Identifier: Apache-2.0
"""Packages of Debian, unpacked into a directory: of the machine's own release, or of another one from the same mirror.

Nothing is installed: no daemon of the machine's is started or stopped, and two releases of a program run side by side.
"""
import pathlib

from commands import BenchmarkError, output


def codename():
    for line in pathlib.Path("/etc/os-release").read_text().splitlines():
        if line.startswith("VERSION_CODENAME="):
            return line.partition("=")[2].strip('"')
    return ""


def unpack(packages, directory, release=None):
    """Downloads `packages` and unpacks them into `directory`."""
    directory.mkdir(parents=True)
    archives = directory.with_name(directory.name + "-archives")
    archives.mkdir()
    options = _options_for(release, archives) if release else []
    if release:
        output(["apt-get", *options, "update"], archives)
    try:
        output(["apt-get", *options, "download", *packages], archives)
    except BenchmarkError:
        if release:
            raise
        # The machine's lists may be missing or old.
        output(["apt-get", "update"], archives)
        output(["apt-get", "download", *packages], archives)
    for archive in archives.glob("*.deb"):
        output(["dpkg-deb", "--extract", str(archive), str(directory)], archives)
        archive.unlink()


def _options_for(release, place):
    """Options that make apt-get work for another release in directories of its own, with the machine's mirror."""
    targets = output(
        ["apt-get", "indextargets", "--format", "$(ORIGIN)|$(COMPONENT)|$(SUITE)|$(CODENAME)|$(REPO_URI)",
         "Created-By: Packages"], place)
    own = [line.split("|")[4] for line in targets.splitlines()
           if line.startswith("Debian|main|") and "-" not in line.split("|")[3] and "-" not in line.split("|")[2]]
    if not own:
        raise BenchmarkError("this machine's package lists name no mirror of Debian")
    for name in ["lists/partial", "cache/archives/partial"]:
        (place / name).mkdir(parents=True)
    (place / "status").touch()
    (place / "sources.list").write_text(f"deb {own[0]} {release} main\n")
    settings = {
        "Dir::Etc::SourceList": place / "sources.list", "Dir::Etc::SourceParts": "/dev/null",
        "Dir::State::Lists": place / "lists", "Dir::State::Status": place / "status", "Dir::Cache": place / "cache",
        "APT::Sandbox::User": "root", "Acquire::Languages": "none",
    }
    return [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]
