// SPDX-License-Identifier: Apache-2.0
internal import Logging
internal import System

/// Removing what does not run.
extension Engine {
    package struct Pruned: Hashable, Sendable {
        package var ids: [ContainerID] = []
        package var reclaimedBytes: UInt64 = 0
    }

    /// Removes every container that was created or has exited, and that the filters let through. One that cannot be
    /// removed just now is left, and so is one that is started meanwhile. An event tells of it.
    /// - Parameter filters: `until=` and a Unix time, `label=`, `label!=`.
    /// - Throws: `.badFilter`; or a `PeerError`.
    package func prune(filters: [String]) async throws -> Pruned {
        let filter = try PruneFilter(filters)
        let candidates = try await list(all: true, filters: []).filter {
            [.created, .exited, .dead].contains($0.status) && filter.matches($0)
        }
        var pruned = Pruned()
        for candidate in candidates {
            let bytes = await writtenBytes(of: candidate.id)
            do {
                faults.reach("engine.prune.found")
                _ = try await remove(candidate.id.text, force: false)
                pruned.ids.append(candidate.id)
                pruned.reclaimedBytes += bytes
            } catch is CancellationError {
                throw CancellationError()
            } catch {
                logger.notice(
                    "a container was not pruned",
                    metadata: ["id": "\(candidate.id)", "error": "\(error)"]
                )
            }
        }
        await tell(of: pruned)
        return pruned
    }

    private func tell(of pruned: Pruned) async {
        let event = EngineEvent(
            type: .container,
            action: "prune",
            actor: "",
            attributes: ["reclaimed": String(pruned.reclaimedBytes)],
            wallUnixNanos: Clock.wallNanos
        )
        do { try await record(event) } catch {
            // What was removed is more to the caller than this.
            logger.warning("prune is not told", metadata: ["error": "\(error)"])
        }
    }

    private func writtenBytes(of id: ContainerID) async -> UInt64 {
        guard let upper = try? await images.snapshot(id).upperDirectory, !upper.isEmpty,
            let bytes = try? Files.allocatedBytes(ofTree: upper)
        else { return 0 }
        return UInt64(max(0, bytes))
    }
}

/// Which containers `prune` takes.
struct PruneFilter: Sendable {
    private var untilUnixNanos = Int64.max
    private var labels: [LabelFilter] = []
    private var excludedLabels: [LabelFilter] = []

    init(_ texts: [String]) throws(EngineError) {
        for text in texts {
            if text.hasPrefix("label!=") {
                excludedLabels.append(LabelFilter(String(text.dropFirst(7))))
            } else if text.hasPrefix("label=") {
                labels.append(LabelFilter(String(text.dropFirst(6))))
            } else if text.hasPrefix("until="), let moment = PruneFilter.unixNanos(text.dropFirst(6)) {
                untilUnixNanos = min(untilUnixNanos, moment)
            } else {
                throw .badFilter(text, "use until= and a Unix time, label= or label!=")
            }
        }
    }

    func matches(_ summary: Engine.Summary) -> Bool {
        summary.createdAtUnixNanos <= untilUnixNanos
            && labels.allSatisfy { $0.matches(summary.labels) }
            && !excludedLabels.contains { $0.matches(summary.labels) }
    }

    /// Of seconds, perhaps with a fraction.
    private static func unixNanos(_ text: Substring) -> Int64? {
        let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, let seconds = Int64(first), abs(seconds) < Int64.max / 1_000_000_000
        else { return nil }
        let digits = parts.count == 2 ? String(parts[1].prefix(9)) : ""
        let padded = digits + String(repeating: "0", count: 9 - digits.utf8.count)
        guard let fraction = Int64(padded), fraction >= 0 else { return nil }
        return seconds * 1_000_000_000 + fraction
    }
}
