public import Compression
import SystemPackage

/// An index of a repository's metadata: it finds each package in the documents by its pkgid.
///
/// It is made by one walk over the documents and kept beside them as `packages.index`. The next program
/// that opens it only maps that file. It never changes, so it can be shared between threads.
public struct MetadataIndex: Sendable {
    /// A package's metadata: the bytes of its `<package>` element in each document that has one.
    public struct Chunks: Hashable, Sendable {
        public let primary: [UInt8]
        public let filelists: [UInt8]?
        public let other: [UInt8]?
    }

    /// The same as ``Chunks``, but without a copy. The pointers are valid only as long as the index exists.
    struct Elements {
        let primary: UnsafeRawBufferPointer
        let filelists: UnsafeRawBufferPointer?
        let other: UnsafeRawBufferPointer?

        /// Whether the repository has the package's file list and its change log.
        var isComplete: Bool { filelists != nil && other != nil }
    }

    /// The ``RepositoryMetadata/id`` of the repository.
    public let repository: Checksum
    private let directory: FilePath
    private let documents: [MetadataDocument: MappedFile]
    /// The changes of the documents, if the metadata is a layer. The documents and the table are those
    /// of the base then.
    private let changes: [MetadataDocument: DocumentChanges]
    private let table: IndexTable

    /// Opens the index of `metadata`. Creates it first if it is missing or does not fit the documents.
    /// Blocks the calling thread.
    ///
    /// Primary determines the set of packages. The other documents may lack some of them. A package that
    /// only they have is ignored. Throws the errors of ``PackageScanner``.
    public init(opening metadata: RepositoryMetadata) throws(RepodataError) {
        let documents = try Self.documents(of: metadata)
        let sizes = Self.sizes(of: documents)
        let file = Self.file(in: metadata.directory)
        var changes: [MetadataDocument: DocumentChanges] = [:]
        for document in documents.keys { changes[document] = try metadata.changes(of: document) }

        repository = metadata.id
        directory = metadata.directory
        self.documents = documents
        self.changes = changes
        if let table = IndexTable(opening: file, documentSizes: sizes) {
            self.table = table
        } else {
            try IndexTable.write(try Self.entries(of: documents), documentSizes: sizes, to: file)
            guard let table = IndexTable(opening: file, documentSizes: sizes) else {
                throw RepodataError(.io, "\(file.shortName) could not be read back after it was written")
            }
            self.table = table
        }
    }

    static func file(in directory: FilePath) -> FilePath { directory.appending("packages.index") }

    static func documents(of metadata: RepositoryMetadata) throws(RepodataError) -> [MetadataDocument: MappedFile] {
        var documents: [MetadataDocument: MappedFile] = [:]
        documents[.primary] = try MappedFile.shared(metadata.primary)
        if let filelists = metadata.filelists { documents[.filelists] = try MappedFile.shared(filelists) }
        if let other = metadata.other { documents[.other] = try MappedFile.shared(other) }
        return documents
    }

    static func sizes(of documents: [MetadataDocument: MappedFile]) -> [Int] {
        MetadataDocument.allCases.map { documents[$0]?.bytes.count ?? 0 }
    }

    /// Whether its files are still those that were opened. Blocks for a moment.
    public var isCurrent: Bool {
        table.isStill(at: Self.file(in: directory))
            && documents.allSatisfy { $1.isStill(at: directory.appending($0.fileName)) }
            && changes.allSatisfy { $1.isStill(at: directory.appending($0.changesFileName)) }
    }

    /// The number of different packages.
    public var count: Int { table.count + (changes[.primary].map { $0.newCount - $0.goneCount } ?? 0) }

    public func contains(_ pkgid: Checksum) -> Bool { PackageKey(pkgid).flatMap { element(.primary, of: $0) } != nil }

    /// Returns the element of a package in one document. The bytes exist as long as the index.
    private func element(_ document: MetadataDocument, of key: PackageKey) -> UnsafeRawBufferPointer? {
        if let changes = changes[document] {
            if let new = changes.newElement(of: key) { return new }
            if changes.isGone(key) { return nil }
        }
        guard let range = table.ranges(of: key)?[document], !range.isEmpty else { return nil }
        return documents[document].map { UnsafeRawBufferPointer(rebasing: $0.bytes[range]) }
    }

    /// Whether the repository has all three documents.
    public var isComplete: Bool { documents.count == MetadataDocument.allCases.count }

    /// Returns whether the repository has the file list and the change log of the package `pkgid`. Throws
    /// `.missing` if it does not have the package.
    public func isComplete(_ pkgid: Checksum) throws(RepodataError) -> Bool {
        try withElements(of: pkgid) { (elements) throws(RepodataError) in elements.isComplete }
    }

    /// Returns the repository's metadata of the package `pkgid`. Throws `.missing` if it does not have the
    /// package.
    public func chunks(of pkgid: Checksum) throws(RepodataError) -> Chunks {
        try withElements(of: pkgid) { Chunks($0) }
    }

    /// Calls `body` with the same bytes as ``chunks(of:)``, but without a copy of them.
    func withElements<Result>(
        of pkgid: Checksum, _ body: (Elements) throws(RepodataError) -> Result
    ) throws(RepodataError) -> Result {
        guard let key = PackageKey(pkgid), let primary = element(.primary, of: key) else {
            throw RepodataError(.missing, "the repository's metadata has no package with the pkgid \(pkgid)")
        }
        defer { withExtendedLifetime((documents, changes)) {} }
        return try body(Elements(primary: primary, filelists: element(.filelists, of: key), other: element(.other, of: key)))
    }

    /// Walks over all documents. If a document lists a package more than once, its first element counts.
    private static func entries(of documents: [MetadataDocument: MappedFile]) throws(RepodataError) -> [IndexTable.Entry] {
        var entries: [IndexTable.Entry] = []
        var positions: [PackageKey: Int] = [:]
        for document in MetadataDocument.allCases {
            guard let file = documents[document] else { continue }
            try PackageScanner(file.bytes, document).scan { (key, range) throws(RepodataError) in
                if let position = positions[key] {
                    if entries[position].ranges[document].isEmpty { entries[position].ranges[document] = range }
                } else if document == .primary {
                    positions[key] = entries.count
                    entries.append(IndexTable.Entry(key: key, primary: range))
                }
            }
        }
        return entries.sorted { $0.key < $1.key }
    }
}

extension MetadataIndex.Chunks {
    init(_ elements: MetadataIndex.Elements) {
        self.init(
            primary: Array(elements.primary), filelists: elements.filelists.map { Array($0) }, other: elements.other.map { Array($0) })
    }
}
