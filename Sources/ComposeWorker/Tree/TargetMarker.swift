public import Foundation
import Glibc
public import SystemPackage

/// The file in a target directory by whose content processes tell whether they share that directory: `.odcs-target`, one line with an id.
public struct TargetMarker: Sendable {
    /// The file's name, which is never served.
    public static let name = ".odcs-target"

    let directory: FilePath

    public init(in directory: FilePath) {
        self.directory = directory
    }

    private var path: FilePath { directory.appending(Self.name) }

    /// The id of the directory; `nil` where there is no such file, or another text in it.
    public func read() throws -> UUID? {
        do {
            let text = String(decoding: try Data(contentsOf: URL(filePath: path.string)), as: UTF8.self)
            return UUID(uuidString: text.trimmingCharacters(in: .whitespacesAndNewlines))
        } catch CocoaError.fileReadNoSuchFile, CocoaError.fileNoSuchFile {
            return nil
        }
    }

    /// The id of the directory, which is `id` where it had none: of several processes that say one at the same moment, that of the first.
    ///
    /// - Throws: `Errno`.
    public func read(orWrite id: UUID) throws -> UUID {
        if let found = try read() { return found }
        let fresh = directory.appending("\(Self.name).\(UUID().uuidString)")
        try fresh.create("\(id.uuidString.lowercased())\n".utf8)
        defer { unlink(fresh.string) }
        // By a link, so that nobody ever sees the file without its content.
        if Glibc.link(fresh.string, path.string) == 0 { return id }
        guard errno == EEXIST else { throw Errno(rawValue: errno) }
        if let found = try read() { return found }
        // Something else is in it, which means nothing to anybody.
        guard rename(fresh.string, path.string) == 0 else { throw Errno(rawValue: errno) }
        return id
    }
}
