/// The records of a pax header that change an entry (POSIX pax, "pax Header Block").
///
/// A record is `LENGTH KEYWORD=VALUE` and a line feed. LENGTH counts the whole record. Records such as
/// `atime` and `SCHILY.xattr.security.capability` are ignored.
struct PaxRecords {
    var path: [UInt8]?
    var link: [UInt8]?
    var size: Int?
    var owner: Int?
    var group: Int?
    var modified: Int?
    /// Whether the records describe a sparse file in one of GNU tar's formats.
    var isSparse = false

    init(_ bytes: [UInt8]) throws(ImageArchiveError) {
        var rest = bytes[...]
        // GNU tar pads with NUL.
        while let first = rest.first, first != 0 {
            guard let space = rest.prefix(20).firstIndex(of: UInt8(ascii: " ")),
                let length = try? TarNumber.decimal(rest[..<space], allowsFraction: false), length > 0, length <= rest.count,
                case let record = rest.prefix(length), space < record.endIndex - 1, record.last == UInt8(ascii: "\n"),
                let equals = record[(space + 1)...].firstIndex(of: UInt8(ascii: "="))
            else { throw ImageArchiveError(.malformed, "A pax header of the archive has a record without a length, keyword or end.") }
            try take(String(decoding: record[(space + 1)..<equals], as: UTF8.self), record[(equals + 1)..<(record.endIndex - 1)])
            rest = rest.dropFirst(length)
        }
    }

    private mutating func take(_ keyword: String, _ value: ArraySlice<UInt8>) throws(ImageArchiveError) {
        switch keyword {
        case "path": path = try Self.text(keyword, value)
        case "linkpath": link = try Self.text(keyword, value)
        case "size": size = try Self.number(keyword, value)
        case "uid": owner = try Self.number(keyword, value)
        case "gid": group = try Self.number(keyword, value)
        case "mtime": modified = try Self.number(keyword, value, allowsFraction: true)
        default: if keyword.hasPrefix("GNU.sparse.") { isSparse = true }
        }
    }

    /// An empty value means that the header's own field holds.
    private static func text(_ keyword: String, _ value: ArraySlice<UInt8>) throws(ImageArchiveError) -> [UInt8]? {
        guard !value.contains(0) else { throw ImageArchiveError(.malformed, "The pax record \(keyword) of the archive has a NUL.") }
        return value.isEmpty ? nil : Array(value)
    }

    private static func number(
        _ keyword: String, _ value: ArraySlice<UInt8>, allowsFraction: Bool = false
    ) throws(ImageArchiveError) -> Int? {
        guard !value.isEmpty else { return nil }
        do throws(TarNumber.Problem) {
            return try TarNumber.decimal(value, allowsFraction: allowsFraction)
        } catch .tooLarge {
            throw ImageArchiveError(.malformed, "The pax record \(keyword) of the archive is 2^63 or more.")
        } catch {
            throw ImageArchiveError(.malformed, "The pax record \(keyword) of the archive is not a number.")
        }
    }

    /// Returns one record.
    static func record(_ keyword: String, _ value: [UInt8]) -> [UInt8] {
        let body = [UInt8(ascii: " ")] + Array(keyword.utf8) + [UInt8(ascii: "=")] + value + [UInt8(ascii: "\n")]
        // The length counts its own digits.
        var length = body.count + 1
        while String(length).utf8.count + body.count != length { length = String(length).utf8.count + body.count }
        return Array(String(length).utf8) + body
    }
}
