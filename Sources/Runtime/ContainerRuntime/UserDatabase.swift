// SPDX-License-Identifier: Apache-2.0
package import System

/// A container's own /etc/passwd and /etc/group, read once, beneath its root, at most 8 MiB each.
///
/// Lines that are not understood, or whose numbers are above 2^31 - 1, are passed over, as the C library does.
package struct UserDatabase: Hashable, Sendable {
    package struct User: Hashable, Sendable {
        package let name: String
        package let uid: UInt32
        package let gid: UInt32
        package let home: String
    }

    package struct Group: Hashable, Sendable {
        package let name: String
        package let gid: UInt32
        package let members: [String]
    }

    /// Who a process is to be.
    package struct Identity: Hashable, Sendable {
        package let uid: UInt32
        package let gid: UInt32
        package let groups: [UInt32]
        /// `/` for a user without an entry.
        package let home: String

        package init(uid: UInt32, gid: UInt32, groups: [UInt32], home: String) {
            self.uid = uid
            self.gid = gid
            self.groups = groups
            self.home = home
        }
    }

    package let users: [User]
    package let groups: [Group]

    package init(passwd: String, group: String) {
        users = passwd.split(separator: "\n").compactMap { line in
            let fields = line.split(separator: ":", omittingEmptySubsequences: false)
            guard fields.count >= 4, let uid = Self.number(fields[2]), let gid = Self.number(fields[3]) else {
                return nil
            }
            return User(
                name: String(fields[0]),
                uid: uid,
                gid: gid,
                home: fields.count > 5 ? String(fields[5]) : ""
            )
        }
        groups = group.split(separator: "\n").compactMap { line in
            let fields = line.split(separator: ":", omittingEmptySubsequences: false)
            guard fields.count >= 3, let gid = Self.number(fields[2]) else { return nil }
            let members = fields.count > 3 ? fields[3].split(separator: ",").map(String.init) : []
            return Group(name: String(fields[0]), gid: gid, members: members)
        }
    }

    /// - Parameter root: A descriptor of the container's root directory.
    package init(beneath root: Int32) throws(SystemError) {
        let root = ContainerRoot(directory: root)
        self.init(
            passwd: try root.text(of: "/etc/passwd", limit: 8 << 20),
            group: try root.text(of: "/etc/group", limit: 8 << 20)
        )
    }

    /// Resolves Docker's `user[:group]`, each a name or a number.
    ///
    /// A number needs no entry. Without a group it is the entry's (0 where there is none) and the groups that list the
    /// user are added; with one, it is the only group. It is among the supplementary groups too, as after a login: a
    /// program that changes its primary group does not leave it.
    /// - Throws: `ENOENT` with the name that has no entry.
    package func resolve(_ text: String) throws(SystemError) -> Identity {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(
            String.init
        )
        let name = parts.first ?? ""
        let entry = name.isEmpty ? users.first { $0.uid == 0 } : user(named: name)
        guard let uid = entry?.uid ?? (name.isEmpty ? 0 : Self.number(name)) else {
            throw SystemError("find user", path: name, code: 2)
        }
        let home = entry.flatMap { $0.home.isEmpty ? nil : $0.home } ?? "/"
        if parts.count == 2, !parts[1].isEmpty {
            guard let gid = groupNumber(parts[1]) else {
                // All of it: alone, the group's name reads as the user's.
                throw SystemError("find group", path: text, code: 2)
            }
            return Identity(uid: uid, gid: gid, groups: [gid], home: home)
        }
        let gid = entry?.gid ?? 0
        let added = entry.map { entry in groups.filter { $0.members.contains(entry.name) }.map(\.gid) } ?? []
        return Identity(uid: uid, gid: gid, groups: [gid] + added.filter { $0 != gid }, home: home)
    }

    /// The number of a group by its name, or of a number.
    /// - Throws: `ENOENT` with the name that has no entry.
    package func group(called name: String) throws(SystemError) -> UInt32 {
        guard let gid = groupNumber(name) else { throw SystemError("find group", path: name, code: 2) }
        return gid
    }

    private func groupNumber(_ name: String) -> UInt32? {
        groups.first { $0.name == name }?.gid ?? Self.number(name)
    }

    /// The home of a user by number; `/` without an entry.
    package func home(of uid: UInt32) -> String {
        users.first { $0.uid == uid && !$0.home.isEmpty }?.home ?? "/"
    }

    private func user(named name: String) -> User? {
        users.first { $0.name == name } ?? Self.number(name).flatMap { uid in users.first { $0.uid == uid } }
    }

    /// Numbers as Docker takes them: to 2^31 - 1. The kernel takes the highest of its own for "as before", that is root.
    private static func number(_ text: some StringProtocol) -> UInt32? {
        guard text.allSatisfy({ $0.isASCII && $0.isNumber }), let value = UInt32(text), value <= 0x7fff_ffff
        else {
            return nil
        }
        return value
    }
}
