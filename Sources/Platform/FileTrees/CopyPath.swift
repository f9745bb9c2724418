// SPDX-License-Identifier: Apache-2.0

/// A path that files are copied from or to, as Docker reads it: relative to the root, `..` taken literally, and what it says
/// by its end. A pure value; links are for whoever opens it.
package struct CopyPath: Hashable, Sendable {
    package let components: [String]
    /// It ends in `/`, or in `/.`: it must be a directory, and a link at its end is followed.
    package let assertsDirectory: Bool
    /// It ends in `/.`: what is in the directory is meant, not the directory.
    package let meansContent: Bool

    package init(_ text: String) {
        var components: [String] = []
        for part in text.split(separator: "/") where part != "." {
            if part == ".." {
                _ = components.popLast()
            } else {
                components.append(String(part))
            }
        }
        let last = text.split(separator: "/").last
        self.init(components, assertsDirectory: text.hasSuffix("/") || last == ".", meansContent: last == ".")
    }

    package init(_ components: [String], assertsDirectory: Bool = false, meansContent: Bool = false) {
        self.components = components
        self.assertsDirectory = assertsDirectory || meansContent
        self.meansContent = meansContent
    }

    /// A path of this machine.
    /// - Parameter directory: What a relative one begins at.
    package init(_ text: String, from directory: String) {
        self.init(text.hasPrefix("/") ? text : directory + "/" + text)
    }

    /// Absolute, without what its end says.
    package var text: String { "/" + components.joined(separator: "/") }

    /// Absolute, with its end.
    package var fullText: String {
        if meansContent { return components.isEmpty ? "/." : text + "/." }
        return assertsDirectory && !components.isEmpty ? text + "/" : text
    }

    /// What it is called in an archive: the last part, "." for a directory's content, "/" for the root.
    package var base: String { meansContent ? "." : components.last ?? "/" }

    /// The directory that holds it; itself where its content is meant, or where it is the root.
    package var parent: CopyPath {
        meansContent ? CopyPath(components) : CopyPath(Array(components.dropLast()))
    }

    /// Where a link at its end leads.
    package func following(_ target: String) -> CopyPath {
        let followed = target.hasPrefix("/") ? CopyPath(target) : CopyPath(parent.text + "/" + target)
        return CopyPath(followed.components, assertsDirectory: assertsDirectory, meansContent: meansContent)
    }
}
