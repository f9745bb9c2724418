// SPDX-License-Identifier: Apache-2.0
import Logging
import RPC
import Synchronization
import TestMessages
import TestSupport
import Testing

/// One line for each call, whatever a peer puts into its error.
struct CallLogTests {
    /// Keeps what is logged, as the text that a handler of lines would write.
    private final class Lines: Sendable {
        let texts = Mutex<[String]>([])
    }

    private struct LineHandler: LogHandler {
        let lines: Lines
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.debug

        init(_ lines: Lines) { self.lines = lines }

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let fields = (event.metadata ?? [:]).sorted { $0.key < $1.key }
            let text = fields.map { "\($0.key)=\($0.value)" }.joined(separator: " ")
            lines.texts.withLock { $0.append("\(event.message) \(text)") }
        }
    }

    @Test(arguments: [
        ("plain é 'text'", "plain é 'text'"), ("a\nb\r\n2026 error", "a\\nb\\r\\n2026 error"),
        ("tab\there", "tab\\there"), ("\u{1b}[31mred\u{7f}\u{0}", "\\u{1b}[31mred\\u{7f}\\u{0}"),
        ("next\u{85}line\u{2028}and\u{2029}more", "next\\u{85}line\\u{2028}and\\u{2029}more"),
        ("back\\slash", "back\\\\slash"),
    ])
    func anErrorStaysOnItsLine(text: String, logged: String) async throws {
        let lines = Lines()
        let logger = Logger(label: "test") { _ in LineHandler(lines) }
        let server = RPCServer(services: [Echo()], logger: logger, gracePeriod: .milliseconds(300))
        try await withTemporaryDirectory { directory in
            try await withThrowingTaskGroup(of: Void.self) { group in
                try listen(server, at: directory + "/echo.sock", in: &group)
                let channel = Channel(unixSocket: directory + "/echo.sock")
                let request = TestV1.EchoRequest(text: text, behaviour: "fail")
                let error = await failure { try await TestV1.EchoClient(channel: channel).say(request) }
                // The client gets it as it is.
                #expect(error?.message == text)
                await channel.close()
                server.gracefulShutdown()
                try await group.waitForAll()
            }
        }
        let texts = lines.texts.withLock { $0 }
        #expect(texts.count == 1 && texts[0].contains("error=\(logged) "), "\(texts)")
    }
}
