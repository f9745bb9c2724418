// SPDX-License-Identifier: Apache-2.0

/// One instruction of classic BPF, as in `struct sock_filter`.
struct FilterInstruction: Hashable {
    /// The operations that programs of libseccomp, and ours, consist of.
    enum Code: UInt16 {
        case load = 0x20
        case and = 0x54
        case jump = 0x05
        case ifEqual = 0x15
        case ifGreater = 0x25
        case ifNotLess = 0x35
        case ifAnyBit = 0x45
        case verdict = 0x06
    }

    /// Bytes of a call's description (`struct seccomp_data`) at which these begin.
    static let number: UInt32 = 0
    static let architecture: UInt32 = 4

    var code: Code
    var ifTrue: UInt8 = 0
    var ifFalse: UInt8 = 0
    var operand: UInt32 = 0

    /// - Returns: nil for a program with other operations.
    static func all(in bytes: [UInt8]) -> [FilterInstruction]? {
        var program: [FilterInstruction] = []
        for at in stride(from: 0, to: bytes.count, by: 8) {
            let operand = (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[at + 4 + $1]) << (8 * UInt32($1)) }
            guard let code = Code(rawValue: UInt16(bytes[at]) | UInt16(bytes[at + 1]) << 8) else {
                return nil
            }
            program.append(.init(code: code, ifTrue: bytes[at + 2], ifFalse: bytes[at + 3], operand: operand))
        }
        return program
    }

    var bytes: [UInt8] {
        [UInt8(code.rawValue & 0xff), UInt8(code.rawValue >> 8), ifTrue, ifFalse]
            + (0..<4).map { UInt8(truncatingIfNeeded: operand >> (8 * UInt32($0))) }
    }

    /// Whether a value takes the first of the two ways.
    func holds(_ value: UInt32) -> Bool {
        switch code {
        case .ifEqual: value == operand
        case .ifGreater: value > operand
        case .ifNotLess: value >= operand
        case .ifAnyBit: value & operand != 0
        case .load, .and, .jump, .verdict: false
        }
    }
}
