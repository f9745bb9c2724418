// SPDX-License-Identifier: Apache-2.0
internal import CLinux
internal import Glibc

/// Threads of our own, for work that blocks for long.
package enum Threads {
    private final class Body {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    /// Starts a detached thread that runs `body` once. The caller learns of its end through `body` itself.
    package static func start(_ body: @escaping @Sendable () -> Void) throws(SystemError) {
        var thread = pthread_t()
        let argument = Unmanaged.passRetained(Body(body))
        let code = pthread_create(
            &thread,
            nil,
            { argument in
                guard let argument else { return nil }
                Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run()
                return nil
            },
            argument.toOpaque()
        )
        guard code == 0 else {
            argument.release()
            throw SystemError("pthread_create", code: code)
        }
        pthread_detach(thread)
    }

    /// The calling thread's number among those of this process that run just now; never 0.
    package static var current: UInt { UInt(pthread_self()) }

    /// Names the calling thread (`/proc/PID/comm` for a process's first one): at most 15 bytes are kept.
    package static func setName(_ name: String) throws(SystemError) {
        let result = name.withCString { name in
            petrel_syscall(Int(SYS_prctl), 15, Int(bitPattern: name), 0, 0, 0, 0)
        }
        guard result == 0 else { throw SystemError("prctl(PR_SET_NAME)", code: errno) }
    }

    /// Sets this process's file creation mask, which all its threads share.
    package static func setFileCreationMask(_ mask: UInt32) { _ = umask(mask) }
}
