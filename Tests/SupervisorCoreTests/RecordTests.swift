// SPDX-License-Identifier: Apache-2.0
import Messages
import SupervisorCore
import System
import TestSupport
import Testing

/// The two records of a life cycle: one that the disk has, and a later one that may not outlive the machine.
struct RecordTests {
    private static func directory(_ path: String) throws -> ContainerDirectory {
        let id = try #require(ContainerID(String(repeating: "a", count: 64)))
        let directory = ContainerDirectory(id: id, parent: path, runParent: path + "/run")
        try directory.makeDirectories()
        return directory
    }

    private static func write(_ revision: UInt64, boot: String, to file: String) throws {
        let record = SupervisorV1.LifecycleRecord(version: 1, bootId: boot, revision: revision)
        try Files.replace(file, with: record.serialized())
    }

    @Test func theLaterRecordIsTrueWhileTheMachineRuns() throws {
        try withTemporaryDirectory { path in
            let directory = try Self.directory(path)
            try Self.write(1, boot: "b", to: directory.lifecycleFile)
            #expect(try directory.lifecycleRecord(bootID: "b").record.revision == 1)
            try Self.write(2, boot: "b", to: directory.presentLifecycleFile)
            #expect(try directory.lifecycleRecord(bootID: "b").record.revision == 2)
            #expect(try directory.lifecycleRecord(bootID: "another").record.revision == 1)
            try Self.write(3, boot: "b", to: directory.lifecycleFile)
            #expect(try directory.lifecycleRecord(bootID: "b").record.revision == 3)
            try directory.setAside()
            let aside = try directory.lifecycleRecord(bootID: "b", in: directory.asidePath)
            #expect(aside.record.revision == 3 && aside.isDurable)
        }
    }

    @Test(arguments: [[], [UInt8](repeating: 0, count: 64), [0xff, 0xff]])
    func aRecordThatTheMachinesEndToreIsPassedOver(_ torn: [UInt8]) throws {
        try withTemporaryDirectory { path in
            let directory = try Self.directory(path)
            try Self.write(1, boot: "b", to: directory.lifecycleFile)
            try Files.replace(directory.presentLifecycleFile, with: torn)
            #expect(try directory.lifecycleRecord(bootID: "b").record.revision == 1)
            try Files.replace(directory.lifecycleFile, with: torn)
            #expect(throws: SupervisorError.self) { try directory.lifecycleRecord(bootID: "b") }
        }
    }

    /// A power failure may leave the request alone; otherwise it is a creation that was cut off.
    @Test func aRequestIsEnoughAfterAPowerFailure() throws {
        try withTemporaryDirectory { path in
            let directory = try Self.directory(path)
            let request = ContainerRequest(id: directory.id, owner: "o", key: "k", specification: [1])
            #expect(try directory.isUnwritten(bootID: "b"))
            let first = SupervisorV1.LifecycleRecord(version: 1, bootId: "b", revision: 1)
            try directory.write(request, isTerminal: false, first: first)
            #expect(try directory.isUnwritten(bootID: "b"))
            #expect(try !directory.isUnwritten(bootID: "another"))
            for lost in [true, false] {
                if !lost { try Files.replace(directory.lifecycleFile, with: []) }
                let (record, isDurable) = try directory.lifecycleRecord(bootID: "another")
                #expect(record == first && isDurable)
                #expect(try !directory.isUnwritten(bootID: "another"))
            }
            try Self.write(2, boot: "b", to: directory.lifecycleFile)
            #expect(try !directory.isUnwritten(bootID: "b"))
            #expect(try directory.lifecycleRecord(bootID: "another").record.revision == 2)
            // Of an earlier release, or torn.
            try Files.unlink(directory.lifecycleFile)
            try directory.write(request, isTerminal: false)
            #expect(try directory.isUnwritten(bootID: "another"))
            try Files.replace(directory.requestFile, with: [])
            #expect(try directory.isUnwritten(bootID: "another"))
        }
    }

    @Test(arguments: [true, false])
    func whetherThereIsATerminalIsReadWithTheRequest(_ isTerminal: Bool) throws {
        try withTemporaryDirectory { path in
            let directory = try Self.directory(path)
            let request = ContainerRequest(id: directory.id, owner: "o", key: "k", specification: [1])
            try directory.write(request, isTerminal: isTerminal)
            #expect(try directory.request() == (request, isTerminal))
            // As an earlier release writes it.
            try Files.replace(directory.requestFile, with: request.record.serialized())
            #expect(try directory.request() == (request, nil))
        }
    }

    private static func lifecycle(
        _ change: (inout SupervisorV1.LifecycleRecord) -> Void = { _ in }
    ) throws -> Lifecycle {
        let id = try #require(ContainerID(String(repeating: "a", count: 64)))
        var record = SupervisorV1.LifecycleRecord(version: 1, phase: 1)
        change(&record)
        return try #require(
            Lifecycle(record, request: ContainerRequest(id: id, owner: "o", key: "k", specification: []))
        )
    }

    @Test func whatOthersLostIsNotWaitedFor() throws {
        var lifecycle = try Self.lifecycle {
            $0.keeperSequence = 9
            $0.eventNumber = 4
        }
        lifecycle.reconcile(keeperSequence: 2, journaled: 5)
        #expect(lifecycle.keeperSequence == 2 && lifecycle.eventNumber == 5)
        lifecycle.reconcile(keeperSequence: 7, journaled: 3)
        #expect(lifecycle.keeperSequence == 2 && lifecycle.eventNumber == 5)
    }

    @Test(arguments: [SupervisorV1.RestartMode.no, .always, .unlessStopped, .onFailure])
    func whatARestartAfterABootDependsOnIsNotLeftToLuck(_ mode: SupervisorV1.RestartMode) throws {
        let policy = SupervisorV1.RestartPolicy(mode: mode)
        let before = try Self.lifecycle { $0.restartPolicy = policy }
        #expect(!before.mustOutlivePower(after: before))
        let stopped = try Self.lifecycle {
            $0.restartPolicy = policy
            $0.manuallyStopped = true
        }
        #expect(stopped.mustOutlivePower(after: before) == (mode != .no))
        let ran = try Self.lifecycle {
            $0.restartPolicy = policy
            $0.hasRun = true
        }
        #expect(ran.mustOutlivePower(after: before) == (mode != .no))
        let updated = try Self.lifecycle {
            $0.restartPolicy = SupervisorV1.RestartPolicy(mode: .onFailure, maximumRetries: 7)
        }
        #expect(updated.mustOutlivePower(after: before))
    }
}
