// SPDX-License-Identifier: Apache-2.0
internal import System

/// Finds the file that a program's name means, with the rights of the process that will execute it.
enum ProgramSearch {
    /// A name with a slash is a path from the working directory; any other is searched in `PATH`.
    /// - Throws: `ENOENT`; `EACCES` when what was found may not be executed; `EISDIR`; `ELOOP` for a link of /proc to
    ///   an open file, which could be the runtime's own.
    static func find(_ name: String, _ environment: [String]) throws(SystemError) -> String {
        if name.contains("/") {
            try check(name)
            return name
        }
        let path =
            environment.last { $0.hasPrefix("PATH=") }.map { String($0.dropFirst(5)) } ?? "/bin:/usr/bin"
        var refusal: SystemError?
        for directory in path.split(separator: ":", omittingEmptySubsequences: false) {
            let candidate = directory.isEmpty ? "./" + name : directory + "/" + name
            do throws(SystemError) {
                try check(candidate)
                return candidate
            } catch {
                // A directory of that name is no program; one without permission counts if nothing better comes.
                if error.code == 13 { refusal = error }
            }
        }
        throw SystemError("execve", path: name, code: refusal?.code ?? 2)
    }

    private static func check(_ path: String) throws(SystemError) {
        let file = try Files.open(path, .path, at: Files.currentDirectory, resolving: .noMagicLinks)
        if try Files.status(ofDescriptor: file.raw).kind == .directory {
            throw SystemError("execve", path: path, code: 21)
        }
        try Files.checkExecutable(path)
    }
}
