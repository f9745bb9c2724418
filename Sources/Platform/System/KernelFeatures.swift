// SPDX-License-Identifier: Apache-2.0
internal import CLinux
internal import Glibc

extension Mounts {
    /// mount_setattr(2) with `MOUNT_ATTR_IDMAP`: owners on a detached mount are shown as the user namespace maps them.
    /// - Throws: `EINVAL` when the kernel or the file system cannot do that.
    package static func mapOwners(_ mount: Int32, by userNamespace: Int32) throws(SystemError) {
        // struct mount_attr: attr_set, attr_clr, propagation, userns_fd, u64 each.
        let record: [UInt64] = [0x10_0000, 0, 0, UInt64(userNamespace)]
        let (result, code) = record.withUnsafeBytes { record in
            "".withCString { path in
                let result = petrel_syscall(
                    442,
                    Int(mount),
                    Int(bitPattern: path),
                    0x1000,
                    Int(bitPattern: record.baseAddress),
                    32,
                    0
                )
                return (result, errno)
            }
        }
        guard result == 0 else { throw SystemError("mount_setattr(MOUNT_ATTR_IDMAP)", code: code) }
    }
}

/// The kernel's packet filter, as seen by a process with CAP_NET_ADMIN in its network namespace.
package enum PacketFilter {
    /// Asks nf_tables for its generation (`NFT_MSG_GETGEN`), which loads the module where the kernel may.
    /// - Throws: `EPROTONOSUPPORT`, `EINVAL` or `EOPNOTSUPP` when there is none.
    package static func ask() throws(SystemError) {
        let raw = Glibc.socket(16, Int32(SOCK_RAW.rawValue) | O_CLOEXEC, 12)
        guard raw >= 0 else { throw SystemError("socket(NETLINK_NETFILTER)", code: errno) }
        let socket = Descriptor(adopting: raw)
        // struct nlmsghdr: length u32, type u16 (subsystem 10, message 16), flags u16 (request), sequence, port;
        // struct nfgenmsg: family u8, version u8, resource u16.
        let request: [UInt8] = [20, 0, 0, 0, 16, 10, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
        guard Glibc.send(socket.raw, request, request.count, 0) == request.count else {
            throw SystemError("send(NFT_MSG_GETGEN)", code: errno)
        }
        var entries = [Poll.Entry(socket.raw)]
        try Poll.wait(&entries, deadlineNanos: Clock.bootNanos + 2_000_000_000)
        var answer = [UInt8](repeating: 0, count: 4096)
        let count = Glibc.recv(socket.raw, &answer, answer.count, 0x40)
        guard count >= 20 else { throw SystemError("recv(NFT_MSG_NEWGEN)", code: count < 0 ? errno : EPROTO) }
        // NLMSG_ERROR: the negative error number behind the header.
        guard answer[4] != 2 || answer[5] != 0 else {
            let bits = (16..<20).reversed().reduce(UInt32(0)) { $0 << 8 | UInt32(answer[$1]) }
            throw SystemError("NFT_MSG_GETGEN", code: -Int32(bitPattern: bits))
        }
    }
}
