public import Compression
public import SystemPackage

/// The position of the main header in an RPM file, found from the file's first bytes.
///
/// An RPM file consists of the lead (96 bytes), the signature header, padding to a multiple of 8, the
/// main header and the payload. Each header begins with 16 bytes that contain its length (RPM's manual,
/// "Package format").
public struct RPMHeaderExtent: Hashable, Sendable {
    /// `rpm:header-range`, in bytes from the start of the file.
    public let range: Range<Int>

    /// The result of a look at the first bytes of a file.
    public enum Finding: Hashable, Sendable {
        /// The number of bytes from the start of the file that are needed before more can be said.
        case needs(Int)
        /// All bytes of the header are there.
        case complete(RPMHeaderExtent)
    }

    /// The number of bytes that are needed to find the start of the main header.
    public static let signatureIntroEnd = leadSize + introSize

    /// The largest accepted size of lead, signature and header together, in bytes. The largest of Fedora
    /// have a few million.
    public static let largest = 64 << 20

    private static let magic: [UInt8] = [0xED, 0xAB, 0xEE, 0xDB]
    private static let leadSize = 96
    private static let introSize = 16

    /// Looks at the first bytes of a file. Throws `.notAnRPM` if they are not those of an RPM, and
    /// `.tooLarge` if the header claims to end after more than ``largest`` bytes.
    public static func find(in bytes: [UInt8], named name: String) throws(RepodataError) -> Finding {
        guard bytes.count >= signatureIntroEnd else {
            if bytes.count >= magic.count { try checkMagic(bytes, name) }
            return .needs(signatureIntroEnd)
        }
        let start = try start(in: bytes, named: name)
        guard bytes.count >= start + introSize else { return .needs(start + introSize) }
        let end = start + (try size(of: bytes, at: start, named: name))
        guard end <= largest else { throw tooLarge(end, name) }
        return bytes.count >= end ? .complete(RPMHeaderExtent(range: start..<end)) : .needs(end)
    }

    /// Returns the offset of the main header, given the first ``signatureIntroEnd`` bytes of a file. Throws
    /// `.truncated` if there are fewer bytes.
    public static func start(in bytes: [UInt8], named name: String) throws(RepodataError) -> Int {
        if bytes.count >= magic.count { try checkMagic(bytes, name) }
        guard bytes.count >= signatureIntroEnd else { throw truncated(bytes.count, name) }
        let end = leadSize + (try size(of: bytes, at: leadSize, named: name))
        let start = (end + 7) / 8 * 8
        guard start <= largest else { throw tooLarge(start, name) }
        return start
    }

    /// Reads lead, signature and header, and no byte after them. Blocks the calling thread. Throws
    /// `.truncated` if the file ends before the end of the header.
    public static func contents(of file: FileDescriptor, named name: String) throws(RepodataError) -> [UInt8] {
        var bytes: [UInt8] = []
        while case .needs(let count) = try find(in: bytes, named: name) {
            let have = bytes.count
            bytes += try RepodataError.io(name) {
                try [UInt8](unsafeUninitializedCapacity: count - have) { buffer, read in
                    while read < count - have {
                        let step = try file.read(
                            fromAbsoluteOffset: Int64(have + read),
                            into: UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[read...]))
                        if step == 0 { break }
                        read += step
                    }
                }
            }
            guard bytes.count == count else {
                _ = try find(in: bytes, named: name)
                throw truncated(bytes.count, name)
            }
        }
        return bytes
    }

    private static func size(of bytes: [UInt8], at offset: Int, named name: String) throws(RepodataError) -> Int {
        guard bytes[offset..<offset + 4].elementsEqual([0x8E, 0xAD, 0xE8, 0x01]) else {
            throw RepodataError(.notAnRPM, "\(name) is not an RPM package, or damaged: there is no header at byte \(offset)")
        }
        func number(_ at: Int) -> Int { bytes[at..<at + 4].reduce(0) { $0 << 8 | Int($1) } }
        // The entries have 16 bytes each. Their data follows.
        return introSize + 16 * number(offset + 8) + number(offset + 12)
    }

    private static func checkMagic(_ bytes: [UInt8], _ name: String) throws(RepodataError) {
        guard bytes.starts(with: magic) else { throw RepodataError(.notAnRPM, "\(name) is not an RPM package") }
    }

    static func truncated(_ count: Int, _ name: String) -> RepodataError {
        RepodataError(.truncated, "\(name) ends inside of its header, after \(count) bytes")
    }

    private static func tooLarge(_ size: Int, _ name: String) -> RepodataError {
        RepodataError(.tooLarge, "\(name) claims a header that ends at byte \(size); more than \(largest) are not accepted")
    }
}
