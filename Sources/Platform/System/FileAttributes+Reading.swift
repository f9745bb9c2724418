// SPDX-License-Identifier: Apache-2.0
internal import CLinux
internal import Glibc

/// Reading extended attributes of open files, and what links say.
extension Files {
    /// flistxattr(2), at most 64 KiB; empty where the file system has none.
    package static func attributeNames(ofDescriptor file: Int32) throws(SystemError) -> [String] {
        guard let bytes = try extendedData("flistxattr", { flistxattr(file, $0, $1) }) else { return [] }
        return bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    }

    /// fgetxattr(2), at most 64 KiB; nil when the file has no such attribute.
    package static func attribute(_ name: String, ofDescriptor file: Int32) throws(SystemError) -> [UInt8]? {
        try extendedData("fgetxattr") { fgetxattr(file, name, $0, $1) }
    }

    private static func extendedData(
        _ call: String,
        _ body: (UnsafeMutablePointer<CChar>?, Int) -> Int
    ) throws(SystemError) -> [UInt8]? {
        // Most files have none, which a call without a buffer says.
        let size = body(nil, 0)
        var code = size < 0 ? errno : 0
        if code == ENODATA || code == ENOTSUP { return nil }
        guard code == 0 else { throw SystemError(call, code: code) }
        guard size > 0 else { return [] }
        // It may have grown since.
        let bytes = [UInt8](unsafeUninitializedCapacity: 65_536) { buffer, count in
            let got = buffer.withMemoryRebound(to: CChar.self) { body($0.baseAddress, $0.count) }
            code = got < 0 ? errno : 0
            count = max(0, got)
        }
        if code == ENODATA { return nil }
        guard code == 0 else { throw SystemError(call, code: code) }
        return bytes
    }

    /// readlinkat(2): what a symbolic link says, byte for byte, at most 4,095.
    package static func linkBytes(
        of path: UnsafePointer<CChar>,
        at directory: Int32
    ) throws(SystemError) -> [UInt8] {
        var code: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: 4_096) { buffer, count in
            let size = buffer.withMemoryRebound(to: CChar.self) {
                guard let base = $0.baseAddress else { return 0 }
                return readlinkat(directory, path, base, $0.count)
            }
            code = size < 0 ? errno : 0
            count = max(0, size)
        }
        guard code == 0 else { throw SystemError("readlinkat", path: String(cString: path), code: code) }
        return bytes
    }
}
