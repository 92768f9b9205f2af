import CSolv
import Glibc

/// Some paths, to be recognised among very many: by their last bytes first, in which paths differ most.
struct PathTable {
    private var entries: [UInt64: [(bytes: [UInt8], id: Id)]] = [:]

    var isEmpty: Bool { entries.isEmpty }

    init(_ paths: [(id: Id, text: String)]) {
        for (id, text) in paths {
            // As XML writes it; with or without entities for the quotes, which it need not have there.
            let escaped = text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
            let quoted = escaped.replacing("\"", with: "&quot;").replacing("'", with: "&apos;")
            for bytes in Set([escaped, quoted]).map({ Array($0.utf8) }) {
                bytes.withUnsafeBytes { entries[Self.key($0), default: []].append((bytes, id)) }
            }
        }
    }

    /// The id of the path that a document has as `path`.
    subscript(path: UnsafeRawBufferPointer) -> Id? {
        entries[Self.key(path)]?.first { $0.bytes.count == path.count && memcmp($0.bytes, path.baseAddress!, path.count) == 0 }?.id
    }

    private static func key(_ path: UnsafeRawBufferPointer) -> UInt64 {
        guard path.count >= 8 else { return path.reduce(0) { $0 << 8 | UInt64($1) } }
        return path.loadUnaligned(fromByteOffset: path.count - 8, as: UInt64.self)
    }
}
