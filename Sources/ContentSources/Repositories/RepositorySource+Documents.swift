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
    ///   - base: An older revision of the repository. The changes since then are written beside the document.
    /// - Returns: Whether changes were written. `false` if there are too many changes.
    @discardableResult
    func document(
        _ record: Repomd.Record, of location: RepositoryLocation, to directory: FilePath, as fileName: String,
        comparedWith base: RepositoryBase? = nil
    ) async throws(DocumentProblem) -> Bool {
        let name = "\(record.type) (\(record.location))"
        let isXML = fileName.hasSuffix(".xml")
        // A document that is not XML is read into memory as a whole.
        let openLimit = isXML ? limits.metadataOpenBytes : min(limits.modulesOpenBytes, limits.metadataOpenBytes)
        if let openSize = record.openSize, openSize > openLimit { throw .transfer(name, .overLimit(openLimit)) }
        // The extension stays, because it determines the compression.
        let suffix = FilePath(record.location).extension.map { ".\($0)" } ?? ""
        let storedName: PathComponent
        do { storedName = try PathComponent("stored-\(record.type)\(suffix)") } catch {
            throw .content(name, RepodataError(.forbidden, "its location \(error.reason)"))
        }
        let stored = directory.appending(storedName.text)
        do throws(TransferProblem) {
            let file = try SourceTree(location, access).file(record.location, base: record.base)
            try await reader.fetch(file, to: stored, size: record.size, limit: limits.metadataBytes, expecting: record.checksum)
        } catch {
            throw .transfer(name, error)
        }
        return try await threadPool.run(canceled: .transfer(name, .canceled)) { () throws(DocumentProblem) in
            do throws(RepodataError) {
                let document = directory.appending(fileName)
                // The checksum of the stored document has been compared. `open-checksum` would prove nothing more.
                try Compression.decompress(verified: stored, to: document, limit: openLimit, named: record.type)
                if isXML { try MetadataProlog.check(document, named: record.type) }
            } catch {
                throw .content(name, error)
            }
            unlink(stored.string)
            guard let base, let kind = MetadataDocument(rawValue: record.type) else { return false }
            // If the changes cannot be written, the document is kept as a whole.
            return (try? base.writeChanges(of: kind, in: directory)) ?? false
        }
    }
}
