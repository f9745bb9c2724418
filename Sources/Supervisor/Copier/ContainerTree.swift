// SPDX-License-Identifier: Apache-2.0
internal import FileTrees
internal import Messages
internal import System

/// A container's files, by paths that its processes would use; nothing outside of its root is reached by them.
struct ContainerTree {
    /// Lent: the root directory.
    let root: Int32

    private static let maximumLinks = 40

    /// Opens what is at `path`, links included; those of /proc that lead to open files are none.
    func open(_ path: String, _ flags: OpenFlags) throws(CopyProblem) -> Descriptor {
        do throws(SystemError) {
            return try Files.open(path, flags, at: root, resolving: [.inRoot, .noMagicLinks])
        } catch {
            throw CopyProblem(error, at: path)
        }
    }

    /// What is at `path`; of a link at its end, the link.
    func status(of path: CopyPath) throws(CopyProblem) -> CommonV1.PathStatus {
        let status: FileStatus
        if path.assertsDirectory || path.components.isEmpty {
            let directory = try open(path.text, [.path, .directory])
            do throws(SystemError) { status = try Files.status(ofDescriptor: directory.raw) } catch {
                throw CopyProblem(error, at: path.text)
            }
        } else {
            let parent = try open(path.parent.text, [.path, .directory])
            do throws(SystemError) { status = try Files.status(of: path.base, at: parent.raw) } catch {
                throw CopyProblem(error, at: path.text)
            }
        }
        return CommonV1.PathStatus(
            name: path.base,
            kind: CommonV1.PathStatus.Kind(status.kind),
            permissions: status.permissions,
            sizeBytes: UInt64(max(0, status.sizeBytes)),
            modifiedSeconds: status.modifiedSeconds,
            modifiedNanos: UInt32(clamping: status.modifiedNanos),
            linkTarget: status.kind == .symbolicLink ? evaluated(path.components) : "",
            user: status.user,
            group: status.group
        )
    }

    /// Where a path leads when all links are followed, as far as there is something. For people, and to be asked for again:
    /// it is resolved anew then.
    private func evaluated(_ components: [String]) -> String {
        var rest = components[...]
        var done: [String] = []
        var links = 0
        while let name = rest.popFirst() {
            if name == ".." {
                _ = done.popLast()
                continue
            }
            guard name != ".", links < Self.maximumLinks,
                let parent = try? open("/" + done.joined(separator: "/"), [.path, .directory]),
                let target = try? Files.linkTarget(of: name, at: parent.raw)
            else {
                if name != "." { done.append(name) }
                continue
            }
            links += 1
            if target.hasPrefix("/") { done = [] }
            rest = (target.split(separator: "/").map(String.init) + rest)[...]
        }
        return "/" + done.joined(separator: "/")
    }
}
