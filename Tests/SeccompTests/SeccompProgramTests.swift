// SPDX-License-Identifier: Apache-2.0
import Foundation
import RuntimeSpec
import Seccomp
import System
import TestSupport
import Testing

/// What a program returns for a call, by running its instructions.
private func verdict(_ program: SeccompProgram, _ audit: UInt32, _ number: UInt32, _ arguments: [UInt64] = [])
    -> UInt32?
{
    verdict(program.bytes, audit, number, arguments)
}

private func verdict(_ bytes: [UInt8], _ audit: UInt32, _ number: UInt32, _ arguments: [UInt64] = [])
    -> UInt32?
{
    var data = [UInt32](repeating: 0, count: 16)
    data[0] = number
    data[1] = audit
    for (index, value) in arguments.enumerated() {
        data[4 + 2 * index] = UInt32(truncatingIfNeeded: value)
        data[5 + 2 * index] = UInt32(truncatingIfNeeded: value >> 32)
    }
    var (counter, accumulator) = (0, UInt32(0))
    while counter < bytes.count / 8 {
        let at = counter * 8
        let code = UInt16(bytes[at]) | UInt16(bytes[at + 1]) << 8
        let operand = (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[at + 4 + $1]) << (8 * UInt32($1)) }
        counter += 1
        func jump(_ condition: Bool) { counter += Int(condition ? bytes[at + 2] : bytes[at + 3]) }
        switch code {
        case 0x20: accumulator = data[Int(operand) / 4]
        case 0x54: accumulator &= operand
        case 0x05: counter += Int(operand)
        case 0x15: jump(accumulator == operand)
        case 0x25: jump(accumulator > operand)
        case 0x35: jump(accumulator >= operand)
        case 0x45: jump(accumulator & operand != 0)
        case 0x06: return operand
        default: return nil
        }
    }
    return nil
}

struct SeccompProgramTests {
    static let x86_64: UInt32 = 0xc000_003e
    static let x86: UInt32 = 0x4000_0003
    static let allow: UInt32 = 0x7fff_0000
    static let refuse: UInt32 = 0x0005_0001

    #if arch(x86_64)
        @Test func itCanBeAskedBeforeItIsInstalled() throws {
            let docker = DockerSeccomp.profile(
                capabilities: DockerDefaults.capabilities,
                kernelRelease: "6.1.0"
            )
            let program = try SeccompProgram(compiling: docker).bytes
            for call in SystemCallFilter.Call.allCases { #expect(SystemCallFilter.allows(call, in: program)) }
            for (name, refused) in [
                ("clone", SystemCallFilter.Call.cloneSibling), ("setsid", .startSession),
                ("ioctl", .controlTerminal), ("prlimit64", .setLimit),
            ] {
                let spec = SeccompSpec(defaultAction: .allow, rules: [.init([name], .errno)])
                let program = try SeccompProgram(compiling: spec).bytes
                for call in SystemCallFilter.Call.allCases {
                    #expect(SystemCallFilter.allows(call, in: program) == (call != refused))
                }
            }
            // Nothing, an endless jump, and what is no instruction.
            for program: [UInt8] in [[], [5, 0, 0, 0, 255, 255, 255, 127], [255, 255, 0, 0, 0, 0, 0, 0]] {
                #expect(!SystemCallFilter.allows(.startSession, in: program))
            }
        }

        @Test(
            arguments: [
                (x86_64, 0, [], allow), (x86_64, 165, [], refuse), (x86, 3, [], allow), (x86, 21, [], refuse),
                // clone without and with a new namespace; clone3 answers ENOSYS.
                (x86_64, 56, [0x11], allow), (x86_64, 56, [0x2000_0000], refuse),
                (x86_64, 435, [], 0x0005_0026),
                // AF_VSOCK is refused, AF_UNIX is not.
                (x86_64, 41, [1], allow), (x86_64, 41, [40], refuse), (x86_64, 41, [41], allow),
                // personality of exactly these values.
                (x86_64, 135, [0xffff_ffff], allow), (x86_64, 135, [1], refuse),
                // listmount and mseal, which the library may not know, on all three architectures; an unknown call.
                (x86_64, 458, [], allow), (x86, 458, [], allow), (x86_64, 0x4000_0000 | 462, [], allow),
                (x86_64, 460, [], refuse), (x86_64, 999, [], refuse),
                (x86_64, 0x4000_0000, [], allow), (0xc000_00b7, 63, [], 0),
            ] as [(UInt32, UInt32, [UInt64], UInt32)]
        )
        func dockersProfileDecides(audit: UInt32, number: UInt32, arguments: [UInt64], expected: UInt32)
            throws
        {
            let spec = DockerSeccomp.profile(capabilities: DockerDefaults.capabilities, kernelRelease: "6.18")
            let program = try SeccompProgram(compiling: spec)
            #expect(verdict(program, audit, number, arguments) == expected)
        }

        @Test func aCallThatTheLibraryDoesNotKnowCanBeRefused() throws {
            let rules = [SeccompSpec.Rule(["listmount", "no_such_call"], .errno, errnoRet: 95)]
            let program = try SeccompProgram(compiling: SeccompSpec(defaultAction: .allow, rules: rules))
            #expect(verdict(program, Self.x86_64, 458) == 0x0005_005f)
            #expect(verdict(program, Self.x86_64, 457) == Self.allow)
        }

        @Test func conditionsOnOneArgumentAreAlternatives() throws {
            let one = SeccompSpec.Argument(index: 0, value: 1, .equal)
            let two = SeccompSpec.Argument(index: 0, value: 2, .equal)
            let other = SeccompSpec.Argument(index: 1, value: 5, .greaterOrEqual)
            let either = SeccompSpec(
                defaultAction: .errno,
                rules: [.init(["read"], .allow, arguments: [one, two])]
            )
            let both = SeccompSpec(
                defaultAction: .errno,
                rules: [.init(["read"], .allow, arguments: [one, other])]
            )
            let first = try SeccompProgram(compiling: either)
            let second = try SeccompProgram(compiling: both)
            #expect(verdict(first, Self.x86_64, 0, [2]) == Self.allow)
            #expect(verdict(first, Self.x86_64, 0, [3]) == Self.refuse)
            #expect(verdict(second, Self.x86_64, 0, [1, 4]) == Self.refuse)
            #expect(verdict(second, Self.x86_64, 0, [1, 1 << 40]) == Self.allow)
        }
    #endif

    /// Of a profile: the program as the library makes it, and ours.
    private static func both(_ spec: SeccompSpec) throws -> (long: SeccompProgram, short: SeccompProgram) {
        (try SeccompProgram(compiling: spec, isCompacted: false), try SeccompProgram(compiling: spec))
    }

    private static func compare(_ spec: SeccompSpec, _ values: [UInt64]) throws {
        let (long, short) = try both(spec)
        var dice = Dice(seed: 11)
        let numbers: [UInt32] =
            Array(0..<520) + (0..<520).map { $0 | 0x4000_0000 }
            + [0x3fff_ffff, 0x7fff_ffff, 0x8000_0000, 0xbfff_ffff, 0xc000_0000, 0xffff_fffe, 0xffff_ffff]
        for audit in [x86_64, x86, 0xc000_00b7, 0, 0xffff_ffff] {
            for number in numbers {
                for _ in 0..<3 {
                    let arguments = (0..<6).map { _ in values.randomElement(using: &dice) ?? 0 }
                    let expected = verdict(long, audit, number, arguments)
                    let found = verdict(short, audit, number, arguments)
                    guard found == expected else {
                        Issue.record("\(spec): \(audit) \(number) \(arguments): \(found ?? 0)")
                        return
                    }
                }
            }
        }
    }

    @Test(arguments: [[], [.sysAdmin], Set(Capability.allCases)] as [Set<Capability>])
    func compactedDockersProfileDecidesAsBefore(_ capabilities: Set<Capability>) throws {
        let spec = DockerSeccomp.profile(capabilities: capabilities, kernelRelease: "6.18")
        try Self.compare(spec, [0, 1, 2, 8, 0x2_0000, 0x2_0008, 40, 0x2000_0000, 0xffff_ffff, 1 << 40, .max])
        let (long, short) = try Self.both(spec)
        #expect(short.bytes.count * 2 < long.bytes.count, "\(short.bytes.count) of \(long.bytes.count) bytes")
    }

    /// Profiles that nobody would write, the same ones in each run.
    @Test func compactedProgramsDecideAsBefore() throws {
        var dice = Dice(seed: 7)
        var compacted = 0
        for round in 0..<24 {
            let (spec, values) = Self.profile(round, &dice)
            // The library refuses some combinations of rules.
            guard let (long, short) = try? Self.both(spec) else { continue }
            if long != short { compacted += 1 }
            try Self.compare(spec, values)
        }
        #expect(compacted > 0)
    }

    private static func profile(_ round: Int, _ dice: inout Dice) -> (spec: SeccompSpec, values: [UInt64]) {
        let names = [
            "read", "write", "open", "clone", "socket", "personality", "ioctl", "kill", "mseal", "futex",
        ]
        let values: [UInt64] = [0, 1, 2, 5, 0xffff_ffff, 1 << 32, 1 << 40 | 5, .max]
        let actions: [SeccompSpec.Action] = [.allow, .errno, .killProcess, .log]
        var spec = SeccompSpec(defaultAction: actions[round % 3], rules: [])
        spec.architectures = round % 2 == 0 ? [.x86_64, .x86, .x32] : [.x86_64]
        for _ in 0..<(4 + round) {
            var arguments: [SeccompSpec.Argument] = []
            for index in 0..<UInt32.random(in: 0...2, using: &dice) {
                arguments.append(
                    SeccompSpec.Argument(
                        index: index * 2,
                        value: values.randomElement(using: &dice) ?? 0,
                        valueTwo: values.randomElement(using: &dice) ?? 0,
                        SeccompSpec.Comparison.allCases.randomElement(using: &dice) ?? .equal
                    )
                )
            }
            let chosen = names.shuffled(using: &dice).prefix(Int.random(in: 1...4, using: &dice))
            let action = actions.randomElement(using: &dice) ?? .log
            spec.rules.append(.init(Array(chosen), action, errnoRet: 7, arguments: arguments))
        }
        return (spec, values)
    }

    /// Instructions as (operation, jump if true, jump if false, operand).
    private static func program(_ instructions: [(UInt8, UInt8, UInt8, UInt32)]) -> [UInt8] {
        instructions.flatMap { code, ifTrue, ifFalse, operand in
            [code, 0, ifTrue, ifFalse] + (0..<4).map { UInt8(truncatingIfNeeded: operand >> (8 * $0)) }
        }
    }

    /// More verdicts than one search can jump over.
    @Test func manyVerdictsAreFound() throws {
        var instructions: [(UInt8, UInt8, UInt8, UInt32)] = [(0x20, 0, 0, 0)]
        for number in UInt32(0)..<900 {
            instructions += [(0x15, 0, 1, number), (0x06, 0, 0, 0x0005_0000 | number / 2 % 350)]
        }
        instructions.append((0x06, 0, 0, Self.allow))
        let long = Self.program(instructions)
        let short = FilterCompaction.compacted(long)
        #expect(short.count < long.count)
        for number in [0x4000_0000, 0xffff_ffff] + Array(UInt32(0)...1000) {
            #expect(verdict(short, Self.x86_64, number) == verdict(long, Self.x86_64, number))
        }
    }

    /// What it does not understand stays as it is: bits of a number, another mask, another operation, a jump that leads outside.
    @Test(
        arguments: [
            [(0x20, 0, 0, 0), (0x45, 0, 1, 8), (0x06, 0, 0, 1), (0x06, 0, 0, 2)],
            [(0x20, 0, 0, 0), (0x54, 0, 0, 0xff), (0x15, 0, 1, 8), (0x06, 0, 0, 1), (0x06, 0, 0, 2)],
            [(0x20, 0, 0, 0), (0x04, 0, 0, 1), (0x15, 0, 1, 8), (0x06, 0, 0, 1), (0x06, 0, 0, 2)],
            [(0x20, 0, 0, 0), (0x15, 200, 0, 8), (0x06, 0, 0, 1)],
        ] as [[(UInt8, UInt8, UInt8, UInt32)]]
    )
    func whatIsNotUnderstoodStays(_ instructions: [(UInt8, UInt8, UInt8, UInt32)]) {
        // So long that it would become shorter.
        let program = Self.program(instructions + Array(repeating: (0x06, 0, 0, 3), count: 50))
        #expect(FilterCompaction.compacted(program) == program)
    }

    private static let process = FilterProcess(executable: binaries + "/petrel-runtime-supervisor")

    /// The library goes round in it for ever.
    @Test func whatHasNoEndIsStopped() throws {
        let rules = [
            (SeccompSpec.Action.allow, UInt64(2), SeccompSpec.Comparison.greaterOrEqual), (.log, 3, .equal),
        ]
        .map { action, value, comparison in
            SeccompSpec.Rule(
                ["read"],
                action,
                arguments: [
                    .init(index: 0, value: 3, .greaterOrEqual), .init(index: 2, value: value, comparison),
                ]
            )
        }
        let process = FilterProcess(executable: binaries + "/petrel-runtime-supervisor", limitSeconds: 1)
        #expect(throws: SeccompError.stalled(seconds: 1)) {
            try process.compile(SeccompSpec(defaultAction: .kill, rules: rules))
        }
    }

    @Test func aProcessTellsWhatWouldBeThrown() throws {
        // Of another byte order than this machine's.
        let foreign = SeccompSpec(defaultAction: .allow, architectures: [.s390x])
        let error = #expect(throws: SeccompError.self) { try SeccompProgram(compiling: foreign) }
        let told = #expect(throws: SeccompError.self) { try Self.process.compile(foreign) }
        #expect(error == told)
        let plain = SeccompSpec(defaultAction: .allow)
        #expect(throws: SeccompError.ended) { try FilterProcess(executable: "/bin/true").compile(plain) }
        #expect(throws: SeccompError.self) { try FilterProcess(executable: "/no/such").compile(plain) }
    }

    @Test func programsAreKeptAndVerified() throws {
        let directory = NSTemporaryDirectory() + "petrel-seccomp-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let spec = DockerSeccomp.profile(capabilities: [], kernelRelease: "6.1")
        let cache = try SeccompCache(directory: directory, compiler: Self.process)
        let path = try cache.path(for: spec)
        let program = try SystemCallFilter.program(at: path)
        #expect(program == (try SeccompProgram(compiling: spec)).bytes)
        #expect(try cache.path(for: spec) == path)
        #expect(try SeccompCache(directory: directory, compiler: Self.process).path(for: spec) == path)
        let other = DockerSeccomp.profile(capabilities: [.sysAdmin], kernelRelease: "6.1")
        #expect(try cache.path(for: other) != path)
        // A program that lost bytes is made again; one that others could write is not taken.
        try Files.replace(path, with: Array(program.dropLast(3)))
        let again = try SeccompCache(directory: directory, compiler: Self.process)
        #expect(try SystemCallFilter.program(at: again.path(for: spec)) == program)
        try FileManager.default.setAttributes([.posixPermissions: 0o666], ofItemAtPath: again.path(for: spec))
        #expect(throws: SystemError.self) { try SystemCallFilter.program(at: path) }
    }
}

private struct Dice: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    /// SplitMix64.
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
        return value ^ (value >> 31)
    }
}
