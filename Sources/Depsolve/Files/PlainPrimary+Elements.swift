import CSolv
import Glibc

// The elements of a package that have attributes, or a form of their own.
extension PlainPrimary {
    mutating func readVersion() throws(Unusual) {
        let values = try markup.attributes(["epoch", "ver", "rel"])
        guard markup.isEmpty else { throw Unusual() }
        solvable.pointee.evr = try evr(values[0], values[1], values[2])
    }

    mutating func readChecksum() throws(Unusual) {
        let values = try markup.attributes(["type", "pkgid"])
        guard !markup.isEmpty, let type = values[0] else { throw Unusual() }
        let digits = try markup.text()
        try markup.skip("</checksum>")
        let checksumType = solv_chksum_str2type(try text(of: type))
        let length = Int(solv_chksum_len(checksumType))
        guard checksumType != 0, length > 0, digits.count == 2 * length else { throw Unusual() }
        for position in 0..<length {
            guard let high = Self.digit(digits.start[2 * position]), let low = Self.digit(digits.start[2 * position + 1]) else {
                throw Unusual()
            }
            scratch[position] = high << 4 | low
        }
        repodata_set_bin_checksum(data, package, Id(SOLVABLE_CHECKSUM.rawValue), checksumType, scratch)
    }

    static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    mutating func readSize() throws(Unusual) {
        let values = try markup.attributes(["package", "installed", "archive"])
        guard markup.isEmpty else { throw Unusual() }
        guard let stored = values[0] else { return }
        guard (1...18).contains(stored.count) else { throw Unusual() }
        var number: UInt64 = 0
        for position in 0..<stored.count {
            guard let digit = Self.digit(stored.start[position]), digit < 10 else { throw Unusual() }
            number = number * 10 + UInt64(digit)
        }
        repodata_set_num(data, package, Id(SOLVABLE_DOWNLOADSIZE.rawValue), number)
    }

    mutating func readLocation() throws(Unusual) {
        let values = try markup.attributes(["href", "xml:base"])
        guard markup.isEmpty, let href = values[0] else { throw Unusual() }
        repodata_set_location(data, package, 0, nil, try text(of: href))
        guard let base = values[1] else { return }
        let text = try text(of: base)
        // It names the number of a medium.
        if strncmp(text, "media:", 6) == 0 { throw Unusual() }
        repodata_set_poolstr(data, package, Id(SOLVABLE_MEDIABASE.rawValue), text)
    }

    mutating func readFile() throws(Unusual) {
        _ = try markup.attributes(["type"])
        let path = try content("</file>", isInTag: false)
        let start = UnsafeMutableRawPointer(mutating: try text(of: path)).assumingMemoryBound(to: UInt8.self)
        guard start[0] == UInt8(ascii: "/"), let slash = strrchr(start, Int32(UInt8(ascii: "/"))) else { throw Unusual() }
        let count = UnsafeRawPointer(slash) - UnsafeRawPointer(start)
        if directoryID == 0 || count != directoryCount || memcmp(start, directory, count) != 0 {
            directory.update(from: start, count: count)
            directory[count] = 0
            directoryCount = count
            directoryID = count == 0 ? repodata_str2dir(data, "/", 1) : repodata_str2dir(data, Self.characters(directory), 1)
        }
        repodata_add_dirstr(data, package, Id(SOLVABLE_FILELIST.rawValue), directoryID, Self.characters(start + count + 1))
    }
}
