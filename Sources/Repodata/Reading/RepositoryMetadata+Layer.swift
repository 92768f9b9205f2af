package import Compression
package import SystemPackage

/// The documents of a layer as a whole.
extension RepositoryMetadata {
    /// The part of the elements that are new or gone since the base, in the document with most of them. 0
    /// if the metadata is not a layer.
    package var changedPart: Double {
        get throws(RepodataError) {
            var most = 0.0
            for document in MetadataDocument.allCases {
                guard let changes = try changes(of: document) else { continue }
                let count = changes.runs.reduce(0) { $0 + $1.count }
                most = max(most, Double(max(changes.newCount, changes.goneCount)) / Double(max(count, 1)))
            }
            return most
        }
    }

    /// Writes the documents of a layer into the directory `target`, with the bytes that the repository has.
    /// Blocks.
    package func writeDocuments(to target: FilePath) throws(RepodataError) {
        for document in MetadataDocument.allCases {
            guard let changes = try changes(of: document) else { continue }
            let base = try MappedFile(directory.appending(document.fileName))
            guard base.bytes.count == changes.baseSize else {
                throw RepodataError(.malformed, "\(document.changesFileName) is damaged")
            }
            let path = target.appending(document.fileName)
            try RepodataError.io(document.fileName) {
                let file = try FileDescriptor.open(
                    path, .writeOnly, options: [.create, .exclusiveCreate, .closeOnExec],
                    permissions: [.ownerReadWrite, .groupRead, .otherRead])
                try file.closeAfter {
                    try withExtendedLifetime(base) { try changes.forEachPiece(over: base.bytes) { _ = try file.writeAll($0) } }
                }
            }
        }
    }
}
