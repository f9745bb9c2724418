// SPDX-License-Identifier: Apache-2.0
internal import Glibc

/// A number in a page of memory that this process shares with the children it clones; 0 at first.
package final class SharedNumber: Sendable {
    private static let pageBytes = 4096
    /// Of the page.
    let address: UInt

    package init() throws(SystemError) {
        let page = mmap(nil, Self.pageBytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)
        let code = errno
        // MAP_FAILED is the highest address.
        guard let page, UInt(bitPattern: page) != .max else { throw SystemError("mmap", code: code) }
        address = UInt(bitPattern: page)
    }

    package var value: Int32 { UnsafePointer<Int32>(bitPattern: address)?.pointee ?? 0 }

    /// Children cloned from now on by this process do not have the page (`MADV_DONTFORK`).
    package func withhold() throws(SystemError) {
        guard madvise(UnsafeMutableRawPointer(bitPattern: address), Self.pageBytes, 10) == 0 else {
            throw SystemError("madvise", code: errno)
        }
    }

    deinit { munmap(UnsafeMutableRawPointer(bitPattern: address), Self.pageBytes) }
}
