import CCompression

/// Decodes gzip with ISA-L, which takes less than half of the time of zlib.
package final class GzipDecoder: StreamDecoder {
    private let state = UnsafeMutablePointer<inflate_state>.allocate(capacity: 1)
    /// ISA-L 2.30 refuses some headers if they arrive in pieces. So they are read here.
    private var header = GzipHeader()
    package private(set) var isAtStreamEnd = false

    package init() { isal_inflate_init(state) }

    deinit { state.deallocate() }

    package func step(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer, isLast: Bool
    ) throws(StreamDecoderFailure) -> (consumed: Int, produced: Int) {
        if isAtStreamEnd {
            header = GzipHeader()
            isAtStreamEnd = false
        }
        var rest = input[...]
        if !header.isComplete {
            rest = rest.dropFirst(try header.read(input))
            guard header.isComplete else { return (input.count, 0) }
            isal_inflate_reset(state)
            state.pointee.total_out = 0
            // It also verifies checksum and size behind the data.
            state.pointee.crc_flag = UInt32(ISAL_GZIP_NO_HDR_VER)
            if rest.isEmpty { return (input.count, 0) }
        }
        let bytes = UnsafeRawBufferPointer(rebasing: rest)
        state.pointee.next_in = UnsafeMutablePointer(mutating: bytes.baseAddress?.assumingMemoryBound(to: UInt8.self))
        state.pointee.avail_in = UInt32(bytes.count)
        state.pointee.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
        state.pointee.avail_out = UInt32(output.count)
        let code = isal_inflate(state)
        guard code == ISAL_DECOMP_OK else { throw StreamDecoderFailure(reason: Self.reason(code)) }
        isAtStreamEnd = state.pointee.block_state == ISAL_BLOCK_FINISH
        return (input.count - Int(state.pointee.avail_in), output.count - Int(state.pointee.avail_out))
    }

    private static func reason(_ code: CInt) -> String {
        switch code {
        case ISAL_INVALID_BLOCK: "invalid block type"
        case ISAL_INVALID_SYMBOL: "invalid code"
        case ISAL_INVALID_LOOKBACK: "invalid distance too far back"
        case ISAL_INCORRECT_CHECKSUM: "incorrect data check"
        default: "ISA-L error \(code)"
        }
    }
}

/// The header of a gzip member, which arrives in pieces (RFC 1952, section 2.3).
private struct GzipHeader {
    private enum Part {
        case fixed, extraLength, extra, name, comment, checksum, complete
    }

    private static let fixedSize = 10
    private static let beginning: [UInt8] = [0x1F, 0x8B, 8]

    private enum Flag {
        static let (checksum, extra, name, comment, reserved): (UInt8, UInt8, UInt8, UInt8, UInt8) = (0x02, 0x04, 0x08, 0x10, 0xE0)
    }

    private var part = Part.fixed
    private var flags: UInt8 = 0
    /// The number of bytes of the present part that were read.
    private var count = 0
    private var extraSize = 0
    private var expectedChecksum: UInt = 0
    private var checksum: UInt = 0

    var isComplete: Bool { part == .complete }

    /// Reads bytes up to the end of the header. Returns their number.
    mutating func read(_ bytes: UnsafeRawBufferPointer) throws(StreamDecoderFailure) -> Int {
        var used = 0
        while !isComplete, used < bytes.count {
            try take(bytes[used])
            used += 1
        }
        return used
    }

    private mutating func take(_ byte: UInt8) throws(StreamDecoderFailure) {
        if part != .checksum { checksum = withUnsafePointer(to: byte) { crc32(checksum, $0, 1) } }
        count += 1
        switch part {
        case .fixed:
            if count <= Self.beginning.count, byte != Self.beginning[count - 1] {
                throw StreamDecoderFailure(reason: "incorrect header check")
            }
            if count == Self.beginning.count + 1 {
                flags = byte
                guard flags & Flag.reserved == 0 else { throw StreamDecoderFailure(reason: "unknown header flags set") }
            }
            if count == Self.fixedSize { begin(.extraLength) }
        case .extraLength:
            extraSize |= Int(byte) << (8 * (count - 1))
            if count == 2 { begin(.extra) }
        case .extra: if count == extraSize { begin(.name) }
        case .name: if byte == 0 { begin(.comment) }
        case .comment: if byte == 0 { begin(.checksum) }
        case .checksum:
            expectedChecksum |= UInt(byte) << UInt(8 * (count - 1))
            if count == 2 {
                guard expectedChecksum == checksum & 0xFFFF else { throw StreamDecoderFailure(reason: "header crc mismatch") }
                begin(.complete)
            }
        case .complete: break
        }
    }

    /// Begins a part, or the one behind it if the header does not have the part.
    private mutating func begin(_ next: Part) {
        count = 0
        part = next
        switch next {
        case .extraLength where flags & Flag.extra == 0: begin(.name)
        case .extra where extraSize == 0: begin(.name)
        case .name where flags & Flag.name == 0: begin(.comment)
        case .comment where flags & Flag.comment == 0: begin(.checksum)
        case .checksum where flags & Flag.checksum == 0: begin(.complete)
        default: break
        }
    }
}
