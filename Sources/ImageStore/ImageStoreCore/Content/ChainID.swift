// SPDX-License-Identifier: Apache-2.0
internal import Layers
package import OCI

/// Names a layer together with all below it: the first layer's chain id is its diff id, the next ones are the digest of
/// `PARENT DIFFID`.
///
/// Source followed: OCI image specification, "Layer ChainID".
package struct ChainID: Hashable, Sendable, CustomStringConvertible {
    package let digest: Digest

    package init(_ digest: Digest) { self.digest = digest }

    init(parent: ChainID?, diffID: Digest) {
        guard let parent else {
            digest = diffID
            return
        }
        digest = Digest(of: Array("\(parent.digest) \(diffID)".utf8))
    }

    /// Of each layer of an image, lowest first.
    static func chain(_ diffIDs: [Digest]) -> [ChainID] {
        var result: [ChainID] = []
        for diffID in diffIDs { result.append(ChainID(parent: result.last, diffID: diffID)) }
        return result
    }

    package var description: String { digest.description }
}
