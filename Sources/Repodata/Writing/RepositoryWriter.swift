public import Compression
import Dispatch
import Glibc
public import SystemPackage

/// Writes the `repodata` of one repository: first package by package, then repomd.xml.
///
/// The same packages in the same order with the same options give the same bytes. All functions block.
/// Use it on one thread at a time. If a function throws, the repository cannot be used and its
/// directory should be removed.
public struct RepositoryWriter: ~Copyable {
    public struct Options: Hashable, Sendable {
        /// The compression of the documents. All clients read gzip. Those of RHEL 8 and of Fedora 30 and later
        /// also read Zstandard.
        public var compression: WritableCompression
        /// The revision in repomd.xml.
        public var revision: String
        /// The time of each document, in seconds since 1970.
        public var timestamp: Int

        public init(compression: WritableCompression = .gzip, revision: String, timestamp: Int) {
            self.compression = compression
            self.revision = revision
            self.timestamp = timestamp
        }
    }

    /// A document that does not describe single packages, such as `modules` or `group`.
    public struct ExtraDocument: Hashable, Sendable {
        /// Its `type` in repomd.xml.
        public let type: String
        /// The uncompressed document. Its name becomes a part of the name in the repository.
        public let file: FilePath

        public init(type: String, file: FilePath) {
            self.type = type
            self.file = file
        }
    }

    private let repodata: FilePath
    private let options: Options
    private let packageCount: Int
    private var added = 0
    private let documents: Documents

    /// The three documents that every repository has.
    private struct Documents {
        let primary: DocumentWriter
        let filelists: DocumentWriter
        let other: DocumentWriter

        /// The documents in the order of ``MetadataDocument``.
        var all: [DocumentWriter] { [primary, filelists, other] }

        /// Whether one of the documents should be flushed.
        var isFull: Bool { primary.isFull || filelists.isFull || other.isFull }

        subscript(document: MetadataDocument) -> DocumentWriter {
            switch document {
            case .primary: primary
            case .filelists: filelists
            case .other: other
            }
        }
    }

    /// Creates `directory/repodata`, which must not exist. `directory` must exist. `packageCount` is the
    /// number of packages that will be added.
    public init(directory: FilePath, packageCount: Int, options: Options) throws(RepodataError) {
        try CreaterepoLibrary.prepare()
        let repodata = directory.appending("repodata")
        guard mkdir(repodata.string, 0o755) == 0 else { throw .lastSystemError("repodata") }
        func begin(_ document: MetadataDocument) throws(RepodataError) -> DocumentWriter {
            try DocumentWriter(document, packageCount: packageCount, in: repodata, compression: options.compression)
        }
        documents = Documents(primary: try begin(.primary), filelists: try begin(.filelists), other: try begin(.other))
        self.repodata = repodata
        self.options = options
        self.packageCount = packageCount
    }

    /// Adds a package with its metadata from `index`, as the file at `href` of this repository.
    ///
    /// Throws `.forbidden` for an href that leaves the repository, and `.missing` if `index` does not have
    /// the package.
    /// - Parameter file: the RPM file. It is read if the source has no file list or no change log of the
    ///   package. If it is needed and `nil`, the function throws `.missing`.
    public mutating func add(
        _ record: PackageRecord, from index: MetadataIndex, href: String, file: FilePath? = nil
    ) throws(RepodataError) {
        try RepositoryHref.check(href, in: "a package")
        let isWritten: Bool? = try index.withElements(of: record.pkgid) { (elements) throws(RepodataError) in
            elements.isComplete ? try add(plain: elements, of: record, href: href) : nil
        }
        if let isWritten {
            if !isWritten { try add(try CreaterepoPackage(try index.chunks(of: record.pkgid), of: record), href: href) }
        } else if let file {
            try add(file: file, href: href, pkgid: record.pkgid)
        } else {
            throw RepodataError(
                .missing, "the repository of \(record.nevra) has no file list or no change log of it, and the RPM file was not given")
        }
    }

    /// Adds a package byte for byte, except for the location of its file. Returns `false`, and adds
    /// nothing, if the package's elements are not plain.
    private mutating func add(
        plain elements: MetadataIndex.Elements, of record: PackageRecord, href: String
    ) throws(RepodataError) -> Bool {
        guard let filelists = elements.filelists, let other = elements.other,
            let place = PlainElement.location(in: elements.primary, of: record),
            PlainElement.isPlain(filelists, .filelists, of: record), PlainElement.isPlain(other, .other, of: record)
        else { return false }
        documents.primary.add(UnsafeRawBufferPointer(rebasing: elements.primary[..<place.lowerBound]))
        documents.primary.add("<location href=\"\(PlainElement.escaped(href))\"/>")
        documents.primary.add(UnsafeRawBufferPointer(rebasing: elements.primary[place.upperBound...]))
        documents.filelists.add(filelists)
        documents.other.add(other)
        try endLines()
        return true
    }

    /// Ends the line of a package's elements. The elements of libcreaterepo_c already contain the line end.
    private mutating func endLines() throws(RepodataError) {
        for document in documents.all { document.add("\n") }
        try endPackage()
    }

    private mutating func endPackage() throws(RepodataError) {
        added += 1
        if documents.isFull { try flush() }
    }

    /// Compresses the pending bytes of all documents in parallel.
    private func flush(isLast: Bool = false) throws(RepodataError) {
        let documents = documents.all
        var failures: [RepodataError?] = documents.map { _ in nil }
        failures.withUnsafeMutableBufferPointer { failures in
            // Each call has its own document and its own element of the array.
            nonisolated(unsafe) let (documents, failures) = (documents, failures)
            DispatchQueue.concurrentPerform(iterations: documents.count) { index in
                do throws(RepodataError) {
                    try documents[index].flush(isLast: isLast)
                } catch {
                    failures[index] = error
                }
            }
        }
        if let failure = failures.compactMap(\.self).first { throw failure }
    }

    /// Adds a package whose file stays where it is. Its metadata is copied byte for byte, with the
    /// `xml:base` that it has.
    ///
    /// Throws `.unsupported` if the source sets no ``PackageRecord/base`` for the package, or lacks
    /// filelists or other metadata.
    public mutating func add(referring record: PackageRecord, from index: MetadataIndex) throws(RepodataError) {
        guard let base = record.base, !base.isEmpty, index.isComplete else {
            throw RepodataError(.unsupported, "the metadata of \(record.nevra) cannot refer to its file")
        }
        try index.withElements(of: record.pkgid) { (elements) throws(RepodataError) in
            documents.primary.add(elements.primary)
            // All documents must have the same packages. So a package without files in its source still gets an
            // element.
            let empty = PlainElement.opening(of: record) + "</package>"
            if let filelists = elements.filelists { documents.filelists.add(filelists) } else { documents.filelists.add(empty) }
            if let other = elements.other { documents.other.add(other) } else { documents.other.add(empty) }
        }
        try endLines()
    }

    /// Adds a package from its file alone. `pkgid` is the expected checksum of the file, if it is known.
    /// Throws `.checksumMismatch` if the file has another one.
    public mutating func add(file: FilePath, href: String, pkgid: Checksum? = nil) throws(RepodataError) {
        let algorithm = pkgid?.algorithm ?? .sha256
        let package = try CreaterepoPackage(reading: file, algorithm: algorithm, named: href)
        if let pkgid { try Digest.compare(Checksum(algorithm, hex: package.pkgid), with: pkgid, of: href) }
        try add(package, href: href)
    }

    private mutating func add(_ package: CreaterepoPackage, href: String) throws(RepodataError) {
        try RepositoryHref.check(href, in: "a package")
        try package.dump(href: href) { (document, chunk) in documents[document].add(chunk) }
        try endPackage()
    }

    /// Completes the documents, adds the `extra` ones and writes repomd.xml at the end. Throws `.malformed`
    /// if the number of added packages differs from the announced one.
    public consuming func finish(extra: [ExtraDocument] = []) throws(RepodataError) -> WrittenRepodata {
        guard added == packageCount else {
            throw RepodataError(.malformed, "the repository was announced with \(packageCount) packages but got \(added)")
        }
        try flush(isLast: true)
        var records: [DocumentWriter.Record] = []
        for document in documents.all { records.append(try document.finish()) }
        for document in extra {
            records.append(try DocumentWriter.write(document, in: repodata, compression: options.compression))
        }
        let repomd = try RepomdWriter.write(records, to: repodata, revision: options.revision, timestamp: options.timestamp)
        return WrittenRepodata(
            packageCount: added, size: records.reduce(repomd.size) { $0 + $1.summary.size }, repomdChecksum: repomd.checksum)
    }
}

/// The repodata that a ``RepositoryWriter`` wrote.
public struct WrittenRepodata: Hashable, Sendable {
    public let packageCount: Int
    /// The size of all documents and repomd.xml together, in bytes.
    public let size: Int
    /// The SHA-256 of repomd.xml.
    public let repomdChecksum: Checksum
}
