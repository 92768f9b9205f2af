import CSolv
import Glibc

/// A table of a few paths that are looked up among a very large number. The key is the last bytes of a
/// path, in which paths differ most.
struct PathTable {
    private var entries: [UInt64: [(bytes: [UInt8], id: Id)]] = [:]

    init(_ paths: [(id: Id, text: String)]) {
        for (id, text) in paths {
            let bytes = Array(text.utf8)
            bytes.withUnsafeBytes { entries[Self.key($0), default: []].append((bytes, id)) }
        }
    }

    /// Returns the id of `path`.
    subscript(path: UnsafeRawBufferPointer) -> Id? {
        entries[Self.key(path)]?.first { $0.bytes.count == path.count && memcmp($0.bytes, path.baseAddress!, path.count) == 0 }?.id
    }

    private static func key(_ path: UnsafeRawBufferPointer) -> UInt64 {
        guard path.count >= 8 else { return path.reduce(0) { $0 << 8 | UInt64($1) } }
        return path.loadUnaligned(fromByteOffset: path.count - 8, as: UInt64.self)
    }
}
