// SPDX-License-Identifier: Apache-2.0
internal import Synchronization

/// What a channel has done since it was made.
package struct ChannelStatistics: Hashable, Sendable {
    /// Attempts beyond the first are no calls of their own.
    package internal(set) var callsStarted = 0
    package internal(set) var callsSucceeded = 0
    /// With any status but OK, cancelled ones too.
    package internal(set) var callsFailed = 0
    /// Attempts beyond the first.
    package internal(set) var retries = 0
    /// Connections that were ready for calls.
    package internal(set) var connections = 0

    /// Still open.
    package var callsOpen: Int { callsStarted - callsSucceeded - callsFailed }
}

/// A channel's record of itself, and what it may retry.
final class ChannelRecord: Sendable {
    private struct State {
        var statistics = ChannelStatistics()
        var tokens: Double
    }

    private let state: Mutex<State>
    private let throttling: ServiceConfig.RetryThrottling

    init(_ throttling: ServiceConfig.RetryThrottling) {
        self.throttling = throttling
        state = Mutex(State(tokens: throttling.maxTokens))
    }

    var statistics: ChannelStatistics { state.withLock { $0.statistics } }

    func noteStart() { state.withLock { $0.statistics.callsStarted += 1 } }

    func noteConnection() { state.withLock { $0.statistics.connections += 1 } }

    func noteEnd(succeeded: Bool) {
        state.withLock { state in
            if succeeded {
                state.statistics.callsSucceeded += 1
                state.tokens = min(throttling.maxTokens, state.tokens + throttling.tokenRatio)
            } else {
                state.statistics.callsFailed += 1
            }
        }
    }

    /// An attempt has failed in a way that says something of the server.
    /// - Returns: Whether so few have that calls may be sent again.
    func noteFailure() -> Bool {
        state.withLock { state in
            state.tokens = max(0, state.tokens - 1)
            return state.tokens > throttling.maxTokens / 2
        }
    }

    func noteRetry() { state.withLock { $0.statistics.retries += 1 } }
}
