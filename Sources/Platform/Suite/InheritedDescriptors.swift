// SPDX-License-Identifier: Apache-2.0
package import System

/// The descriptors that petrel-init or systemd handed to this process (`LISTEN_FDS`, `LISTEN_FDNAMES`).
///
/// They keep their numbers from 3 on for as long as this value is held. `Main` takes them once, before
/// anything else opens a file, and holds them to the end: a restarted petrel-init fetches the listening
/// socket back from number 3.
package struct InheritedDescriptors: Sendable {
    package struct Entry: Sendable {
        package let name: String
        package let descriptor: SharedDescriptor
    }

    package let entries: [Entry]

    /// Takes what the environment announces and removes the announcement, so that no child believes it.
    ///
    /// `LISTEN_PID` must be this process's number where it is set; petrel-init, which spawns without a fork
    /// of its own code, leaves it out.
    package static func take() -> InheritedDescriptors {
        let number = SystemEnvironment.value(of: "LISTEN_FDS").flatMap(Int32.init) ?? 0
        let names = SystemEnvironment.value(of: "LISTEN_FDNAMES")?.split(
            separator: ":",
            omittingEmptySubsequences: false
        )
        let pid = SystemEnvironment.value(of: "LISTEN_PID").flatMap(Int32.init)
        for name in ["LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PID"] { SystemEnvironment.remove(name) }
        guard number > 0, pid == nil || pid == SystemEnvironment.processID else { return none }
        var entries: [Entry] = []
        for index in 0..<number where SystemEnvironment.isOpen(3 + index) {
            SystemEnvironment.closeOnExec(3 + index)
            let name =
                names.flatMap { $0.indices.contains(Int(index)) ? String($0[Int(index)]) : nil } ?? "unknown"
            entries.append(Entry(name: name, descriptor: SharedDescriptor(Descriptor(adopting: 3 + index))))
        }
        return InheritedDescriptors(entries: entries)
    }

    package static let none = InheritedDescriptors(entries: [])

    /// The first descriptor of that name.
    package subscript(name: String) -> SharedDescriptor? { entries.first { $0.name == name }?.descriptor }
}
