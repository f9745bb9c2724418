// SPDX-License-Identifier: Apache-2.0
internal import CLinux
internal import Glibc

/// Writing at a place in an open file, and making that durable.
extension Files {
    /// pwrite(2) of all of `bytes`, continuing after partial writes.
    package static func write(_ file: Int32, _ bytes: [UInt8], offset: Int64) throws(SystemError) {
        var done = 0
        while done < bytes.count {
            let count = bytes[done...].withUnsafeBytes {
                Glibc.pwrite(file, $0.baseAddress, $0.count, off_t(offset) + off_t(done))
            }
            let code = errno
            if count >= 0 {
                done += count
            } else if code != EINTR {
                throw SystemError("pwrite", code: code)
            }
        }
    }

    /// write(2) once, for pipes, sockets and terminals.
    /// - Returns: How many bytes were taken.
    /// - Throws: `EAGAIN` when a non-blocking descriptor has no room; `EPIPE` (the caller ignores SIGPIPE).
    package static func writeSome(_ file: Int32, _ bytes: some RandomAccessCollection<UInt8>)
        throws(SystemError) -> Int
    {
        let copy = Array(bytes)
        while true {
            let count = copy.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
            if count >= 0 { return count }
            let code = errno
            guard code == EINTR else { throw SystemError("write", code: code) }
        }
    }

    /// read(2) once: at most `limit` bytes; empty at the end.
    /// - Throws: `EAGAIN` when a non-blocking descriptor has none.
    package static func readSome(_ file: Int32, limit: Int) throws(SystemError) -> [UInt8] {
        var code: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
            while true {
                let result = Glibc.read(file, buffer.baseAddress, limit)
                code = result < 0 ? errno : 0
                count = max(0, result)
                if code != EINTR { return }
            }
        }
        guard code == 0 else { throw SystemError("read", code: code) }
        return bytes
    }

    /// pread(2): at most `count` bytes at `offset`; fewer at the end of the file.
    package static func bytes(of file: Int32, offset: Int64, count: Int) throws(SystemError) -> [UInt8] {
        var failure: SystemError?
        let result = [UInt8](unsafeUninitializedCapacity: count) { buffer, size in
            while size < count {
                let rest = UnsafeMutableRawBufferPointer(
                    rebasing: UnsafeMutableRawBufferPointer(buffer)[size...]
                )
                do throws(SystemError) {
                    let got = try read(file, into: rest, offset: offset + Int64(size))
                    if got == 0 { return }
                    size += got
                } catch {
                    failure = error
                    return
                }
            }
        }
        if let failure { throw failure }
        return result
    }

    /// ftruncate(2).
    package static func truncate(_ file: Int32, toBytes size: Int64) throws(SystemError) {
        guard Glibc.ftruncate(file, off_t(size)) == 0 else { throw SystemError("ftruncate", code: errno) }
    }

    /// fdatasync(2).
    package static func syncData(_ file: Int32) throws(SystemError) {
        guard Glibc.fdatasync(file) == 0 else { throw SystemError("fdatasync", code: errno) }
    }

    /// Sets or clears `O_NONBLOCK` on the open file description, for all who share it.
    package static func setNonBlocking(_ file: Int32, _ isNonBlocking: Bool = true) throws(SystemError) {
        let flags = petrel_fcntl(file, F_GETFL, 0)
        guard flags >= 0 else { throw SystemError("fcntl(F_GETFL)", code: errno) }
        let wanted = isNonBlocking ? flags | O_NONBLOCK : flags & ~O_NONBLOCK
        guard petrel_fcntl(file, F_SETFL, Int(wanted)) == 0 else {
            throw SystemError("fcntl(F_SETFL)", code: errno)
        }
    }
}
