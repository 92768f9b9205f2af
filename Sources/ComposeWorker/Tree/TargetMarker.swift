public import Foundation
import Glibc
public import SystemPackage

/// A target marker is the file `.odcs-target` in a target directory. It has one line with an id.
/// Processes that read the same id share the directory.
public struct TargetMarker: Sendable {
    /// The file's name. The file is never served.
    public static let name = ".odcs-target"

    let directory: FilePath

    public init(in directory: FilePath) {
        self.directory = directory
    }

    private var path: FilePath { directory.appending(Self.name) }

    /// Returns the id of the directory, or `nil` if the file does not exist or has another text in it.
    public func read() throws -> UUID? {
        do {
            let text = String(decoding: try Data(contentsOf: URL(filePath: path.string)), as: UTF8.self)
            return UUID(uuidString: text.trimmingCharacters(in: .whitespacesAndNewlines))
        } catch CocoaError.fileReadNoSuchFile, CocoaError.fileNoSuchFile {
            return nil
        }
    }

    /// Returns the id of the directory. If the directory has no id, writes `id` and returns it. If several
    /// processes do so at the same moment, all of them get the id of the first one.
    ///
    /// - Throws: `Errno`, or a `CocoaError` if the file cannot be read.
    public func read(orWrite id: UUID) throws -> UUID {
        if let found = try read() { return found }
        let fresh = directory.appending("\(Self.name).\(UUID().uuidString)")
        try fresh.create("\(id.uuidString.lowercased())\n".utf8)
        defer { unlink(fresh.string) }
        // The file appears by a link, so that no process ever sees it without its content.
        if Glibc.link(fresh.string, path.string) == 0 { return id }
        guard errno == EEXIST else { throw Errno(rawValue: errno) }
        if let found = try read() { return found }
        // The file has another text in it. No process understands that text, so the file is replaced.
        guard rename(fresh.string, path.string) == 0 else { throw Errno(rawValue: errno) }
        return id
    }
}
