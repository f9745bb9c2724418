// SPDX-License-Identifier: Apache-2.0
package import System

/// A keeper that is there before there is a container for it.
extension Keeper.Options {
    private static let name = "petrel-keeper"
    private static let digits = 64

    /// Waits for the id of the container that this is the keeper of, and takes its name: the last parts of the directories,
    /// and the program's own. Rightly endless; it ends with the connection.
    /// - Returns: The connection, for what follows; nil when it has ended.
    /// - Throws: `EINVAL` for what is no id.
    package mutating func waitForContainer(at connection: consuming Descriptor?) throws(SystemError)
        -> Descriptor?
    {
        guard let connection else { return nil }
        let socket = SequencedSocket(adopting: connection)
        guard let message = try socket.receive(limit: Self.digits) else { return nil }
        let id = String(decoding: message.bytes, as: UTF8.self)
        let isDigit: (UInt8) -> Bool = { ($0 >= 0x30 && $0 <= 0x39) || ($0 >= 0x61 && $0 <= 0x66) }
        guard message.bytes.count == Self.digits, message.bytes.allSatisfy(isDigit) else {
            throw SystemError("container id", path: id, code: KeeperError.invalid)
        }
        let before = (directory, runDirectory)
        directory = Self.path(directory, of: id)
        runDirectory = Self.path(runDirectory, of: id)
        // Whoever looks for the container's keeper knows it by these.
        CurrentProcess.changeArguments { index, argument in
            switch argument {
            case before.0: directory
            case before.1: runDirectory
            default: index == 0 ? Self.name : argument
            }
        }
        try Threads.setName(Self.name)
        return socket.relinquish()
    }

    private static func path(_ placeholder: String, of id: String) -> String {
        placeholder.dropLast(digits) + id
    }
}
