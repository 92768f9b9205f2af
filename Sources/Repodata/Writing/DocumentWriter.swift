import Compression
import Glibc
import SystemPackage

/// A compressed document of a repository that is being written. Its file name begins with its checksum,
/// so that caches never mix two versions.
final class DocumentWriter {
    /// A document that is complete and has its final name.
    struct Record {
        let type: String
        /// Its name in `repodata`.
        let filename: String
        let summary: CompressedFile.Summary
    }

    private let document: MetadataDocument
    private let directory: FilePath
    private let name: String
    private let file: CompressedFile

    init(
        _ document: MetadataDocument, packageCount: Int, in directory: FilePath, compression: WritableCompression
    ) throws(RepodataError) {
        self.document = document
        self.directory = directory
        name = "\(document.rawValue).xml\(compression.suffix)"
        file = try CompressedFile(directory.appending(name), compression: compression, named: document.rawValue)
        file.add(document.opening(packageCount: packageCount))
    }

    /// Adds a part of a `<package>` element, or the line feed that follows it.
    func add(_ bytes: UnsafeRawBufferPointer) { file.add(bytes) }

    func add(_ text: String) { file.add(text) }

    /// Whether so many bytes are in memory that the document should be flushed.
    var isFull: Bool { file.isFull }

    /// Compresses and writes the bytes added so far. `isLast` completes the document first.
    func flush(isLast: Bool = false) throws(RepodataError) {
        if isLast { file.add("</\(document.rootElement)>") }
        try file.flush(isLast: isLast)
    }

    /// Gives the document its final name. Call it once, after the last flush.
    func finish() throws(RepodataError) -> Record {
        try Self.finish(file, type: document.rawValue, name: name, in: directory)
    }

    /// Compresses a document whose content is already complete.
    static func write(
        _ extra: RepositoryWriter.ExtraDocument, in directory: FilePath, compression: WritableCompression
    ) throws(RepodataError) -> Record {
        let name = extra.file.shortName + compression.suffix
        let file = try CompressedFile(directory.appending(name), compression: compression, named: extra.type)
        try FileContent.read(extra.file) { (bytes) throws(RepodataError) in
            file.add(bytes)
            if file.isFull { try file.flush() }
        }
        try file.flush(isLast: true)
        return try finish(file, type: extra.type, name: name, in: directory)
    }

    private static func finish(_ file: CompressedFile, type: String, name: String, in directory: FilePath) throws(RepodataError) -> Record {
        let summary = file.finish()
        let filename = "\(summary.checksum.hex)-\(name)"
        guard rename(directory.appending(name).string, directory.appending(filename).string) == 0 else { throw .lastSystemError(type) }
        return Record(type: type, filename: filename, summary: summary)
    }
}
