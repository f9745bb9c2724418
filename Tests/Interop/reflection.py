# SPDX-License-Identifier: Apache-2.0
"""grpcio's side of server reflection, of which it has v1alpha alone.

    reflection.py serve TARGET               serves TestService, with reflection, until it is ended; says "ready" first
    reflection.py services TARGET            lists a server's services
    reflection.py methods TARGET SERVICE     lists a service's methods, each with its messages' names

TARGET: a socket's absolute path, or whatever grpcio takes for one (localhost:50051).
"""
import sys

import grpc
from google.protobuf import descriptor_pool
from grpc_reflection.v1alpha import reflection
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

import schema
import service


def main(arguments):
    match arguments:
        case ["serve", target]:
            names = (f"{schema.PACKAGE}.TestService", reflection.SERVICE_NAME)
            service.serve(
                _target(target), lambda server: reflection.enable_server_reflection(names, server, schema.POOL))
        case ["services", target]:
            print("\n".join(_database(target).get_services()))
        case ["methods", target, name]:
            found = descriptor_pool.DescriptorPool(_database(target)).FindServiceByName(name)
            for method in found.methods:
                print(method.name, method.input_type.full_name, method.output_type.full_name)
        case _:
            sys.stderr.write(__doc__)
            return 2
    return 0


def _database(target):
    return ProtoReflectionDescriptorDatabase(grpc.insecure_channel(_target(target)))


def _target(text):
    return "unix:" + text if text.startswith("/") else text


sys.exit(main(sys.argv[1:]))
