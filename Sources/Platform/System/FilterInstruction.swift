// SPDX-License-Identifier: Apache-2.0

/// One instruction of classic BPF, as in `struct sock_filter`: code u16, jump if true u8, jump if false u8, operand u32, all
/// little-endian.
package struct FilterInstruction: Hashable, Sendable {
    /// The operations that programs of libseccomp, and ours, consist of.
    package enum Code: UInt16, Sendable {
        case load = 0x20
        case and = 0x54
        case jump = 0x05
        case ifEqual = 0x15
        case ifGreater = 0x25
        case ifNotLess = 0x35
        case ifAnyBit = 0x45
        case verdict = 0x06
    }

    package static let size = 8

    /// Bytes of a call's description (`struct seccomp_data`) at which these begin.
    package static let number: UInt32 = 0
    package static let architecture: UInt32 = 4

    package var code: Code
    package var ifTrue: UInt8
    package var ifFalse: UInt8
    package var operand: UInt32

    package init(_ code: Code, ifTrue: UInt8 = 0, ifFalse: UInt8 = 0, operand: UInt32) {
        self.code = code
        self.ifTrue = ifTrue
        self.ifFalse = ifFalse
        self.operand = operand
    }

    /// The one at `index` of a program, which must be that long.
    /// - Returns: nil for another operation.
    package init?(_ program: [UInt8], at index: Int) {
        let at = index * Self.size
        guard let code = Code(rawValue: UInt16(program[at]) | UInt16(program[at + 1]) << 8) else {
            return nil
        }
        let operand = (0..<4).reduce(UInt32(0)) { $0 | UInt32(program[at + 4 + $1]) << (8 * UInt32($1)) }
        self.init(code, ifTrue: program[at + 2], ifFalse: program[at + 3], operand: operand)
    }

    package var bytes: [UInt8] {
        [UInt8(code.rawValue & 0xff), UInt8(code.rawValue >> 8), ifTrue, ifFalse]
            + (0..<4).map { UInt8(truncatingIfNeeded: operand >> (8 * UInt32($0))) }
    }

    /// How many instructions a comparison of `value` passes over.
    package func distance(for value: UInt32) -> Int {
        let holds =
            switch code {
            case .ifEqual: value == operand
            case .ifGreater: value > operand
            case .ifNotLess: value >= operand
            case .ifAnyBit: value & operand != 0
            case .load, .and, .jump, .verdict: false
            }
        return Int(holds ? ifTrue : ifFalse)
    }
}
