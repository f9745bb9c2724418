// SPDX-License-Identifier: Apache-2.0
import JSON
import RPC
import Synchronization

/// What a call shows beside its answers: their number, and with `--verbose` the metadata of both sides.
final class CallProgress: Sendable {
    let isVerbose: Bool
    private let answers = Mutex(0)

    init(isVerbose: Bool) { self.isVerbose = isVerbose }

    var answerCount: Int { answers.withLock { $0 } }

    func countAnswer() { answers.withLock { $0 += 1 } }

    func show(_ path: String, _ metadata: Metadata) { say("> ", path, metadata) }

    func show(headers: Metadata) { say("< ", "headers", headers) }

    func show(trailers: Metadata) {
        if isVerbose { say("< ", "trailers", trailers) }
    }

    /// Bytes in base64, as they travel.
    private func say(_ mark: String, _ title: String, _ metadata: Metadata) {
        Screen.say(mark + title)
        for entry in metadata.entries {
            switch entry.value {
            case .text(let text): Screen.say("\(mark)  \(entry.name): \(Self.printable(text))")
            case .bytes(let bytes):
                Screen.say("\(mark)  \(entry.name): \(String(decoding: Base64.encode(bytes), as: UTF8.self))")
            }
        }
    }

    /// Another's text moves no cursor.
    private static func printable(_ text: String) -> String {
        text.unicodeScalars.map { $0.properties.generalCategory == .control ? "?" : String($0) }.joined()
    }
}
