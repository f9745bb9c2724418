// SPDX-License-Identifier: Apache-2.0

/// What one process of this kind is asked to do: its command line, read.
package struct CopyTask: Hashable, Sendable {
    package enum Operation: String, Sendable { case status, read, write }

    package var operation: Operation
    /// The container's directory: `config.json`, `container.pb`.
    package var directory: String
    /// In the container.
    package var path: String
    /// A directory is not replaced by anything else, and nothing else by a directory.
    package var keepsKinds = false
    /// What is written belongs to the container's user.
    package var isForUser = false

    package static let usage =
        "petrel-keeper --archive status|read|write --directory DIR --path PATH [--keep-kinds] [--for-user]"

    /// - Parameter arguments: Behind `--archive`. Nil for what is none of that.
    package init?(_ arguments: [String]) {
        var rest = arguments[...]
        guard let word = rest.popFirst(), let operation = Operation(rawValue: word) else { return nil }
        var (directory, path): (String?, String?)
        var (keepsKinds, isForUser) = (false, false)
        while let argument = rest.popFirst() {
            switch argument {
            case "--directory": directory = rest.popFirst()
            case "--path": path = rest.popFirst()
            case "--keep-kinds": keepsKinds = true
            case "--for-user": isForUser = true
            default: return nil
            }
        }
        guard let directory, let path, directory.hasPrefix("/") else { return nil }
        self.operation = operation
        self.directory = directory
        self.path = path
        self.keepsKinds = keepsKinds
        self.isForUser = isForUser
    }
}
