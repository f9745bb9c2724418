// SPDX-License-Identifier: Apache-2.0
internal import System

/// `ROOT/reserve`: disk space to give back when there is none left, so that deleting always works.
extension SuiteLocation {
    /// 16 MiB, or a quarter of what is free where that is less.
    package static let reserveBytes: Int64 = 16 << 20

    /// Takes the reserve again if it was given back and there is room. `prepare()` does this too.
    package func keepReserve() {
        let path = root + "/reserve"
        guard !Files.exists(path), let free = try? DiskSpace.freeBytes(at: root) else { return }
        let size = min(Self.reserveBytes, Int64(clamping: free / 4))
        do {
            let file = try Files.open(path, [.writeOnly, .create], mode: 0o600)
            try DiskSpace.allocate(file.raw, size: size)
        } catch {
            try? Files.unlink(path)
        }
    }

    /// Gives the reserve back, after an `ENOSPC` of something that frees space.
    /// - Returns: Whether there was one; then it is worth trying again.
    package func releaseReserve() -> Bool {
        (try? Files.unlink(root + "/reserve")) != nil
    }
}
