// SPDX-License-Identifier: Apache-2.0
internal import System

/// The context of a proc file system for a process namespace that this process is not in.
enum ProcContext {
    static func open(of namespace: Int32) throws(SystemError) -> Descriptor {
        let context = try Mounts.openFileSystem("proc")
        do throws(SystemError) {
            try Mounts.configure(context.raw, "pidns", descriptor: namespace)
            return context
        } catch {
            // Kernels before 6.18 take the namespace of the process that opens the context.
            guard error.code == 22 else { throw error }
        }
        return try openInside(namespace)
    }

    /// By a process that has nothing of the host but the right to open it.
    static func openInside(_ namespace: Int32) throws(SystemError) -> Descriptor {
        let sockets = try UnixSocket.sharedPair(.sequencedPacket)
        switch try Cloning.clone([]) {
        case .child: enter(namespace, sockets.second.raw)
        case .parent(let pid, _):
            let status = try Children.reap(pid)
            guard status == 0 else { throw SystemError("fsopen", path: "proc", code: status >> 8 & 0xff) }
            // Sent before it ended.
            let message = try SocketMessages.receive(sockets.first.raw, limit: 1)
            guard let context = message.descriptors.first else { throw SystemError("fsopen", code: 71) }
            return try context.duplicate()
        }
    }

    private static func enter(_ namespace: Int32, _ socket: Int32) -> Never {
        do throws(SystemError) {
            try DescriptorTable.closeAll(except: [namespace, socket])
            let context = try Mounts.openFileSystem("tmpfs")
            let empty = try Mounts.create(context.raw, [.readOnly])
            try CurrentProcess.enter(empty.raw)
            try CurrentProcess.setRootToCurrentDirectory()
            let administration: UInt64 = 1 << 21
            try Credentials.setCapabilities(
                .init(effective: administration, permitted: administration, inheritable: 0)
            )
            try Namespaces.enter(namespace, .process)
            try DescriptorTable.closeAll(except: [socket])
            // Their numbers are closed with all others.
            _ = (context.relinquish(), empty.relinquish())
            switch try Cloning.clone([]) {
            case .child:
                let context = try Mounts.openFileSystem("proc")
                try SocketMessages.send(socket, [1], descriptors: [context.raw])
                CurrentProcess.leave(0)
            case .parent(let pid, _): CurrentProcess.leave(try Children.reap(pid) >> 8 & 0xff)
            }
        } catch {
            CurrentProcess.leave(error.code)
        }
    }
}
