/// The block of 512 bytes before each entry of a tar archive, in the formats V7, ustar and GNU.
///
/// The offsets are those of POSIX pax, "ustar Interchange Format". GNU tar uses the bytes of the
/// name's prefix for other things, and says so in its magic.
struct TarHeader {
    static let blockSize = 512

    /// The entry as this header alone describes it.
    var entry: TarEntry
    let typeFlag: UInt8

    /// Reads a block that is not the end of the archive.
    init(_ block: UnsafeRawBufferPointer) throws(ImageArchiveError) {
        guard let sum = try? TarNumber.parse(block.field(148, 8)), Self.hasChecksum(sum, block) else {
            throw ImageArchiveError(.malformed, "The archive is not a tar archive or is damaged: a header has another checksum.")
        }
        let isUstar = block.field(257, 6).elementsEqual(Array("ustar\0".utf8))
        var path = block.text(0, 100)
        if isUstar, case let prefix = block.text(345, 155), !prefix.isEmpty { path = prefix + [UInt8(ascii: "/")] + path }
        typeFlag = block[156]
        entry = TarEntry(Self.kind(typeFlag, path), path: path)
        entry.link = block.text(157, 100)
        entry.mode = UInt16(truncatingIfNeeded: try entry.number("mode", block.field(100, 8)) & 0o7777)
        entry.owner = try entry.number("owner", block.field(108, 8))
        entry.group = try entry.number("group", block.field(116, 8))
        entry.size = try entry.number("size", block.field(124, 12))
        entry.modified = try entry.number("time", block.field(136, 12))
        guard entry.size >= 0 else { throw entry.negativeSize }
    }

    private static func kind(_ typeFlag: UInt8, _ path: [UInt8]) -> TarEntry.Kind {
        switch typeFlag {
        // V7 had no directories: their names end with a slash.
        case UInt8(ascii: "0"), 0, UInt8(ascii: "7"): path.last == UInt8(ascii: "/") ? .directory : .file
        case UInt8(ascii: "1"): .hardLink
        case UInt8(ascii: "2"): .symbolicLink
        case UInt8(ascii: "3"): .characterDevice
        case UInt8(ascii: "4"): .blockDevice
        case UInt8(ascii: "5"): .directory
        case UInt8(ascii: "6"): .fifo
        default: .other(typeFlag)
        }
    }

    /// Returns whether the bytes of the block, with spaces in place of the checksum, have the sum `sum`.
    /// Some old programs added signed bytes.
    private static func hasChecksum(_ sum: Int, _ block: UnsafeRawBufferPointer) -> Bool {
        var unsigned = 8 * 0x20
        var signed = 8 * 0x20
        for (index, byte) in block.enumerated() where !(148..<156).contains(index) {
            unsigned += Int(byte)
            signed += Int(Int8(bitPattern: byte))
        }
        return sum == unsigned || sum == signed
    }
}

extension TarEntry {
    /// Returns the number in a field of the entry's header.
    fileprivate func number(_ name: String, _ field: UnsafeRawBufferPointer) throws(ImageArchiveError) -> Int {
        do throws(TarNumber.Problem) {
            return try TarNumber.parse(field)
        } catch {
            throw numberError(name, error)
        }
    }

    func numberError(_ name: String, _ problem: TarNumber.Problem) -> ImageArchiveError {
        switch problem {
        case .malformed: ImageArchiveError(.malformed, "The \(name) of the entry \(shownPath) is not a number.")
        case .tooLarge: ImageArchiveError(.malformed, "The \(name) of the entry \(shownPath) is 2^63 or more.")
        }
    }

    var negativeSize: ImageArchiveError { ImageArchiveError(.malformed, "The size of the entry \(shownPath) is negative.") }
}

extension UnsafeRawBufferPointer {
    fileprivate func field(_ offset: Int, _ count: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: self[offset..<offset + count])
    }

    /// Returns the bytes of a field up to its first NUL.
    fileprivate func text(_ offset: Int, _ count: Int) -> [UInt8] { Array(self[offset..<offset + count].prefix { $0 != 0 }) }
}
