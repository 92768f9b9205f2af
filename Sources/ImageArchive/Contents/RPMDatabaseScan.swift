import Glibc
import SystemPackage

/// Copies the files of rpm databases out of one layer, unless an upper layer hides them.
final class RPMDatabaseScan: TarVisitor {
    /// The paths of all files of interest, and the numbers of their places.
    static let files: [String: Int] = {
        var files: [String: Int] = [:]
        for (number, place) in RPMDatabase.places.enumerated() {
            for format in RPMDatabase.Format.allCases {
                for name in [format.mainFile] + format.companions { files[place + "/" + name] = number }
            }
        }
        return files
    }()
    static let mainFiles = RPMDatabase.places.flatMap { place in RPMDatabase.Format.allCases.map { place + "/" + $0.mainFile } }
    private static let directories = Set(files.keys.flatMap(LayerShadow.ancestors(of:)))

    private let directory: FilePath
    /// The effects of the layers above this one.
    private let above: LayerShadow
    /// The names under which this pass copies files, by their paths in the image.
    private let wanted: [String: [String]]
    private let isSecondPass: Bool
    private var remaining: Int
    private let limit: Int
    private var targets: [FileDescriptor] = []

    /// The effects of this layer on the layers below it.
    private(set) var shadow = LayerShadow()
    /// The paths of the files copied from this layer.
    private(set) var copied: Set<String> = []
    /// Hard links to files with other names, by the target. They are copied in a second pass.
    private(set) var hardLinks: [String: [String]] = [:]
    /// A sentence about a symbolic link that leads to a place unknown to us.
    private(set) var unknownPlace: String?

    /// Creates the scan of a layer. It copies at most `limit` bytes into `directory`.
    ///
    /// A second pass copies the targets of hard links: `links` has the ``hardLinks`` of the first pass.
    init(into directory: FilePath, below above: LayerShadow, limit: Int, used: Int, links: [String: [String]]? = nil) {
        self.directory = directory
        self.above = above
        self.limit = limit
        remaining = limit - used
        isSecondPass = links != nil
        wanted = links ?? Dictionary(uniqueKeysWithValues: Self.files.keys.map { ($0, [$0]) })
    }

    deinit { closeTargets() }

    /// The number of bytes copied so far, in all layers.
    var used: Int { limit - remaining }

    /// Whether the image would be the same to a search without this layer.
    var isWithoutEffect: Bool { shadow.isEmpty && copied.isEmpty && hardLinks.isEmpty && unknownPlace == nil }

    /// Returns the name on this host of a file of the image.
    static func local(_ file: String, in directory: FilePath) -> FilePath {
        let name = file.split(separator: "/").last.map(String.init) ?? ""
        return directory.appending(String(files[file] ?? 0)).appending(name)
    }

    func begin(_ entry: TarEntry) throws(ImageArchiveError) {
        switch try LayerChange(entry) {
        case .root, .ignored: return
        case .whiteout(let parent, let name): hide(Self.text(parent + [name]))
        case .opaque(let path):
            let path = Self.text(path)
            if Self.directories.contains(path) { shadow.hideContent(of: path) }
        case .add(let parent, let name): try add(entry, Self.text(parent + [name]))
        }
    }

    func content(_ bytes: UnsafeRawBufferPointer) throws(ImageArchiveError) {
        for target in targets { try ImageArchiveError.io("the rpm database") { _ = try target.writeAll(bytes) } }
    }

    func endEntry() { closeTargets() }

    private func closeTargets() {
        for target in targets { Glibc.close(target.rawValue) }
        targets = []
    }

    private static func text(_ path: [[UInt8]]) -> String {
        String(decoding: Array(path.joined(separator: [UInt8(ascii: "/")])), as: UTF8.self)
    }

    private func hide(_ path: String) {
        if Self.directories.contains(path) || Self.files[path] != nil { shadow.hide(path) }
    }

    private func add(_ entry: TarEntry, _ path: String) throws(ImageArchiveError) {
        if let names = wanted[path], entry.kind == .file { try copy(entry, to: names.filter { !above.hides($0) }) }
        guard !isSecondPass else { return }
        if Self.files[path] != nil {
            if entry.kind == .hardLink, !above.hides(path) {
                hardLinks[Self.text(try LayerPath(entry.link, of: entry).components), default: []].append(path)
            } else if entry.kind == .symbolicLink {
                noteLink(entry, path, within: [path])
            }
            hide(path)
        } else if Self.directories.contains(path), entry.kind != .directory {
            if entry.kind == .symbolicLink {
                noteLink(entry, path, within: RPMDatabase.places.filter { $0 == path || $0.hasPrefix(path + "/") })
            }
            hide(path)
        }
    }

    private func copy(_ entry: TarEntry, to names: [String]) throws(ImageArchiveError) {
        for name in names {
            guard entry.size <= remaining else {
                throw ImageArchiveError(.tooLarge, "The rpm database of the image has more than \(limit) bytes, the most that is read.")
            }
            remaining -= entry.size
            let target = Self.local(name, in: directory)
            targets.append(
                try ImageArchiveError.io("the rpm database") {
                    _ = mkdir(target.removingLastComponent().string, 0o700)
                    return try FileDescriptor.open(
                        target, .writeOnly, options: [.create, .truncate, .closeOnExec, .noFollow], permissions: .ownerReadWrite)
                })
            copied.insert(name)
        }
    }

    /// Notes a symbolic link above or in place of a database, unless it leads to another known place.
    private func noteLink(_ entry: TarEntry, _ path: String, within places: [String]) {
        guard !above.hides(path) else { return }
        let target = String(decoding: entry.link, as: UTF8.self)
        var names = target.hasPrefix("/") ? [] : path.split(separator: "/").dropLast().map(String.init)
        for name in target.split(separator: "/") where name != "." {
            if name == ".." { _ = names.popLast() } else { names.append(String(name)) }
        }
        let resolved = names.joined(separator: "/")
        for place in places {
            let moved = resolved + place.dropFirst(path.count)
            guard !RPMDatabase.places.contains(moved), Self.files[moved] == nil else { continue }
            unknownPlace =
                "\(TarEntry.shown(entry.path)) is a symbolic link to \(TarEntry.shown(entry.link)), where no rpm database is looked for."
        }
    }
}
