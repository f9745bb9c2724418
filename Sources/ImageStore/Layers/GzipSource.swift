// SPDX-License-Identifier: Apache-2.0
internal import CISAL
internal import Tar

/// Inflates gzip by ISA-L. The CRC and length of each member are checked by the library.
final class GzipSource: ByteSource {
    private static let outputBytes = 256 << 10

    private let source: any ByteSource
    /// 87 KB, so never a value on the stack.
    private let state: UnsafeMutablePointer<inflate_state>
    private let output: UnsafeMutablePointer<UInt8>
    private var hasEnded = false

    init(_ source: any ByteSource) {
        self.source = source
        state = .allocate(capacity: 1)
        output = .allocate(capacity: Self.outputBytes)
        isal_inflate_init(state)
        state.pointee.crc_flag = UInt32(ISAL_GZIP)
        state.pointee.avail_in = 0
    }

    deinit {
        state.deallocate()
        output.deallocate()
    }

    func next() throws(ArchiveError) -> UnsafeRawBufferPointer {
        state.pointee.next_out = output
        state.pointee.avail_out = UInt32(Self.outputBytes)
        while state.pointee.avail_out > 0 {
            if state.pointee.avail_in == 0, !hasEnded { try refill() }
            if state.pointee.block_state == ISAL_BLOCK_FINISH {
                // A file may consist of several members (eStargz, concatenated files), and end with padding.
                skipPadding()
                if state.pointee.avail_in == 0 {
                    if hasEnded { break }
                    continue
                }
                isal_inflate_reset(state)
                state.pointee.crc_flag = UInt32(ISAL_GZIP)
            }
            let before = (state.pointee.avail_in, state.pointee.avail_out)
            try check(isal_inflate(state))
            let isStuck = (state.pointee.avail_in, state.pointee.avail_out) == before
            if isStuck, state.pointee.block_state != ISAL_BLOCK_FINISH {
                guard state.pointee.avail_in == 0 else {
                    throw .compression(.gzip, "the decoder makes no progress")
                }
                if hasEnded { throw .truncated(.gzip) }
            }
        }
        return UnsafeRawBufferPointer(start: output, count: Self.outputBytes - Int(state.pointee.avail_out))
    }

    /// The chunk stays valid while the inflater reads it, since the source is not asked again before it is used up.
    private func refill() throws(ArchiveError) {
        let chunk = try source.next()
        hasEnded = chunk.isEmpty
        state.pointee.next_in = UnsafeMutablePointer(
            mutating: chunk.baseAddress?.assumingMemoryBound(to: UInt8.self)
        )
        state.pointee.avail_in = UInt32(chunk.count)
    }

    private func skipPadding() {
        while state.pointee.avail_in > 0, state.pointee.next_in.pointee == 0 {
            state.pointee.next_in += 1
            state.pointee.avail_in -= 1
        }
    }

    private func check(_ result: Int32) throws(ArchiveError) {
        switch result {
        case ISAL_DECOMP_OK, ISAL_END_INPUT: return
        case ISAL_INVALID_WRAPPER: throw .compression(.gzip, "a member does not begin with a gzip header")
        case ISAL_UNSUPPORTED_METHOD: throw .compression(.gzip, "unsupported method")
        case ISAL_INCORRECT_CHECKSUM: throw .compression(.gzip, "the checksum is wrong")
        default: throw .compression(.gzip, "corrupt data")
        }
    }
}
