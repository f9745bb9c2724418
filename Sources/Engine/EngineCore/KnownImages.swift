// SPDX-License-Identifier: Apache-2.0
internal import Synchronization

/// Images that containers were made of lately, by what they were called: most containers are made of the same few, and the
/// image store says when making a snapshot whether the name still means the same.
final class KnownImages: Sendable {
    private static let most = 32
    private static let mostBytes = 64 << 10

    private let images = Mutex<[String: StoredImage]>([:])

    func find(_ reference: String) -> StoredImage? { images.withLock { $0[reference] } }

    func note(_ image: StoredImage, as reference: String) {
        guard image.configuration.count <= Self.mostBytes, !image.isDamaged else { return }
        images.withLock { images in
            if images.count >= Self.most { images = [:] }
            images[reference] = image
        }
    }
}
