// SPDX-License-Identifier: Apache-2.0

/// A signal's number, read from `SIGTERM`, `term`, `15` or `RTMIN+3`.
package struct ContainerSignal: Hashable, Sendable {
    package let number: Int32

    package static let terminate = ContainerSignal(number: 15)
    package static let kill = ContainerSignal(number: 9)

    private init(number: Int32) { self.number = number }

    /// - Throws: `.invalidSignal` when Linux has no such signal.
    package init(_ text: String) throws(EngineError) {
        guard let number = ContainerSignal.number(of: text) else { throw .invalidSignal(text) }
        self.number = number
    }

    /// `SIGTERM`; real-time signals as `SIGRTMIN+3`.
    package var name: String {
        if let name = ContainerSignal.names.first(where: { $0.value == number })?.key { return "SIG" + name }
        return number == 34 ? "SIGRTMIN" : "SIGRTMIN+\(number - 34)"
    }

    private static func number(of text: String) -> Int32? {
        if let number = Int32(text) { return (1...64).contains(number) ? number : nil }
        var name = text.uppercased()
        if name.hasPrefix("SIG") { name.removeFirst(3) }
        if let number = names[name] ?? aliases[name] { return number }
        // The C library keeps 32 and 33 for itself: SIGRTMIN is 34.
        if name.hasPrefix("RTMIN") { return realTime(name.dropFirst(5), from: 34, sign: "+") }
        if name.hasPrefix("RTMAX") { return realTime(name.dropFirst(5), from: 64, sign: "-") }
        return nil
    }

    private static func realTime(_ rest: Substring, from base: Int32, sign: Character) -> Int32? {
        guard let first = rest.first else { return base }
        guard first == sign, let offset = Int32(rest.dropFirst()), (0...30).contains(offset) else {
            return nil
        }
        return sign == "+" ? base + offset : base - offset
    }

    private static let aliases: [String: Int32] = ["IOT": 6, "CLD": 17, "POLL": 29, "UNUSED": 31]

    private static let names: [String: Int32] = [
        "HUP": 1, "INT": 2, "QUIT": 3, "ILL": 4, "TRAP": 5, "ABRT": 6, "BUS": 7, "FPE": 8, "KILL": 9,
        "USR1": 10,
        "SEGV": 11, "USR2": 12, "PIPE": 13, "ALRM": 14, "TERM": 15, "STKFLT": 16, "CHLD": 17, "CONT": 18,
        "STOP": 19, "TSTP": 20, "TTIN": 21, "TTOU": 22, "URG": 23, "XCPU": 24, "XFSZ": 25, "VTALRM": 26,
        "PROF": 27, "WINCH": 28, "IO": 29, "PWR": 30, "SYS": 31,
    ]
}
