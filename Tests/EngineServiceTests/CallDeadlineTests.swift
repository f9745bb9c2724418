// SPDX-License-Identifier: Apache-2.0
import RPC
import Testing

@testable import EngineService

/// What is asked of other daemons on behalf of a call.
struct CallDeadlineTests {
    private func within(_ time: Duration?, _ options: () -> CallOptions) -> Duration? {
        CallDeadline.$current.withValue(time.flatMap(Deadline.after)) { options().timeout }
    }

    @Test func whatIsAskedForACallEndsWithIt() throws {
        for options in [{ CallDeadline.options }, { CallDeadline.patientOptions }] {
            let timeout = try #require(within(.seconds(30), options))
            #expect(timeout <= .seconds(30) && timeout > .seconds(20))
        }
    }

    @Test func cleaningUpHasAFewSecondsInAnyCase() {
        #expect(within(.zero) { CallDeadline.options } == .seconds(5))
    }

    @Test func withoutADeadlineOnlyPatienceIsEndless() {
        #expect(within(nil) { CallDeadline.options } == .seconds(60))
        #expect(within(nil) { CallDeadline.patientOptions } == nil)
        #expect(within(.seconds(30)) { CallDeadline.endlessOptions } == nil)
    }
}
