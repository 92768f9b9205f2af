import Compression
import ForeignText
import Glibc
import NIOPosix
import Repodata
import SystemPackage

extension RepositorySource {
    /// Fetches a metadata document of a repository and decompresses it to the file `fileName` in
    /// `directory`.
    ///
    /// - Parameters:
    ///   - record: The record of the document in repomd.xml.
    ///   - base: An older revision of the repository. The changes since then are written instead of the
    ///     document, if there are few.
    /// - Returns: Whether only changes were written. Then ``wholeDocument(_:of:to:as:)`` can still make the
    ///   document.
    @discardableResult
    func document(
        _ record: Repomd.Record, of location: RepositoryLocation, to directory: FilePath, as fileName: String,
        comparedWith base: RepositoryBase? = nil
    ) async throws(DocumentProblem) -> Bool {
        let name = Self.name(of: record)
        let openLimit = openLimit(of: fileName)
        if let openSize = record.openSize, openSize > openLimit { throw .transfer(name, .overLimit(openLimit)) }
        let file: SourceFile
        do throws(TransferProblem) {
            file = try SourceTree(location, access).file(record.location, base: record.base)
        } catch {
            throw .transfer(name, error)
        }
        guard let base, let kind = MetadataDocument(rawValue: record.type) else {
            try await wholeDocument(record, of: location, to: directory, as: fileName)
            return false
        }
        let isCompared: Bool
        switch file {
        case .local(let file):
            // It is not copied first. A copy would be read twice more.
            let limit = limits.metadataBytes
            isCompared = try await threadPool.run(canceled: .transfer(name, .canceled)) { () throws(DocumentProblem) in
                file.writeChanges(of: kind, since: base, record, limits: (limit, openLimit), to: directory)
            }
        case .remote:
            let stored = try await store(record, of: location, in: directory)
            isCompared = try await threadPool.run(canceled: .transfer(name, .canceled)) { () throws(DocumentProblem) in
                base.writeChanges(of: kind, from: stored, limit: openLimit, to: directory)
            }
        }
        if !isCompared { try await wholeDocument(record, of: location, to: directory, as: fileName) }
        return isCompared
    }

    /// Decompresses a document to the file `fileName` in `directory`. Fetches it if it is not stored
    /// there.
    func wholeDocument(
        _ record: Repomd.Record, of location: RepositoryLocation, to directory: FilePath, as fileName: String
    ) async throws(DocumentProblem) {
        if try !Self.stored(record, in: directory).exists { _ = try await store(record, of: location, in: directory) }
        try await threadPool.run(canceled: .transfer(Self.name(of: record), .canceled)) { () throws(DocumentProblem) in
            try decompress(record, in: directory, as: fileName)
        }
    }

    /// Fetches a document as it is stored at the source. Returns its place in `directory`.
    private func store(
        _ record: Repomd.Record, of location: RepositoryLocation, in directory: FilePath
    ) async throws(DocumentProblem) -> FilePath {
        let stored = try Self.stored(record, in: directory)
        do throws(TransferProblem) {
            let file = try SourceTree(location, access).file(record.location, base: record.base)
            try await reader.fetch(file, to: stored, size: record.size, limit: limits.metadataBytes, expecting: record.checksum)
        } catch {
            throw .transfer(Self.name(of: record), error)
        }
        return stored
    }

    /// Decompresses a stored document that was fetched into `directory`, and removes the stored one.
    /// Blocks.
    private func decompress(_ record: Repomd.Record, in directory: FilePath, as fileName: String) throws(DocumentProblem) {
        let stored = try Self.stored(record, in: directory)
        do throws(RepodataError) {
            let document = directory.appending(fileName)
            // The checksum of the stored document has been compared. `open-checksum` would prove nothing more.
            try Compression.decompress(verified: stored, to: document, limit: openLimit(of: fileName), named: record.type)
            if Self.isXML(fileName) { try MetadataProlog.check(document, named: record.type) }
        } catch {
            throw .content(Self.name(of: record), error)
        }
        unlink(stored.string)
    }

    /// Removes a stored document that is not needed any more.
    static func removeStored(_ record: Repomd.Record, in directory: FilePath) throws(DocumentProblem) {
        unlink(try stored(record, in: directory).string)
    }

    /// Returns the place of a document as it is stored at the source.
    private static func stored(_ record: Repomd.Record, in directory: FilePath) throws(DocumentProblem) -> FilePath {
        // The extension stays, because it determines the compression.
        let suffix = FilePath(record.location).extension.map { ".\($0)" } ?? ""
        do { return directory.appending(try PathComponent("stored-\(record.type)\(suffix)").text) } catch {
            throw .content(name(of: record), RepodataError(.forbidden, "its location \(error.reason)"))
        }
    }

    private static func name(of record: Repomd.Record) -> String { "\(record.type) (\(record.location))" }

    private static func isXML(_ fileName: String) -> Bool { fileName.hasSuffix(".xml") }

    private func openLimit(of fileName: String) -> Int {
        // A document that is not XML is read into memory as a whole.
        Self.isXML(fileName) ? limits.metadataOpenBytes : min(limits.modulesOpenBytes, limits.metadataOpenBytes)
    }
}

extension LocalFile {
    /// Compares the document with that of `base`, and writes the changes into `directory`, like
    /// ``RepositoryBase/writeChanges(of:from:limit:to:)``. Blocks.
    ///
    /// - Parameter limits: The maximum sizes of the document in bytes, as it is stored and decompressed.
    /// - Returns: Whether the changes were written. If anything is wrong with the file, they were not.
    ///   The problem is found when the document is read as a whole.
    fileprivate func writeChanges(
        of document: MetadataDocument, since base: RepositoryBase, _ record: Repomd.Record, limits: (stored: Int, open: Int),
        to directory: FilePath
    ) -> Bool {
        do throws(TransferProblem) {
            return try use { (file) throws(TransferProblem) in
                try file.check(size: record.size)
                guard file.size <= limits.stored else { return false }
                return try file.read { (descriptor) throws(TransferProblem) in
                    base.writeChanges(
                        of: document, from: descriptor, size: file.size, extension: FilePath(record.location).extension,
                        expecting: record.checksum, limit: limits.open, to: directory)
                }
            }
        } catch {
            return false
        }
    }
}
