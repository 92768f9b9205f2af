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
    /// - Returns: Whether only changes were written. Then ``decompress(_:in:as:)`` can still make the
    ///   document.
    @discardableResult
    func document(
        _ record: Repomd.Record, of location: RepositoryLocation, to directory: FilePath, as fileName: String,
        comparedWith base: RepositoryBase? = nil
    ) async throws(DocumentProblem) -> Bool {
        let name = Self.name(of: record)
        let openLimit = openLimit(of: fileName)
        if let openSize = record.openSize, openSize > openLimit { throw .transfer(name, .overLimit(openLimit)) }
        let stored = try Self.stored(record, in: directory)
        do throws(TransferProblem) {
            let file = try SourceTree(location, access).file(record.location, base: record.base)
            try await reader.fetch(file, to: stored, size: record.size, limit: limits.metadataBytes, expecting: record.checksum)
        } catch {
            throw .transfer(name, error)
        }
        return try await threadPool.run(canceled: .transfer(name, .canceled)) { () throws(DocumentProblem) in
            if let base, let kind = MetadataDocument(rawValue: record.type),
                base.writeChanges(of: kind, from: stored, limit: openLimit, to: directory)
            {
                return true
            }
            try decompress(record, in: directory, as: fileName)
            return false
        }
    }

    /// Decompresses a stored document that was fetched into `directory`, and removes the stored one.
    /// Blocks.
    func decompress(_ record: Repomd.Record, in directory: FilePath, as fileName: String) throws(DocumentProblem) {
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
