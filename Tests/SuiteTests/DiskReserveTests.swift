// SPDX-License-Identifier: Apache-2.0
import Suite
import System
import Testing
import TestSupport

/// The reserve is given back in pieces, each larger than the one before, and not all of it for everything.
struct DiskReserveTests {
    private static let limit = DiskReserve.limitBytes
    private static let first: Int64 = 64 << 10

    private func withReserve(_ body: (DiskReserve) throws -> Void) throws {
        try withTemporaryDirectory { directory in
            let reserve = DiskReserve(path: directory + "/reserve")
            reserve.keep()
            #expect(try size(of: reserve) == Self.limit)
            try body(reserve)
        }
    }

    private func size(of reserve: DiskReserve) throws -> Int64 {
        try Files.status(of: reserve.path).sizeBytes
    }

    private func give(_ pieces: inout DiskReserve.Pieces, is expected: Bool = true) {
        let given = pieces.giveNext()
        #expect(given == expected)
    }

    @Test func piecesDouble() throws {
        try withReserve { (reserve) throws in
            var pieces = reserve.pieces(for: .record)
            for given in [1, 3, 7, 15] {
                give(&pieces)
                #expect(try size(of: reserve) == Self.limit - Int64(given) * Self.first)
            }
            // Another writer begins small.
            var others = reserve.pieces(for: .record)
            give(&others)
            #expect(try size(of: reserve) == Self.limit - 16 * Self.first)
        }
    }

    @Test func aPartIsForRemovalsAlone() throws {
        try withReserve { (reserve) throws in
            var records = reserve.pieces(for: .record)
            while records.giveNext() {}
            let kept = try size(of: reserve)
            #expect(kept > 0 && kept <= Self.limit / 4)
            var removals = reserve.pieces(for: .removal)
            give(&removals)
            #expect(try size(of: reserve) == kept - Self.first)
            while removals.giveNext() {}
            #expect(try size(of: reserve) == 0)
        }
    }

    @Test func whatWasGivenIsTakenAgain() throws {
        try withReserve { (reserve) throws in
            var pieces = reserve.pieces(for: .removal)
            while pieces.giveNext() {}
            reserve.keep()
            #expect(try size(of: reserve) == Self.limit)
            try Files.unlink(reserve.path)
            give(&pieces, is: false)
            #expect(!Files.exists(reserve.path))
        }
    }

    @Test func aWriterTriesAgainWhileThereIsSomethingToGive() throws {
        try withReserve { (reserve) throws in
            var attempts = 0
            let value = try reserve.makingRoom(for: .record) { () throws(SystemError) -> Int in
                attempts += 1
                guard attempts > 3 else { throw SystemError("write", code: ErrorNumber.noSpace) }
                return 7
            }
            #expect(value == 7 && attempts == 4)
            attempts = 0
            #expect(try attemptsAtFailing(reserve, with: ErrorNumber.quotaExceeded) < 20)
            #expect(try size(of: reserve) == 0)
            // Another error is nothing that room would help against.
            #expect(try attemptsAtFailing(reserve, with: 5) == 1)
        }
    }

    private func attemptsAtFailing(_ reserve: DiskReserve, with code: Int32) throws -> Int {
        var attempts = 0
        #expect(throws: SystemError("write", code: code)) {
            try reserve.makingRoom(for: .removal) { () throws(SystemError) in
                attempts += 1
                throw SystemError("write", code: code)
            }
        }
        return attempts
    }
}
