// SPDX-License-Identifier: Apache-2.0
internal import CLinux
internal import Glibc

extension SystemCallFilter {
    /// Calls that a process may still have to make under its filter.
    package enum Call: CaseIterable, Sendable {
        /// clone(2) as `Cloning.sibling` makes it.
        case cloneSibling
        /// setsid(2).
        case startSession
        /// ioctl(2) `TIOCSCTTY` on descriptor 0.
        case controlTerminal
        /// prlimit(2) of the process itself.
        case setLimit

        var number: Int {
            switch self {
            case .cloneSibling: Int(SYS_clone)
            case .startSession: Int(SYS_setsid)
            case .controlTerminal: Int(SYS_ioctl)
            case .setLimit: Int(SYS_prlimit64)
            }
        }

        var firstArguments: [UInt64] {
            switch self {
            case .cloneSibling: [Cloning.siblingFlags]
            case .startSession, .setLimit: []
            case .controlTerminal: [0, 0x540e]
            }
        }
    }

    /// Whether the filter lets a call pass; false for a program that uses what is not understood here.
    ///
    /// Runs the program (classic BPF, as libseccomp writes it) over the call's `struct seccomp_data`.
    package static func allows(_ call: Call, in program: [UInt8]) -> Bool {
        // nr u32, arch u32, instruction pointer u64, six arguments u64.
        var words = [UInt32](repeating: 0, count: 16)
        words[0] = UInt32(call.number)
        words[1] = architecture
        for (index, argument) in call.firstArguments.enumerated() {
            words[4 + 2 * index] = UInt32(truncatingIfNeeded: argument)
            words[5 + 2 * index] = UInt32(truncatingIfNeeded: argument >> 32)
        }
        // SECCOMP_RET_ALLOW, SECCOMP_RET_LOG.
        let action = verdict(of: program, over: words).map { $0 & 0xffff_0000 }
        return action == 0x7fff_0000 || action == 0x7ffc_0000
    }

    private static var architecture: UInt32 {
        #if arch(x86_64)
            0xc000_003e
        #else
            0xc000_00b7
        #endif
    }

    /// What the program returns; nil where it cannot be told. Jumps only go forwards, so it ends.
    private static func verdict(of program: [UInt8], over words: [UInt32]) -> UInt32? {
        var accumulator: UInt32 = 0
        var position = 0
        while (position + 1) * FilterInstruction.size <= program.count {
            guard let instruction = FilterInstruction(program, at: position) else { return nil }
            position += 1
            switch instruction.code {
            case .load:
                let word = Int(instruction.operand / 4)
                guard instruction.operand % 4 == 0, word < words.count else { return nil }
                accumulator = words[word]
            case .and: accumulator &= instruction.operand
            case .jump: position += Int(instruction.operand)
            case .ifEqual, .ifGreater, .ifNotLess, .ifAnyBit:
                position += instruction.distance(for: accumulator)
            case .verdict: return instruction.operand
            }
        }
        return nil
    }
}
