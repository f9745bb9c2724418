// SPDX-License-Identifier: Apache-2.0

/// One datagram of the sd_notify protocol: lines of `NAME=value`.
///
/// - Source: sd_notify(3). Understood: `READY`, `STATUS`, `STOPPING`, `FDSTORE`, `FDSTOREREMOVE`, `FDNAME`, `BARRIER`;
///   everything else is skipped, as the protocol wants it.
package struct Notification: Hashable, Sendable {
    package var isReady = false
    package var isStopping = false
    package var status: String?
    /// The descriptors beside the datagram are to be kept.
    package var storesDescriptors = false
    /// Kept descriptors called `descriptorName` are to be dropped.
    package var removesDescriptors = false
    package var descriptorName: String?
    /// The sender waits until the descriptor beside the datagram is closed.
    package var isBarrier = false

    /// Longest `FDNAME`, in bytes.
    package static let nameLimit = 255

    package init(_ datagram: [UInt8]) {
        for line in datagram.split(separator: 0x0a) {
            guard let equals = line.firstIndex(of: 0x3d) else { continue }
            let value = String(decoding: line[(equals + 1)...], as: UTF8.self)
            switch String(decoding: line[..<equals], as: UTF8.self) {
            case "READY": isReady = value == "1"
            case "STOPPING": isStopping = value == "1"
            case "STATUS": status = value
            case "FDSTORE": storesDescriptors = value == "1"
            case "FDSTOREREMOVE": removesDescriptors = value == "1"
            case "FDNAME": descriptorName = Self.isName(value) ? value : nil
            case "BARRIER": isBarrier = value == "1"
            default: continue
            }
        }
    }

    /// Printable ASCII without colon, which separates names in `LISTEN_FDNAMES`.
    private static func isName(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= nameLimit
            && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != 0x3a }
    }
}
