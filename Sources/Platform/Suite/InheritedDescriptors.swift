// SPDX-License-Identifier: Apache-2.0
internal import Synchronization
package import System

/// The descriptors that petrel-init or systemd handed to this process (`LISTEN_FDS`, `LISTEN_FDNAMES`).
///
/// Listening sockets keep their numbers from 3 on for as long as this object is held. `Main` takes them once, before
/// anything else opens a file, and holds them to the end: a restarted petrel-init fetches the listening socket back from
/// number 3. Stored descriptors belong to whoever takes them out: a copy that stayed here would hide the end of a pipe.
package final class InheritedDescriptors: Sendable {
    package struct Entry: Sendable {
        package let name: String
        package let descriptor: SharedDescriptor
    }

    private let entries: Mutex<[Entry]>

    private init(_ entries: [Entry]) { self.entries = Mutex(entries) }

    /// Takes what the environment announces and removes the announcement, so that no child believes it.
    ///
    /// `LISTEN_PID` must be this process's number where it is set; petrel-init, which spawns without a fork
    /// of its own code, leaves it out.
    package static func take() -> InheritedDescriptors {
        let number = SystemEnvironment.value(of: "LISTEN_FDS").flatMap(Int32.init) ?? 0
        let names = takeNames()
        let pid = SystemEnvironment.value(of: "LISTEN_PID").flatMap(Int32.init)
        for name in ["LISTEN_FDS", "LISTEN_PID"] { SystemEnvironment.remove(name) }
        guard number > 0, pid == nil || pid == SystemEnvironment.processID else { return none }
        var entries: [Entry] = []
        for index in 0..<number where SystemEnvironment.isOpen(3 + index) {
            SystemEnvironment.closeOnExec(3 + index)
            let name = names.indices.contains(Int(index)) ? names[Int(index)] : "unknown"
            entries.append(Entry(name: name, descriptor: SharedDescriptor(Descriptor(adopting: 3 + index))))
        }
        return InheritedDescriptors(entries)
    }

    package static let none = InheritedDescriptors([])

    /// The first descriptor of that name.
    package subscript(name: String) -> SharedDescriptor? {
        entries.withLock { entries in entries.first { $0.name == name }?.descriptor }
    }

    /// Takes out the descriptors whose names `condition` wants.
    package func take(where condition: (String) -> Bool) -> [Entry] {
        entries.withLock { entries in
            let taken = entries.filter { condition($0.name) }
            entries.removeAll { condition($0.name) }
            return taken
        }
    }

    /// The announced names; what does not fit into one variable goes on in `LISTEN_FDNAMES_1`, and so on.
    package static func takeNames() -> [String] {
        var names: [String] = []
        var variable = "LISTEN_FDNAMES"
        var index = 0
        while let text = SystemEnvironment.value(of: variable) {
            SystemEnvironment.remove(variable)
            names += text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
            index += 1
            variable = "LISTEN_FDNAMES_\(index)"
        }
        return names
    }
}
