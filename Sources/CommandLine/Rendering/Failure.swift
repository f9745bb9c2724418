// SPDX-License-Identifier: Apache-2.0

/// An error as the user sees it: what was asked, why not, and what to do.
package struct Failure: Error, Hashable, Sendable {
    package let what: String
    package let why: String
    /// May be empty.
    package let advice: String
    package let exitCode: Int32

    package init(_ what: String, _ why: String, advice: String = "", exitCode: Int32 = 1) {
        self.what = what
        self.why = why
        self.advice = advice
        self.exitCode = exitCode
    }

    /// `petrel: run alpine: no such image`, and the advice on a line of its own.
    package var lines: [String] {
        ["petrel: " + [what, why].filter { !$0.isEmpty }.joined(separator: ": ")]
            + (advice.isEmpty ? [] : [advice])
    }
}
