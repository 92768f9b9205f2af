public import Compression
import Glibc
import Synchronization
public import SystemPackage

/// The metadata of a repository with which later revisions are compared.
///
/// A later revision is kept as a layer: the differences to the base, and hard links to the files of
/// the base. A base is never a layer itself.
public final class RepositoryBase: Sendable {
    /// The maximum part of the elements of a document that may be new, and that may be gone. A revision
    /// with more changes is kept as a whole.
    private static let mostChanged = 0.1
    /// The files that a layer has in common with its base, if the base has them.
    private static let sharedFiles = ["primary.xml", "filelists.xml", "other.xml", "packages.index", "pool.solv"]
    /// The name of the file with the ``RepositoryMetadata/id`` of the base.
    static let nameOfID = "base"

    public let metadata: RepositoryMetadata
    private let documents: [MetadataDocument: MappedFile]
    private let table: IndexTable
    /// The documents that were compared with a revision before.
    private let compared: Mutex<[MetadataDocument: ComparedBase]> = Mutex([:])

    /// Opens a base. Blocks.
    ///
    /// - Returns: `nil` if the metadata is a layer, has no index yet, or cannot be read.
    public init?(opening metadata: RepositoryMetadata) {
        // Without a base, a revision is read as a whole. So no error has to be reported.
        guard metadata.base == nil, let documents = try? MetadataIndex.documents(of: metadata),
            let table = IndexTable(opening: MetadataIndex.file(in: metadata.directory), documentSizes: MetadataIndex.sizes(of: documents))
        else { return nil }
        self.metadata = metadata
        self.documents = documents
        self.table = table
    }

    /// Compares a document with that of the base, and writes the changes into `directory`. Blocks.
    ///
    /// - Parameters:
    ///   - stored: The document as it is stored, compressed or not. Its checksum must have been compared.
    ///   - limit: The maximum size of the decompressed document.
    /// - Returns: Whether the changes were written. `false` if there are too many or unusual changes, or if
    ///   the document cannot be read. Then it must be read as a whole.
    public func writeChanges(of document: MetadataDocument, from stored: FilePath, limit: Int, to directory: FilePath) -> Bool {
        writeChanges(of: document, to: directory) { (add) throws(RepodataError) in
            try Compression.forEachPiece(of: stored, limit: limit, named: document.rawValue, add)
        }
    }

    /// Compares a document with that of the base like ``writeChanges(of:from:limit:to:)``, while it is
    /// read from its source.
    ///
    /// - Parameters:
    ///   - file: The document as it is stored at the source, at its beginning.
    ///   - size: The number of its bytes.
    ///   - fileExtension: The extension of its name, for example `gz`.
    ///   - expected: Its checksum. If the file has another one, the result is `false`.
    public func writeChanges(
        of document: MetadataDocument, from file: FileDescriptor, size: Int, extension fileExtension: String?, expecting expected: Checksum,
        limit: Int, to directory: FilePath
    ) -> Bool {
        writeChanges(of: document, to: directory) { (add) throws(RepodataError) in
            var stream = CompressedStream(file, size: size, expected.algorithm, named: document.rawValue)
            try Compression.forEachPiece(of: &stream, extension: fileExtension, limit: limit, named: document.rawValue, add)
            try Digest.compare(stream.checksum(), with: expected, of: document.rawValue)
        }
    }

    /// - Parameter read: Calls the function that it gets with each piece of the decompressed document.
    private func writeChanges(
        of document: MetadataDocument, to directory: FilePath,
        read: ((UnsafeRawBufferPointer) throws(RepodataError) -> Void) throws(RepodataError) -> Void
    ) -> Bool {
        guard let name = PackageKey(metadata.id), let base = prepared(document) else { return false }
        let most = max(1, Int(Double(base.count) * Self.mostChanged))
        var comparison = DocumentComparison(with: base, document, most: most)
        do throws(RepodataError) {
            try read { (piece) throws(RepodataError) in
                guard comparison.add(piece) else {
                    throw RepodataError(.malformed, "\(document.rawValue) differs from the base in too many or unusual places")
                }
            }
            guard let draft = comparison.finish() else { return false }
            try DocumentChanges.write(draft, over: name, to: directory.appending(document.changesFileName))
            return true
        } catch {
            // If there is a fault, it is found again when the document is read as a whole.
            return false
        }
    }

    private func prepared(_ document: MetadataDocument) -> ComparedBase? {
        if let known = compared.withLock({ $0[document] }) { return known }
        guard let file = documents[document], let base = ComparedBase(file, document, in: table) else { return nil }
        compared.withLock { $0[document] = base }
        return base
    }

    /// Whether the files of the base are still those that were opened.
    public var isCurrent: Bool {
        table.isStill(at: MetadataIndex.file(in: metadata.directory))
            && documents.allSatisfy { $1.isStill(at: metadata.directory.appending($0.fileName)) }
    }

    /// Replaces the documents in `directory` by links to those of the base. The directory is a layer
    /// from then on. All its documents must have changes beside them. Blocks.
    ///
    /// - Returns: Whether it is a layer. `false` if a file of the base cannot be linked, for example
    ///   because another process has removed it. Then the directory is as before.
    public func linkDocuments(into directory: FilePath) throws(RepodataError) -> Bool {
        var links: [(temporary: FilePath, name: FilePath)] = []
        var isComplete = true
        for name in Self.sharedFiles where access(metadata.directory.appending(name).string, F_OK) == 0 {
            let temporary = directory.appending("base-\(name)")
            isComplete = isComplete && link(metadata.directory.appending(name).string, temporary.string) == 0
            links.append((temporary, directory.appending(name)))
        }
        // If the name of the base cannot be written, the revision is kept as a whole instead.
        isComplete =
            isComplete && documents.keys.allSatisfy { document in links.contains { $0.name.lastComponent?.string == document.fileName } }
            && (try? AtomicFile.write(Array(metadata.id.hex.utf8), to: directory.appending(Self.nameOfID))) != nil
        guard isComplete else {
            for made in links { unlink(made.temporary.string) }
            return false
        }
        for made in links where rename(made.temporary.string, made.name.string) != 0 { throw .lastSystemError(made.name.shortName) }
        return true
    }

    /// Removes the changes that were written in `directory`, so that its documents are whole metadata.
    public static func removeChanges(in directory: FilePath) {
        for name in filesOfLayer { unlink(directory.appending(name).string) }
    }

    /// The files that only a layer has.
    public static var filesOfLayer: [String] { MetadataDocument.allCases.map(\.changesFileName) + [nameOfID] }

    /// Whether the base has exactly these documents.
    public func has(_ found: Set<MetadataDocument>) -> Bool { found == Set(documents.keys) }
}

extension RepositoryMetadata {
    /// Returns the id of the base if `directory` is a layer with intact changes. Throws `.malformed` if
    /// it is a damaged layer. Blocks.
    ///
    /// - Returns: `nil` if the directory is not a layer.
    public static func base(of directory: FilePath) throws(RepodataError) -> Checksum? {
        let path = directory.appending(RepositoryBase.nameOfID)
        guard access(path.string, F_OK) == 0 else {
            // The documents are those of the base, so the directory must not count as whole metadata.
            guard RepositoryBase.filesOfLayer.allSatisfy({ access(directory.appending($0).string, F_OK) != 0 }) else {
                throw RepodataError(.malformed, "the name of the base is missing")
            }
            return nil
        }
        let file = try MappedFile(path)
        let hex = String(decoding: file.bytes, as: UTF8.self)
        guard hex.utf8.count == Checksum.Algorithm.sha256.hexLength, hex == hex.lowercased() else {
            throw RepodataError(.malformed, "the name of the base is damaged")
        }
        let id = Checksum(.sha256, hex: hex)
        for document in MetadataDocument.allCases where access(directory.appending(document.fileName).string, F_OK) == 0 {
            let base = try MappedFile.shared(directory.appending(document.fileName))
            guard DocumentChanges(opening: directory.appending(document.changesFileName), over: id)?.baseSize == base.bytes.count else {
                throw RepodataError(.malformed, "\(document.changesFileName) is damaged")
            }
        }
        return id
    }

    /// Returns the changes of a document since the base. Returns `nil` if the metadata is not a layer
    /// or does not have the document. Throws `.malformed` if they are damaged.
    public func changes(of document: MetadataDocument) throws(RepodataError) -> DocumentChanges? {
        guard let base, document == .primary || document == .filelists && hasFilelists || document == .other && hasOther else {
            return nil
        }
        guard let changes = DocumentChanges(opening: directory.appending(document.changesFileName), over: base) else {
            throw RepodataError(.malformed, "\(document.changesFileName) is damaged")
        }
        return changes
    }
}
