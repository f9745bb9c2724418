// SPDX-License-Identifier: Apache-2.0

/// An image's name taken apart for a table: `localhost:5000/web:1.2@sha256:…`.
package struct ImageName: Hashable, Sendable {
    package let repository: String
    /// `<none>` where there is none.
    package let tag: String
    /// `<none>` where there is none.
    package let digest: String

    package init(_ text: String) {
        let halves = text.split(separator: "@", maxSplits: 1).map(String.init)
        let name = halves.first ?? ""
        digest = halves.count == 2 ? halves[1] : "<none>"
        // A colon before the last slash belongs to the registry's port.
        let last = name.lastIndex(of: "/").map { name.index(after: $0) } ?? name.startIndex
        if name != "<none>", let colon = name[last...].lastIndex(of: ":") {
            repository = String(name[..<colon])
            tag = String(name[name.index(after: colon)...])
        } else {
            repository = name
            tag = "<none>"
        }
    }
}
