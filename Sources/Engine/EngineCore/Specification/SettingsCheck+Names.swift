// SPDX-License-Identifier: Apache-2.0
internal import System

/// The rules of namespaces, names and kernel parameters, and which of them exclude each other.
extension ContainerSettings {
    func checkNamespaces() throws(EngineError) {
        if namespaces.sharesHostNames {
            guard hostname.isEmpty else {
                throw .invalidField("hostname", "conflicting options: hostname and the UTS mode")
            }
            guard names.domainname.isEmpty else {
                throw .invalidField("domainname", "conflicting options: domainname and the UTS mode")
            }
        }
        if case .container = network {
            guard hostname.isEmpty else {
                throw .invalidField("hostname", "conflicting options: hostname and the network mode")
            }
            guard names.servers.isEmpty, names.search.isEmpty, names.options.isEmpty else {
                throw .invalidField("dns", "conflicting options: dns and the network mode")
            }
            guard names.extraHosts.isEmpty else {
                let text = "conflicting options: custom host-to-IP mapping and the network mode"
                throw .invalidField("extra hosts", text)
            }
        }
        try checkCgroupParent()
        try checkSysctls()
    }

    private func checkCgroupParent() throws(EngineError) {
        guard !cgroupParent.isEmpty else { return }
        let parts = cgroupParent.split(separator: "/")
        let isPlain = parts.allSatisfy { part in
            part != "." && part != ".." && part.utf8.count <= 255
                && part.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != 0x5c }
        }
        guard !parts.isEmpty, parts.count <= 16, isPlain else {
            throw .invalidField(
                "cgroup parent",
                "invalid cgroup parent \"\(cgroupParent)\"",
                advice: "give a path such as /work/batch"
            )
        }
    }

    private static let ipcSysctls: Set<String> = [
        "kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.sem", "kernel.shmall", "kernel.shmmax",
        "kernel.shmmni", "kernel.shm_rmid_forced",
    ]

    /// Only what a namespace of the container has of its own; the rest would change the machine.
    private func checkSysctls() throws(EngineError) {
        guard sysctls.count <= 1024 else { throw .invalidField("sysctl", "more than 1024 sysctls") }
        for (name, value) in sysctls {
            let dotted = name.contains(".") ? name : name.replacing(slashesWith: ".")
            let isPlain =
                name.utf8.count <= 256 && !dotted.isEmpty && !name.utf8.contains(0)
                && dotted.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { !$0.isEmpty }
                && !name.contains("..")
            guard isPlain, !value.utf8.contains(0), value.utf8.count <= 4096 else {
                throw .invalidField("sysctl", "the sysctl \"\(name)\" is no name, or its value is too long")
            }
            if dotted.hasPrefix("net.") {
                guard network != .host else {
                    throw .invalidField(
                        "sysctl",
                        "sysctl \"\(name)\" is not allowed with the network mode host"
                    )
                }
            } else if dotted.hasPrefix("fs.mqueue.") || ContainerSettings.ipcSysctls.contains(dotted) {
                guard namespaces.ipc != .host else {
                    throw .invalidField("sysctl", "sysctl \"\(name)\" is not allowed with the IPC mode host")
                }
            } else {
                throw .invalidField(
                    "sysctl",
                    "sysctl \"\(name)\" is not allowed: it would change the machine, not the container alone",
                    advice: "net.*, fs.mqueue.* and kernel.shm* and kernel.msg* can be set"
                )
            }
        }
    }

    // MARK: - Names

    func checkNames() throws(EngineError) {
        guard names.domainname.utf8.count <= 64, !names.domainname.utf8.contains(0) else {
            throw .invalidField(
                "domainname",
                "the domain name is longer than 64 bytes: \"\(names.domainname)\""
            )
        }
        for text in names.extraHosts { _ = try ExtraHost(text) }
        for server in names.servers where !IPAddress.isValid(server) {
            throw .invalidField("dns", "\(server) is not an ip address")
        }
        for domain in names.search {
            let isPlain =
                domain == "." || !domain.isEmpty && domain.utf8.allSatisfy(ContainerSettings.isDomainByte)
            guard isPlain, domain.utf8.count <= 255 else {
                throw .invalidField("dns search", "\(domain) is not a valid domain")
            }
        }
        for option in names.options {
            guard !option.isEmpty, option.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
                throw .invalidField("dns option", "\"\(option)\" is no option of resolv.conf(5)")
            }
        }
        let count = names.extraHosts.count + names.servers.count + names.search.count + names.options.count
        guard count <= 4096 else { throw .invalidField("extra hosts", "more than 4096 names and servers") }
        for (name, value) in annotations {
            guard !name.isEmpty, !(name + value).utf8.contains(0),
                name.utf8.count + value.utf8.count <= 64 << 10
            else { throw .invalidField("annotation", "an annotation without a name, or larger than 64 KiB") }
        }
        guard annotations.count <= 1024 else {
            throw .invalidField("annotation", "more than 1024 annotations")
        }
    }

    private static func isDomainByte(_ byte: UInt8) -> Bool {
        0x30...0x39 ~= byte || 0x41...0x5a ~= byte || 0x61...0x7a ~= byte
            || [0x2d, 0x2e, 0x5f].contains(byte)
    }
}

/// `name:address` or `name=address` of `--add-host`.
struct ExtraHost: Hashable {
    let name: String
    let address: String

    init(_ text: String) throws(EngineError) {
        guard let mark = text.firstIndex(of: "=") ?? text.firstIndex(of: ":") else {
            throw .invalidField(
                "extra hosts",
                "bad format for add-host: \"\(text)\"",
                advice: "write name:address"
            )
        }
        name = String(text[..<mark])
        var address = String(text[text.index(after: mark)...])
        if address.hasPrefix("["), address.hasSuffix("]") { address = String(address.dropFirst().dropLast()) }
        self.address = address
        guard !name.isEmpty, name.utf8.count <= 255,
            name.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f && $0 != 0x23 })
        else { throw .invalidField("extra hosts", "bad format for add-host: \"\(text)\"") }
        guard address != "host-gateway" else {
            throw .invalidField(
                "extra hosts",
                "host-gateway in \"\(text)\" needs a network with a gateway, which do not exist yet",
                advice: "give an address"
            )
        }
        guard IPAddress.isValid(address) else {
            throw .invalidField("extra hosts", "invalid IP address in add-host: \"\(address)\"")
        }
    }
}

extension String {
    /// A sysctl's name as a path becomes one with dots.
    func replacing(slashesWith dot: Character) -> String { String(map { $0 == "/" ? dot : $0 }) }
}
