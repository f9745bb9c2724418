// SPDX-License-Identifier: Apache-2.0

/// The process at the other end of a Unix socket, as the kernel recorded it when it connected.
package struct PeerCredentials: Hashable, Sendable {
    package let pid: Int32
    package let uid: UInt32
    package let gid: UInt32

    package init(pid: Int32, uid: UInt32, gid: UInt32) {
        self.pid = pid
        self.uid = uid
        self.gid = gid
    }
}
