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
    /// - Throws: `.file`.
    func write(hostname name: String, network: ContainerSettings.NetworkMode) throws(EngineError) {
        do throws(SystemError) {
            try Files.makeDirectories(directory, mode: 0o711)
            try put(hostname, Array((name + "\n").utf8))
            try put(hosts, network == .host ? NetworkFiles.ofHost("/etc/hosts") : NetworkFiles.ownHosts)
            try put(resolver, NetworkFiles.ofHost("/etc/resolv.conf"))
        } catch {
            throw .file(error)
        }
    }

    private func put(_ path: String, _ bytes: [UInt8]) throws(SystemError) {
        // Written in place, not renamed: the container may write to its own, and a mount holds on to the file.
        let file = try Files.open(path, [.writeOnly, .create, .truncate], mode: 0o644)
        try Files.writeAll(file.raw, bytes)
        try file.close()
    }

    private static func ofHost(_ path: String) -> [UInt8] {
        (try? Files.contents(of: path, limit: 1 << 20)) ?? []
    }

    private static let ownHosts = Array(
        """
        127.0.0.1\tlocalhost
        ::1\tlocalhost ip6-localhost ip6-loopback
        fe00::\tip6-localnet
        ff00::\tip6-mcastprefix
        ff02::1\tip6-allnodes
        ff02::2\tip6-allrouters

        """.utf8
    )
}
