// SPDX-License-Identifier: Apache-2.0
internal import Cgroups
package import System

/// The process that keepers are copied from: a copy shares the memory of every other one until it writes to it, and has
/// done before what a new program does first.
///
/// It knows of no container, so that no copy knows of another's. What all have in common with it is where things lie in memory,
/// and the seeds of hashing: nothing that a keeper does relies on these being unknown.
package enum KeeperTemplate {
    /// Makes a copy for each message of one descriptor, which becomes the copy's first connection. A copy is a child of
    /// this process's parent, and first says who it is: its number in decimal, and its pidfd; and the word "anew", for it reads
    /// its container's record for each run.
    /// - Parameter connection: For the requests; blocks there. Rightly endless; it ends with the connection.
    /// - Parameter options: Of each copy; what is the same for all of them until the machine's end is found out now.
    /// - Returns: In each copy, its connection; nil when there will be no more.
    package static func serve(
        _ connection: consuming Descriptor?,
        _ options: inout Keeper.Options
    ) throws(SystemError) -> Descriptor? {
        guard let connection else { return nil }
        Keeper.rehearse()
        // What is not found now, a copy may find.
        options.groups = try? CgroupLayout.detect()
        ProgramMemory.closeGaps()
        ProgramMemory.releaseStack()
        let requests = SequencedSocket(adopting: connection)
        while let message = try requests.receive(limit: 1) {
            guard message.descriptors.count == 1, let end = message.descriptors.first else { continue }
            // Where there is no room for a process, its connection's end says so.
            guard let isCopy = try? Cloning.sibling(), isCopy else { continue }
            SystemEnvironment.leadSession()
            let connection = SequencedSocket(adopting: try end.duplicate())
            let number = SystemEnvironment.processID
            let process = try ProcessHandle.open(number)
            try connection.send(Array("\(number) anew".utf8), descriptors: [process.raw])
            return connection.relinquish()
        }
        return nil
    }
}
