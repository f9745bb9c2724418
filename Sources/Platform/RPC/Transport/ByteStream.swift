// SPDX-License-Identifier: Apache-2.0
internal import Events
internal import System

/// A connected socket on the event loop, and what encrypts it, if anything does.
///
/// It owns both, and what the socket has not taken yet. It is closed once, whoever begins it; then its user is told. The user
/// keeps it alive until then, and is kept by it.
final class ByteStream: EventLoop.Source {
    /// Who speaks over it. On the loop.
    protocol User: AnyObject {
        /// - Returns: How many frames they ended.
        func received(_ bytes: UnsafeRawBufferPointer) -> Int
        /// What was read just now was received. There may be more.
        func receivedAll()
        /// All that was written has gone to the kernel, after some of it had to wait.
        func becameWritable()
        /// Both ends agree how to encrypt.
        func secured(_ agreement: SecureAgreement)
        /// Nothing more comes, and nothing can be written. Told in a pass of its own.
        /// - Parameter failure: What has ended it; nil when one of the two ends has closed it.
        func closed(_ failure: String?)
    }

    /// The kernel's number, for questions about the peer, while it is open.
    let raw: Int32
    private var socket: Descriptor?
    private let loop: EventLoop
    private var session: (any SecureSession)?
    private var user: (any User)?
    private var watch: EventLoop.Watch?
    private var interest = Epoll.Interest.readable
    /// What the socket has not taken yet, from `sentCount` on.
    private var waiting: [UInt8] = []
    private var sentCount = 0
    private var isReading = true
    /// Most bytes of the next read.
    private var readSize = smallRead
    private var isSecured = false
    private var phase = Phase.open
    private var onClose: (() -> Void)?

    private enum Phase {
        case open
        /// When all is written, the peer is told that there is no more.
        case finishing
        /// It was told; what it says is dropped until it has ended too.
        case ending
        /// Nothing can be written any more, and nothing is kept for it; it is closed when all that has arrived is read.
        case broken(String)
    }

    /// Of a read, while frames are small: what comes of the first calls is on its way while the peer's next are still to be read,
    /// so both ends work at the same time.
    private static let smallRead = 4 << 10
    /// Frames are small when they have no more on average.
    private static let smallFrame = 256
    /// Others have their turn after so many reads.
    private static let readsAtOnce = 4
    /// More than a socket holds, for one whose peer has taken its last byte: it could go on for ever.
    private static let lastReads = 256
    /// How long what is said last may take to leave; a peer that does not read would keep it for ever.
    private static let lastWordsTime = Duration.seconds(2)
    /// Where everything arrives, on the loop, one read at a time.
    nonisolated(unsafe) private static let room = UnsafeMutableRawBufferPointer.allocate(
        byteCount: 64 << 10,
        alignment: 16
    )

    /// - Parameter onClose: Called when it is closed, after its user, if it had one.
    init(
        _ socket: consuming Descriptor,
        _ session: (any SecureSession)?,
        on loop: EventLoop,
        onClose: @escaping () -> Void
    ) {
        raw = socket.raw
        self.socket = consume socket
        self.session = session
        self.loop = loop
        self.onClose = onClose
    }

    private var isOpen: Bool { watch != nil }

    private var isWhole: Bool { if case .open = phase { isOpen } else { false } }

    /// Begins to read.
    /// - Throws: When the kernel cannot watch another descriptor; it is closed then.
    func open(for user: any User) throws(SystemError) {
        watch = try loop.watch(raw, interest, self)
        self.user = user
        guard let session else { return }
        do {
            try session.begin()
            try exchange(session)
        } catch { close("cannot encrypt: \(error)") }
    }

    // MARK: - Writing

    /// Whether what is written goes to the kernel at once, as far as it takes it.
    var isWritable: Bool { isWhole && waiting.isEmpty }

    /// Writes the batch; what the kernel does not take waits here.
    func write(_ batch: WriteBatch) {
        guard isWhole else { return }
        if let session {
            do {
                try batch.withPieces { pieces in for piece in pieces { try session.write(piece) } }
                try exchange(session)
            } catch { close("cannot encrypt: \(error)") }
            return
        }
        var sent = 0
        if waiting.isEmpty {
            do throws(SystemError) { sent = try batch.send(to: raw) } catch { return failed(error) }
        }
        guard sent < batch.byteCount else { return }
        batch.copy(after: sent, to: &waiting)
        look()
    }

    private func sendOutput(of session: any SecureSession) throws {
        while let bytes = try session.nextOutput() { if isWhole { waiting.append(contentsOf: bytes) } }
        sendWaiting()
    }

    private func sendWaiting() {
        guard isOpen, sentCount < waiting.count else { return }
        do throws(SystemError) {
            let result = waiting.withUnsafeBytes { bytes in
                Result { () throws(SystemError) in
                    try StreamSocket.sendSome(raw, UnsafeRawBufferPointer(rebasing: bytes[sentCount...]))
                }
            }
            sentCount += try result.get()
        } catch {
            return failed(error)
        }
        if sentCount == waiting.count {
            waiting = []
            sentCount = 0
        }
        look()
    }

    /// Watches for what there is to do.
    private func look() {
        guard let watch else { return }
        let mayRead = if case .ending = phase { true } else { isReading && isWhole }
        var interest = mayRead ? Epoll.Interest.readable : Epoll.Interest()
        if !waiting.isEmpty { interest.insert(.writable) }
        guard interest != self.interest else { return }
        self.interest = interest
        loop.change(watch, interest)
    }

    // MARK: - Reading

    /// Whether what arrives is received, or waits in the kernel.
    func setReading(_ isReading: Bool) {
        guard isReading != self.isReading else { return }
        self.isReading = isReading
        look()
    }

    func ready(_ found: Epoll.Interest) {
        if found.isWritable, !waiting.isEmpty {
            sendWaiting()
            if waiting.isEmpty {
                if case .finishing = phase { return endWriting() }
                user?.becameWritable()
            }
        }
        // What the peer has left is to be had, however much waits: there will be no more.
        let isOver = found.isOver
        guard isOver || found.isReadable else { return }
        switch phase {
        case .open: read(Self.readsAtOnce, isOver: isOver)
        case .finishing: if isOver { close(nil) }
        case .ending: skip()
        case .broken: readLast()
        }
    }

    private var canRead: Bool {
        switch phase {
        case .open, .broken: isOpen
        case .finishing, .ending: false
        }
    }

    private func read(_ limit: Int, isOver: Bool) {
        for _ in 0..<limit {
            guard canRead, isReading || isOver else { break }
            do throws(SystemError) {
                let room = UnsafeMutableRawBufferPointer(
                    rebasing: Self.room[..<(isOver ? Self.room.count : readSize)]
                )
                guard let count = try StreamSocket.receiveSome(raw, into: room) else {
                    if isOver { close(nil) }
                    break
                }
                guard count > 0 else { return close(nil) }
                let frames = receive(UnsafeRawBufferPointer(rebasing: room[..<count]))
                let areSmall = count <= frames * Self.smallFrame
                readSize = areSmall ? Self.smallRead : Self.room.count
                if areSmall || count < room.count, !isOver { break }
            } catch {
                return close("\(error)")
            }
        }
        user?.receivedAll()
    }

    /// - Returns: How many frames they ended.
    private func receive(_ bytes: UnsafeRawBufferPointer) -> Int {
        guard let session else { return user?.received(bytes) ?? 0 }
        do {
            try session.receive(bytes)
            return try exchange(session)
        } catch {
            // It may have something to say about it, and have read something before.
            _ = try? passOn(session)
            close("\(error)")
            return 0
        }
    }

    @discardableResult
    private func exchange(_ session: any SecureSession) throws -> Int {
        let frames = try passOn(session)
        if session.hasEnded { close(nil) }
        return frames
    }

    /// Passes on what the session has ready, in both directions.
    private func passOn(_ session: any SecureSession) throws -> Int {
        try sendOutput(of: session)
        if !isSecured, let agreement = session.agreement {
            isSecured = true
            user?.secured(agreement)
        }
        var frames = 0
        while isOpen, let bytes = try session.nextInput() {
            frames += bytes.withUnsafeBytes { user?.received($0) ?? 0 }
        }
        return frames
    }

    // MARK: - Ending

    /// The peer takes nothing more; what it has said before is still to be had.
    private func failed(_ error: SystemError) {
        guard isWhole else { return close("\(error)") }
        waiting = []
        sentCount = 0
        phase = .broken("\(error)")
        let bound = EventLoop.Bound(self)
        loop.execute { bound.value.readLast() }
    }

    private func readLast() {
        guard isOpen, case .broken(let failure) = phase else { return }
        read(Self.lastReads, isOver: true)
        close(failure)
    }

    /// Closes it when what was written has left, or cannot.
    func finish() {
        guard isWhole else { return }
        endSession()
        guard isWhole else { return close(nil) }
        phase = .finishing
        if waiting.isEmpty { endWriting() } else { look() }
        guard isOpen else { return }
        let bound = EventLoop.Bound(self)
        loop.schedule(after: Self.lastWordsTime) { bound.value.close(nil) }
    }

    /// The kernel has it all. Over TCP it throws away what the peer has not fetched yet as soon as something comes for a socket
    /// that is closed, so the peer ends the connection, or the time.
    private func endWriting() {
        guard InternetSocket.peerAddress(of: raw) != nil else { return close(nil) }
        UnixSocket.shutDownSending(raw)
        phase = .ending
        look()
    }

    private func skip() {
        for _ in 0..<Self.readsAtOnce {
            do throws(SystemError) {
                guard let count = try StreamSocket.receiveSome(raw, into: Self.room) else { return }
                guard count > 0 else { return close(nil) }
            } catch {
                return close(nil)
            }
        }
    }

    /// A connection that just ends may have been cut.
    private func endSession() {
        guard isWhole, let session else { return }
        session.end()
        try? sendOutput(of: session)
    }

    /// Closes it at once.
    func close(_ failure: String?) {
        if failure == nil { endSession() }
        guard let watch else { return }
        loop.unwatch(watch)
        self.watch = nil
        socket = nil
        waiting = []
        let bound = EventLoop.Bound(self)
        // Whoever calls may be in the middle of something that the user's end would end too.
        loop.execute { bound.value.tellUser(failure) }
    }

    private func tellUser(_ failure: String?) {
        let (user, onClose) = (user, onClose)
        self.user = nil
        self.onClose = nil
        session = nil
        user?.closed(failure)
        onClose?()
    }
}
