import Compression
import Depsolve
import Foundation
import Logging
import Repodata
import Synchronization
import SystemPackage
import Testing

/// Makes layers of whole metadata, as the cache of a worker does it.
enum LayeredMetadata {
    /// Copies `metadata` to `place` and makes it a layer over `base` there. Without a base, or if there are too many changes, it stays whole
    /// and gets its index, so that it can be a base.
    static func make(_ metadata: RepositoryMetadata, over base: RepositoryMetadata?, at place: URL) throws -> RepositoryMetadata {
        try FileManager.default.copyItem(atPath: metadata.directory.string, toPath: place.path)
        let copy = self.copy(metadata, at: place)
        let documents: [MetadataDocument] = [.primary] + (copy.hasFilelists ? [.filelists] : []) + (copy.hasOther ? [.other] : [])
        if let base, let opened = RepositoryBase(opening: base),
            documents.allSatisfy({
                opened.writeChanges(of: $0, from: copy.directory.appending("\($0.rawValue).xml"), limit: .max, to: copy.directory)
            })
        {
            #expect(try opened.linkDocuments(into: copy.directory))
            return self.copy(metadata, at: place, base: try RepositoryMetadata.base(of: copy.directory))
        }
        _ = try MetadataIndex(opening: copy)
        return copy
    }

    private static func copy(_ metadata: RepositoryMetadata, at place: URL, base: Checksum? = nil) -> RepositoryMetadata {
        RepositoryMetadata(
            id: metadata.id, directory: FilePath(place.path), hasFilelists: metadata.hasFilelists, hasOther: metadata.hasOther,
            hasModules: metadata.hasModules, base: base)
    }

    /// Makes an older revision of `metadata` below `place`, and `metadata` a layer over it. The older revision lacks a package and has one
    /// that `metadata` does not have. Returns `nil` if there is no package to lack.
    static func make(
        _ metadata: RepositoryMetadata, below place: URL, lacking number: Int
    ) throws -> (older: RepositoryMetadata, layer: RepositoryMetadata)? {
        let base = place.appending(path: "base")
        try FileManager.default.createDirectory(at: base, withIntermediateDirectories: true)
        let gone = String(repeating: "e", count: 64)
        let extra = [
            "primary.xml": """
            <package type="rpm"><name>gone</name><arch>x86_64</arch><version epoch="0" ver="1" rel="1"/>
            <checksum type="sha256" pkgid="YES">\(gone)</checksum><size package="1000"/><location href="gone-1-1.x86_64.rpm"/>
            <format><rpm:provides><rpm:entry name="gone"/></rpm:provides><rpm:requires><rpm:entry name="/opt/of/gone"/><rpm:entry name="zz"/>
            </rpm:requires><rpm:supplements><rpm:entry name="gone"/></rpm:supplements></format></package>

            """,
            "filelists.xml":
                "<package pkgid=\"\(gone)\" name=\"gone\" arch=\"x86_64\"><version epoch=\"0\" ver=\"1\" rel=\"1\"/></package>\n",
        ]
        for (name, element) in extra {
            let file = URL(fileURLWithPath: metadata.directory.appending(name).string)
            let text = try String(contentsOf: file, encoding: .utf8)
            let elements = text.matches(of: /(?s)<package .*?<\/package>\n/).map(\.range)
            guard elements.count > 1 else { return nil }
            var older = text
            older.replaceSubrange(elements[number % elements.count], with: number.isMultiple(of: 2) ? element : "")
            if !number.isMultiple(of: 2) { older.insert(contentsOf: element, at: elements[0].lowerBound) }
            try Data(older.utf8).write(to: base.appending(path: name))
        }
        let older = RepositoryMetadata(
            id: Checksum(.sha256, hex: String(repeating: "b", count: 64)), directory: FilePath(base.path), hasFilelists: true,
            hasOther: false)
        _ = try MetadataIndex(opening: older)
        let layer = try make(metadata, over: older, at: place.appending(path: "layer"))
        return layer.base == nil ? nil : (older, layer)
    }
}

/// A log that keeps its messages.
final class Recorder: LogHandler, Sendable {
    private let lines: Mutex<[String]> = Mutex([])

    var messages: [String] { lines.withLock { $0 } }

    func count(_ message: String) -> Int { messages.count { $0.hasPrefix(message) } }

    var logger: Logger { Logger(label: "recorder") { _ in self } }

    func log(event: LogEvent) { lines.withLock { $0.append("\(event.message) \(event.metadata ?? [:])") } }

    subscript(metadataKey _: String) -> Logger.Metadata.Value? {
        get { nil }
        set {}
    }

    var metadata: Logger.Metadata {
        get { [:] }
        set {}
    }

    var logLevel: Logger.Level {
        get { .debug }
        set {}
    }
}
