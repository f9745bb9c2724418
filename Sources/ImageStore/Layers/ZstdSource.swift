// SPDX-License-Identifier: Apache-2.0
internal import CZstd
internal import Tar

/// Decompresses zstd frames, one after another.
final class ZstdSource: ByteSource {
    /// The largest window that is accepted, 128 MiB: what zstd itself accepts without `--long`.
    private static let maximumWindowLog: Int32 = 27
    private static let outputBytes = 256 << 10

    private let source: any ByteSource
    private let context: OpaquePointer
    private let output: UnsafeMutableRawPointer
    private var input = ZSTD_inBuffer(src: nil, size: 0, pos: 0)
    private var hasEnded = false
    private var isFrameOpen = false

    init(_ source: any ByteSource) throws(ArchiveError) {
        guard let context = ZSTD_createDCtx() else { throw .compression(.zstd, "out of memory") }
        self.source = source
        self.context = context
        output = .allocate(byteCount: Self.outputBytes, alignment: 64)
        _ = ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, Self.maximumWindowLog)
    }

    deinit {
        ZSTD_freeDCtx(context)
        output.deallocate()
    }

    func next() throws(ArchiveError) -> UnsafeRawBufferPointer {
        var out = ZSTD_outBuffer(dst: output, size: Self.outputBytes, pos: 0)
        while out.pos < out.size {
            if input.pos == input.size, !hasEnded {
                let chunk = try source.next()
                hasEnded = chunk.isEmpty
                input = ZSTD_inBuffer(src: chunk.baseAddress, size: chunk.count, pos: 0)
            }
            if hasEnded, !isFrameOpen { break }
            let (consumed, produced) = (input.pos, out.pos)
            let result = ZSTD_decompressStream(context, &out, &input)
            if ZSTD_isError(result) != 0 {
                throw .compression(.zstd, String(cString: ZSTD_getErrorName(result)).lowercased())
            }
            isFrameOpen = result != 0
            if hasEnded, input.pos == consumed, out.pos == produced {
                if isFrameOpen { throw .truncated(.zstd) }
                break
            }
        }
        return UnsafeRawBufferPointer(start: output, count: out.pos)
    }
}
