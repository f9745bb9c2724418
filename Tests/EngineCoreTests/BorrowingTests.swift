// SPDX-License-Identifier: Apache-2.0
import JSON
import Synchronization
import System
import Testing

@testable import EngineCore

/// Containers that refer to others.
struct BorrowingTests {
    @Test func othersAreNamedByTheirIDs() async throws {
        try await withBench { bench in
            let engine = try bench.engine()
            let web = try await engine.create(
                name: "web",
                settings: .busybox {
                    $0.hostname = "harbour"
                    $0.namespaces.ipc = .shareable
                    $0.binds = [
                        .init(
                            source: bench.root,
                            target: "/data",
                            readOnly: false,
                            propagation: "",
                            createSource: false
                        )
                    ]
                }
            )
            let made = try await engine.create(
                name: "side",
                settings: .busybox {
                    $0.network = .container("web")
                    $0.namespaces.process = .container(String(web.id.text.prefix(20)))
                    $0.namespaces.ipc = .container("web")
                    $0.storage.volumesFrom = ["web:ro"]
                }
            )
            let order = try #require(bench.supervisor.state.withLock { $0.orders[made.id] })
            #expect(order.joined.map(\.container) == [web.id, web.id, web.id])
            let document = try JSON(parsing: try await engine.inspectContainer("side"))
            let host = try #require(document["HostConfig"])
            for field in ["NetworkMode", "PidMode", "IpcMode"] {
                #expect(host[field]?.string == "container:" + web.id.text)
            }
            #expect(host["VolumesFrom"]?[0]?.string == web.id.text + ":ro")
            #expect(document["Config"]?["Hostname"]?.string == "harbour")
            #expect(document["HostsPath"]?.string?.contains(web.id.text) == true)
            let mount = try #require(document["Mounts"]?[0])
            #expect(mount["Destination"]?.string == "/data" && mount["RW"]?.bool == false)
            // Theirs to pass on, not read-write again.
            _ = try await engine.create(
                name: "third",
                settings: .busybox { $0.storage.volumesFrom = ["side:rw"] }
            )
            let third = try JSON(parsing: try await engine.inspectContainer("third"))
            #expect(third["Mounts"]?[0]?["RW"]?.bool == false)
        }
    }

    @Test func whatCannotBeJoinedIsRefused() async throws {
        try await withBench { bench in
            let engine = try bench.engine()
            _ = try await engine.create(
                name: "host",
                settings: .busybox {
                    $0.network = .host
                    $0.namespaces.ipc = .host
                }
            )
            _ = try await engine.create(name: "plain", settings: .busybox())
            func refused(_ change: (inout ContainerSettings) -> Void) async -> EngineError? {
                do {
                    _ = try await engine.create(name: "", settings: .busybox(change))
                    return nil
                } catch {
                    return error as? EngineError
                }
            }
            #expect(await refused { $0.network = .container("absent") } == .containerNotFound("absent"))
            for change: (inout ContainerSettings) -> Void in [
                { $0.network = .container("host") }, { $0.namespaces.ipc = .container("host") },
                { $0.namespaces.ipc = .container("plain") },
            ] {
                guard case .invalidField? = await refused(change) else {
                    Issue.record("it was taken")
                    continue
                }
            }
            #expect(try await engine.list(all: true, filters: []).count == 2)
        }
    }

    @Test func outputOfTheDriverNoneIsForThoseWhoAreAttached() async throws {
        try await withBench { bench in
            let engine = try bench.engine()
            let made = try await engine.create(name: "n", settings: .busybox { $0.log.driver = "none" })
            await #expect(throws: EngineError.outputNotKept(made.id, driver: "none")) {
                try await engine.output(of: "n", OutputQuery()) { _ in }
            }
        }
    }

    @Test func theImageMustBeForThePlatform() async throws {
        try await withBench { bench in
            let engine = try bench.engine()
            await #expect(
                throws: EngineError.platformMismatch("busybox", wanted: "plan9/vax", actual: "linux/amd64")
            ) {
                try await engine.create(name: "", settings: .busybox { $0.platform = "plan9/vax" })
            }
            _ = try await engine.create(name: "", settings: .busybox { $0.platform = "linux/amd64" })
            _ = try await engine.create(name: "", settings: .busybox { $0.platform = "linux" })
        }
    }
}
