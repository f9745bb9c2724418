# SPDX-License-Identifier: Apache-2.0
"""The peers of the group `rpc`, built from the sources in Benchmarks/ into .build/benchmarks."""
import json
import os
import pathlib
import shutil
import sys

from commands import BenchmarkError, output
from echo import Echo, Program

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
SOURCES, BUILD = REPOSITORY / "Benchmarks", REPOSITORY / ".build" / "benchmarks"
RPC, CODEC = SOURCES / "rpc", SOURCES / "codec"
DEFINITION = "petrel/benchmark/v1/echo.proto"
GO_SOURCES = pathlib.Path("/usr/share/gocode/src")
C_OPTIONS = ["-std=gnu11", "-O2", "-Wall"]
# protoc of Debian 12 and 13 generates for these.
PYTHON_PACKAGES = ["grpcio", "protobuf>=4.21,<5"]


def made(name, place):
    BUILD.mkdir(parents=True, exist_ok=True)
    return MAKERS[name](name, place)


def installed_version(package):
    return output(["dpkg-query", "--show", "--showformat=${source:Upstream-Version}", package], "/")


def generate(kind, directory):
    """The messages in one of the languages that protoc knows."""
    directory.mkdir(parents=True, exist_ok=True)
    output(["protoc", f"-I{RPC / 'Proto'}", f"--{kind}_out={directory}", DEFINITION], directory)


def c(name, place):
    generated, program = BUILD / "c", BUILD / "echo-c"
    generate("c", generated)
    sources = [*sorted((RPC / "c").glob("*.c")), generated / DEFINITION.replace(".proto", ".pb-c.c")]
    output(["cc", *C_OPTIONS, f"-I{generated}", "-o", program, *sources, "-lnghttp2", "-lprotobuf-c"], BUILD)
    return Echo(name, [program], "of nghttp2 " + installed_version("libnghttp2-dev"), place)


def socket_copy(name, place):
    program = BUILD / "socket-copy"
    output(["cc", *C_OPTIONS, "-o", program, RPC / "socket-copy" / "socket-copy.c"], BUILD)
    return Echo(name, [program], "of Linux " + os.uname().release, place)


def go_program(package, library):
    def make(name, place):
        program = BUILD / package
        environment = {
            "GO111MODULE": "off", "GOPATH": f"{RPC / 'go'}:{GO_SOURCES.parent}", "GOCACHE": str(BUILD / "go-cache"),
            "GOFLAGS": "",
        }
        # Of the two generations of the library, the second has this file.
        is_second = (GO_SOURCES / "github.com/golang/protobuf/proto/proto.go").exists()
        tags = ["-tags", "protobuf2"] if is_second else []
        # Debian's own, as the libraries are.
        output(["/usr/bin/go", "build", *tags, "-o", program, f"petrel/{package}"], BUILD,
               {**os.environ, **environment})
        return Echo(name, [program], installed_version(library), place)
    return make


def grpcio(name, place):
    # It is made of compiled modules, for one version of Python.
    packages, messages = BUILD / f"grpcio-{sys.implementation.cache_tag}", BUILD / "python-messages"
    if not packages.is_dir():
        fresh = BUILD / "grpcio-fresh"
        shutil.rmtree(fresh, ignore_errors=True)
        output([sys.executable, "-m", "pip", "install", "--quiet", "--target", fresh, *PYTHON_PACKAGES], BUILD)
        fresh.rename(packages)
    generate("python", messages)
    version = next(packages.glob("grpcio-*.dist-info")).name.split("-")[1].removesuffix(".dist")
    return Echo(name, [sys.executable, RPC / "python" / "echo_grpcio.py"], version, place,
                {"PYTHONPATH": f"{packages}:{messages}"})


def swift_protobuf(name, place):
    if shutil.which("swift") is None:
        raise BenchmarkError("swift is not in the PATH")
    scratch = BUILD / "codec"
    output(["swift", "build", "--configuration", "release", "--static-swift-stdlib", "--package-path", CODEC,
            "--scratch-path", scratch], BUILD)
    pins = json.loads((CODEC / "Package.resolved").read_text())["pins"]
    version = next(pin["state"]["version"] for pin in pins if pin["identity"] == "swift-protobuf")
    return Program(name, [scratch / "release" / "codec"], version)


MAKERS = {
    "c": c,
    "grpc-go": go_program("echo-grpc", "golang-google-grpc-dev"),
    "ttrpc": go_program("echo-ttrpc", "golang-github-containerd-ttrpc-dev"),
    "grpcio": grpcio,
    "socket": socket_copy,
    "swift-protobuf": swift_protobuf,
}
