// SPDX-License-Identifier: Apache-2.0

/// A source or destination of `cp`: `CONTAINER:PATH`, or a path of this machine.
///
/// Source followed: docker/cli, `splitCpArg`: what begins with `/` or `.` is of this machine, whatever colons it has.
package enum CopyArgument: Hashable, Sendable {
    case local(String)
    case container(String, path: String)

    package init(_ text: String) {
        guard !text.hasPrefix("/"), !text.hasPrefix("."), let colon = text.firstIndex(of: ":"),
            colon > text.startIndex
        else {
            self = .local(text)
            return
        }
        self = .container(String(text[..<colon]), path: String(text[text.index(after: colon)...]))
    }
}
