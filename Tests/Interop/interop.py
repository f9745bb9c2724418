# SPDX-License-Identifier: Apache-2.0
"""grpcio's side of gRPC's interoperability tests.

    interop.py serve TARGET           serves until it is ended; says "ready" first
    interop.py client TARGET CASE     exit code 0: passed; 1: failed, with one line on stderr; 2: no such case
    interop.py cases                  lists the cases

TARGET: a socket's absolute path, or whatever grpcio takes for one (localhost:50051).
"""
import os
import sys

import grpc

import cases
import service


def main(arguments):
    match arguments:
        case ["serve", target]:
            service.serve(_target(target))
        case ["client", target, name]:
            return _run(_target(target), name)
        case ["cases"]:
            print("\n".join(cases.CASES))
        case _:
            sys.stderr.write(__doc__)
            return 2
    return 0


def _target(text):
    return "unix:" + text if text.startswith("/") else text


def _run(target, name):
    if name not in cases.CASES:
        sys.stderr.write(f"interop.py: no case {name}\n")
        return 2
    try:
        cases.run(target, name)
    except cases.Failure as failure:
        text = str(failure)
    except grpc.RpcError as error:
        text = f"{error.code().name}: {error.details()}"
    else:
        return 0
    sys.stderr.write(f"{name}: {text}\n")
    return 1


code = main(sys.argv[1:])
sys.stdout.flush()
# grpcio's threads may wait for requests that will not come.
os._exit(code)
