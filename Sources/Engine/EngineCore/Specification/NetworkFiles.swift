// SPDX-License-Identifier: Apache-2.0
internal import System

/// A container's `/etc/hostname`, `/etc/hosts` and `/etc/resolv.conf`: files of the engine's, mounted over the image's.
package struct NetworkFiles: Hashable, Sendable {
    let directory: String

    package var hostname: String { directory + "/hostname" }
    package var hosts: String { directory + "/hosts" }
    package var resolver: String { directory + "/resolv.conf" }

    /// Source on the host and place in the container.
    var mounts: [(source: String, target: String)] {
        [(resolver, "/etc/resolv.conf"), (hostname, "/etc/hostname"), (hosts, "/etc/hosts")]
    }

    /// Writes all three; repeating it is harmless.
    /// - Throws: `.file`, and `.invalidField` for a name or address that is none.
    func write(hostname name: String, settings: ContainerSettings) throws(EngineError) {
        let names = settings.names
        let base = settings.network == .host ? NetworkFiles.ofHost("/etc/hosts") : NetworkFiles.ownHosts
        let hosts = try NetworkFiles.hosts(base, adding: names.extraHosts)
        let resolver = NetworkFiles.resolver(NetworkFiles.ofHost("/etc/resolv.conf"), names)
        do throws(SystemError) {
            try Files.makeDirectories(directory, mode: 0o711)
            try put(hostname, name + "\n")
            try put(self.hosts, hosts)
            try put(self.resolver, resolver)
        } catch {
            throw .file(error)
        }
    }

    private func put(_ path: String, _ text: String) throws(SystemError) {
        // Written in place, not renamed: the container may write to its own, and a mount holds on to the file.
        let file = try Files.open(path, [.writeOnly, .create, .truncate], mode: 0o644)
        try Files.writeAll(file.raw, Array(text.utf8))
        try file.close()
    }

    private static func ofHost(_ path: String) -> String {
        String(decoding: (try? Files.contents(of: path, limit: 1 << 20)) ?? [], as: UTF8.self)
    }

    /// `base` with a line for each `name:address`.
    static func hosts(_ base: String, adding extra: [String]) throws(EngineError) -> String {
        var text = base
        if !extra.isEmpty, !text.isEmpty, !text.hasSuffix("\n") { text += "\n" }
        for entry in extra {
            let host = try ExtraHost(entry)
            text += "\(host.address)\t\(host.name)\n"
        }
        return text
    }

    /// `base` with its servers, search list and options replaced by those that are given.
    static func resolver(_ base: String, _ names: ContainerSettings.Names) -> String {
        var replaced: Set<Substring> = []
        if !names.servers.isEmpty { replaced.insert("nameserver") }
        if !names.search.isEmpty { replaced.formUnion(["search", "domain"]) }
        if !names.options.isEmpty { replaced.insert("options") }
        guard !replaced.isEmpty else { return base }
        var lines = base.split(separator: "\n").filter { line in
            let keyword = line.drop { $0 == " " || $0 == "\t" }.prefix { $0 != " " && $0 != "\t" }
            return !replaced.contains(keyword)
        }.map(String.init)
        lines += names.servers.map { "nameserver " + $0 }
        // A point alone: no search list at all.
        let search = names.search.filter { $0 != "." }
        if !search.isEmpty { lines.append("search " + search.joined(separator: " ")) }
        if !names.options.isEmpty { lines.append("options " + names.options.joined(separator: " ")) }
        return lines.joined(separator: "\n") + "\n"
    }

    private static let ownHosts = """
        127.0.0.1\tlocalhost
        ::1\tlocalhost ip6-localhost ip6-loopback
        fe00::\tip6-localnet
        ff00::\tip6-mcastprefix
        ff02::1\tip6-allnodes
        ff02::2\tip6-allrouters

        """
}
