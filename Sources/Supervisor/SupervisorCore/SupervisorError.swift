// SPDX-License-Identifier: Apache-2.0
package import System

/// Why the supervisor did not do what it was asked.
package enum SupervisorError: Error, Hashable, Sendable {
    case containerNotFound(String)
    case execNotFound(String)
    /// The id, or the owner's key, belongs to a container that was asked for differently.
    case containerExists(ContainerID)
    case keyTaken(owner: String, key: String, by: ContainerID)
    /// The container belongs to somebody else.
    case notOwner(ContainerID)
    case notRunning(ContainerID)
    case isRunning(ContainerID)
    case isPaused(ContainerID)
    /// Its processes do not stand still, or the machine cannot make them.
    case pauseFailed(ContainerID, errno: Int32)
    /// The kernel refused a limit; everything is as it was.
    case updateFailed(ContainerID, detail: String)
    case isBeingRemoved(ContainerID)
    case invalidField(name: String, reason: String)
    /// The program was never executed.
    case startFailed(id: String, StartFailure)
    /// The signal found no process, or the kernel refused it.
    case signalFailed(id: String, errno: Int32)
    case resizeFailed(id: String, errno: Int32)
    /// The container did not end although it was killed.
    case stopTimedOut(ContainerID)
    /// Its keeper does not answer and could not be replaced yet.
    case keeperUnavailable(ContainerID, detail: String)
    /// Files were not looked at, packed or unpacked.
    case copyFailed(ContainerID, CopyFailure)
    case eventsGone(oldest: UInt64)
    case otherJournal(id: String)
    case damagedState(path: String, detail: String)
    case seccomp(detail: String)
    case system(SystemError)
}
