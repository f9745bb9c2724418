// SPDX-License-Identifier: Apache-2.0
internal import CLinux
internal import Glibc

/// Kinds of namespaces, as clone(2), unshare(2) and setns(2) spell them.
package struct NamespaceKinds: OptionSet, Hashable, Sendable {
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }

    package static let time = NamespaceKinds(rawValue: 0x80)
    package static let mount = NamespaceKinds(rawValue: 0x2_0000)
    package static let cgroup = NamespaceKinds(rawValue: 0x200_0000)
    package static let uts = NamespaceKinds(rawValue: 0x400_0000)
    package static let ipc = NamespaceKinds(rawValue: 0x800_0000)
    package static let user = NamespaceKinds(rawValue: 0x1000_0000)
    package static let process = NamespaceKinds(rawValue: 0x2000_0000)
    package static let network = NamespaceKinds(rawValue: 0x4000_0000)
}

/// Moving the calling thread between namespaces. For processes with one thread, or threads made for it.
package enum Namespaces {
    /// unshare(2).
    package static func unshare(_ kinds: NamespaceKinds) throws(SystemError) {
        guard petrel_syscall(Int(SYS_unshare), Int(kinds.rawValue), 0, 0, 0, 0, 0) == 0 else {
            throw SystemError("unshare", code: errno)
        }
    }

    /// setns(2): enters the namespaces of a process (pidfd), or the one namespace that a descriptor is.
    package static func enter(_ descriptor: Int32, _ kinds: NamespaceKinds) throws(SystemError) {
        guard petrel_syscall(Int(SYS_setns), Int(descriptor), Int(kinds.rawValue), 0, 0, 0, 0) == 0 else {
            throw SystemError("setns", code: errno)
        }
    }
}

/// This machine's kernel and names.
package enum Host {
    /// uname(2), release: `6.18.4-amd64`.
    package static var kernelRelease: String {
        var names = utsname()
        guard uname(&names) == 0 else { return "" }
        return withUnsafeBytes(of: &names.release) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }

    /// sethostname(2), in the thread's UTS namespace.
    package static func setName(_ name: String) throws(SystemError) {
        guard sethostname(name, name.utf8.count) == 0 else {
            throw SystemError("sethostname", path: name, code: errno)
        }
    }

    /// setdomainname(2), in the thread's UTS namespace.
    package static func setDomainName(_ name: String) throws(SystemError) {
        guard setdomainname(name, name.utf8.count) == 0 else {
            throw SystemError("setdomainname", path: name, code: errno)
        }
    }
}

/// Network interfaces of the calling thread's network namespace.
package enum NetworkInterfaces {
    /// Sets an interface up; harmless when it is.
    package static func setUp(_ name: String) throws(SystemError) {
        let raw = Glibc.socket(AF_INET, Int32(SOCK_DGRAM.rawValue) | O_CLOEXEC, 0)
        guard raw >= 0 else { throw SystemError("socket", code: errno) }
        let socket = Descriptor(adopting: raw)
        // struct ifreq, 40 bytes: name (16), then the flags, u16.
        var request = [UInt8](repeating: 0, count: 40)
        for (index, byte) in name.utf8.prefix(15).enumerated() { request[index] = byte }
        guard petrel_ioctl(socket.raw, 0x8913, &request) == 0 else {
            throw SystemError("ioctl(SIOCGIFFLAGS)", path: name, code: errno)
        }
        request[16] |= 0x01  // IFF_UP
        guard petrel_ioctl(socket.raw, 0x8914, &request) == 0 else {
            throw SystemError("ioctl(SIOCSIFFLAGS)", path: name, code: errno)
        }
    }
}
