public import Compression
import Glibc
public import SystemPackage

/// Writes the uncompressed documents of a repository from the fragments of its packages. The result has
/// the layout of ``RepositoryMetadata`` on disk.
///
/// All functions block. Use it on one thread at a time. If a function throws, the directory cannot be
/// used.
public struct FragmentsWriter: ~Copyable {
    private static let pieceSize = 1 << 20

    private let files: [(document: MetadataDocument, descriptor: FileDescriptor)]
    private var pending: [[UInt8]]

    deinit {
        for file in files { Glibc.close(file.descriptor.rawValue) }
    }

    /// Begins `documents` in `directory`, which must not contain any of them yet. `packageCount` is the
    /// number of packages that will be added.
    public init(directory: FilePath, documents: [MetadataDocument], packageCount: Int) throws(RepodataError) {
        var files: [(document: MetadataDocument, descriptor: FileDescriptor)] = []
        do throws(RepodataError) {
            for document in documents {
                let descriptor = try RepodataError.io(document.rawValue) {
                    try FileDescriptor.open(
                        directory.appending("\(document.rawValue).xml"), .writeOnly, options: [.create, .exclusiveCreate, .closeOnExec],
                        permissions: [.ownerReadWrite, .groupRead, .otherRead])
                }
                files.append((document, descriptor))
            }
        } catch {
            for file in files { Glibc.close(file.descriptor.rawValue) }
            throw error
        }
        self.files = files
        pending = documents.map { Array($0.opening(packageCount: packageCount).utf8) }
    }

    /// Adds the package in `file`. Throws `.forbidden` for an href that leaves the repository.
    public mutating func add(_ fragments: PackageFragments, in file: PackageFragments.File) throws(RepodataError) {
        try RepositoryHref.check(file.href, in: "a package")
        for index in files.indices {
            fragments.append(files[index].document, for: file, to: &pending[index])
            if pending[index].count >= Self.pieceSize { try flush(index) }
        }
    }

    /// Completes the documents.
    public consuming func finish() throws(RepodataError) {
        for index in files.indices {
            pending[index] += "</\(files[index].document.rootElement)>\n".utf8
            try flush(index)
        }
    }

    private mutating func flush(_ index: Int) throws(RepodataError) {
        let file = files[index]
        try RepodataError.io(file.document.rawValue) { _ = try file.descriptor.writeAll(pending[index]) }
        pending[index].removeAll(keepingCapacity: true)
    }
}
