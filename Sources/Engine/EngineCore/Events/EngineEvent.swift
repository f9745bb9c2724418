// SPDX-License-Identifier: Apache-2.0

/// What happened, as users are told.
package struct EngineEvent: Hashable, Sendable {
    package enum Subject: String, Sendable {
        case container
        case image
    }

    /// Numbers them from 1, rising; 0 before it is stored.
    package var sequence: UInt64 = 0
    package var type: Subject
    /// Docker's word: "create", "start", "die", "exec_create: sh", ….
    package var action: String
    /// The container's or image's id.
    package var actor: String
    package var attributes: [String: String]
    package var wallUnixNanos: Int64

    package init(
        type: Subject,
        action: String,
        actor: String,
        attributes: [String: String],
        wallUnixNanos: Int64
    ) {
        self.type = type
        self.action = action
        self.actor = actor
        self.attributes = attributes
        self.wallUnixNanos = wallUnixNanos
    }
}

extension EngineEvent {
    /// What users are told about an event of the supervisor; nil for what is no user's business.
    ///
    /// `create` and `destroy` are the engine's own to tell: it alone knows when a container is wholly there or gone.
    init?(_ event: JournalEvent, attributes: [String: String], execCommand: String) {
        var attributes = attributes
        let action: String
        switch event.action {
        case .start: action = "start"
        case .die:
            action = "die"
            attributes["exitCode"] = String(event.exit?.code ?? 255)
        case .outOfMemory: action = "oom"
        case .kill:
            action = "kill"
            attributes["signal"] = String(event.signal)
        case .stop: action = "stop"
        case .execStart:
            action = "exec_start: \(execCommand)"
            attributes["execID"] = event.exec
        case .execDie:
            action = "exec_die"
            attributes["execID"] = event.exec
            attributes["exitCode"] = String(event.exit?.code ?? 255)
        case .outputBlocked: action = "output_blocked"
        case .outputResumed: action = "output_resumed"
        case .pause: action = "pause"
        case .unpause: action = "unpause"
        case .healthStatus: action = "health_status: \(event.health.rawValue)"
        case .update: action = "update"
        // As Docker: of the restart policy's doing only the end and the start are told.
        case .create, .delete, .restart, .removalWanted, .adopted, .unknown: return nil
        }
        self.init(
            type: .container,
            action: action,
            actor: event.container.text,
            attributes: attributes,
            wallUnixNanos: event.wallUnixNanos
        )
    }
}
