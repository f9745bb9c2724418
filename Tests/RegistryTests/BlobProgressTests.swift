// SPDX-License-Identifier: Apache-2.0
import Registry
import Testing

@Suite struct BlobProgressTests {
    private func progress(of size: Int64, after received: Int64 = 0) -> BlobProgress {
        var progress = BlobProgress(sizeBytes: size)
        progress.beginAttempt()
        if received > 0 { _ = progress.add(received, skipped: 0, after: .zero) }
        return progress
    }

    @Test func theRestOrTheWholeIsTaken() {
        let begun = progress(of: 100, after: 40)
        #expect(begun.part(isRest: true, contentLength: 60) == .rest)
        #expect(begun.part(isRest: true, contentLength: nil) == .rest)
        #expect(begun.part(isRest: false, contentLength: 100) == .whole(skip: 40))
        #expect(begun.part(isRest: true, contentLength: 100) == .wrongSize(140))
        #expect(begun.part(isRest: false, contentLength: 60) == .wrongSize(60))
    }

    @Test("stated lengths of any size are compared", arguments: [Int64.max, .min, -1, 0])
    func anyLength(length: Int64) {
        guard case .wrongSize = progress(of: 100, after: 40).part(isRest: true, contentLength: length),
            case .wrongSize = progress(of: 100, after: 40).part(isRest: false, contentLength: length)
        else {
            Issue.record("\(length) was accepted")
            return
        }
    }

    @Test func aDrippingRegistryIsTooSlow() {
        var slow = progress(of: 1 << 30)
        var seconds = 0
        while slow.add(1, skipped: 0, after: .seconds(1)) { seconds += 1 }
        #expect(seconds == 29)
        // A slow reader is no fault of the registry: its time does not count.
        var waiting = progress(of: 1 << 30)
        #expect((0..<1_000).allSatisfy { _ in waiting.add(100, skipped: 0, after: .zero) })
        var fast = progress(of: 1 << 30)
        #expect((0..<1_000).allSatisfy { _ in fast.add(64 << 10, skipped: 0, after: .seconds(30)) })
    }

    @Test func attemptsThatBringNextToNothingAreFailures() {
        var progress = progress(of: 1 << 30)
        for number in 1...4 {
            progress.beginAttempt()
            _ = progress.add(1_000, skipped: 0, after: .zero)
            progress.endAttempt()
            #expect(progress.failures == number)
        }
        progress.beginAttempt()
        _ = progress.add(64 << 10, skipped: 0, after: .zero)
        progress.endAttempt()
        #expect(progress.failures == 1)
        // What was here already is no progress.
        progress.beginAttempt()
        _ = progress.add(1 << 20, skipped: 1 << 20, after: .zero)
        progress.endAttempt()
        #expect(progress.failures == 2)
    }
}
