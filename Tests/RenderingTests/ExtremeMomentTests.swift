// SPDX-License-Identifier: Apache-2.0
import Rendering
import Testing

/// Times that an image, or a user, may state: none of them ends a command.
struct ExtremeMomentTests {
    private static let now: Int64 = 1_795_442_400_000_000_000

    @Test(arguments: [Int64.min, -1, 0, Int64.max]) func anyMomentHasAText(_ moment: Int64) {
        #expect(HumanDuration.ago(moment, now: Self.now).hasSuffix(" ago"))
    }

    @Test func spansBeyondAllTimesAreNoMoments() {
        #expect(Moments.moment("-2562047h", now: Self.now) == nil)
        #expect(Moments.moment("2262-04-11T23:47:16.9Z", now: Self.now) == nil)
        #expect(Moments.moment("10m", now: Self.now) == Self.now - 600_000_000_000)
    }
}
