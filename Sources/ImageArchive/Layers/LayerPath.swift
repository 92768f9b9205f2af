import ForeignText

/// The path of a layer's entry, below the root directory of the image, and the meaning of the entry
/// there.
///
/// A leading slash and `.` are dropped, as in every container engine. A path with `..` is refused.
struct LayerPath: Hashable {
    /// The names of the directories and of the file, in bytes. They are empty for the root directory.
    let components: [[UInt8]]

    /// The most names in one path. Linux allows no path of more than 4,096 bytes.
    private static let mostComponents = 256
    private static let mostBytes = 4096

    init(_ path: [UInt8], of entry: TarEntry) throws(ImageArchiveError) {
        guard path.count <= Self.mostBytes else { throw Self.refusal(entry, "is longer than \(Self.mostBytes) bytes") }
        guard !path.contains(0) else { throw Self.refusal(entry, "has a NUL") }
        components = path.split(separator: UInt8(ascii: "/")).map(Array.init).filter { $0 != [UInt8(ascii: ".")] }
        guard !components.contains(Array("..".utf8)) else { throw Self.refusal(entry, "leads out of the image") }
        guard components.count <= Self.mostComponents else {
            throw Self.refusal(entry, "has more than \(Self.mostComponents) names")
        }
        guard components.allSatisfy({ $0.count <= PathComponent.mostBytes }) else {
            throw Self.refusal(entry, "has a name of more than \(PathComponent.mostBytes) bytes")
        }
    }

    private static func refusal(_ entry: TarEntry, _ reason: String) -> ImageArchiveError {
        ImageArchiveError(.forbidden, "The layer has the entry \(entry.shownPath), whose path \(reason).")
    }
}

/// The effect of a layer's entry on the layers below it (OCI image specification, "Whiteouts").
enum LayerChange: Hashable {
    /// The entry adds or replaces a file, directory or link.
    case add(parent: [[UInt8]], name: [UInt8])
    /// The entry is the root directory itself.
    case root
    /// The name does not exist above the layers below: an entry `.wh.NAME`.
    case whiteout(parent: [[UInt8]], name: [UInt8])
    /// The directory shows nothing from the layers below: an entry `.wh..wh..opq`.
    case opaque(directory: [[UInt8]])
    /// An entry of the file system AUFS itself: any other name that begins with `.wh..wh.`.
    case ignored

    private static let prefix = Array(".wh.".utf8)
    private static let reserved = Array(".wh..wh.".utf8)
    private static let opaqueName = Array(".wh..wh..opq".utf8)

    init(_ entry: TarEntry) throws(ImageArchiveError) {
        let path = try LayerPath(entry.path, of: entry).components
        guard let name = path.last else {
            self = .root
            return
        }
        let parent = Array(path.dropLast())
        if path.contains(where: { $0.starts(with: Self.reserved) && $0 != Self.opaqueName }) {
            self = .ignored
        } else if parent.contains(where: { $0.starts(with: Self.prefix) }) {
            throw ImageArchiveError(.malformed, "The layer has the entry \(entry.shownPath) below a whiteout.")
        } else if name == Self.opaqueName {
            self = .opaque(directory: parent)
        } else if name.starts(with: Self.prefix) {
            let hidden = Array(name.dropFirst(Self.prefix.count))
            guard !hidden.isEmpty, hidden != Array(".".utf8), hidden != Array("..".utf8) else {
                throw ImageArchiveError(.forbidden, "The layer has the whiteout \(entry.shownPath), which names no file.")
            }
            self = .whiteout(parent: parent, name: hidden)
        } else {
            self = .add(parent: parent, name: name)
        }
    }
}
