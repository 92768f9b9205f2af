import Compression
import Glibc
import Repodata
import SystemPackage

/// The document `filelists.xml` of a repository, from which only a few paths are needed.
///
/// It is by far the largest document of a repository, and nearly all of it is irrelevant. libsolv would
/// create objects for all of it. That takes as long as loading all other metadata and several times its
/// memory. A walk over the bytes avoids both costs.
struct FileListsDocument {
    let path: FilePath
    let repository: Checksum
    /// The changes of the document, if the file at ``path`` is that of the base.
    var changes: DocumentChanges?

    /// Calls `body` for every path with the `pkgid` of its package. Blocks. Throws `.unusableMetadata` if
    /// the document cannot be read or is not complete.
    func forEachFile(_ body: (_ pkgid: UnsafeRawBufferPointer, _ path: UnsafeRawBufferPointer) -> Void) throws(DepsolveError) {
        let document = try MappedDocument(path, of: repository, changes: changes)
        var pkgid: UnsafeRawBufferPointer?
        var isComplete = false
        try document.forEachTag { tag throws(DepsolveError) in
            if tag.isTag("file") {
                // Without a pkgid, files have no known owner.
                guard let pkgid, let end = tag.endOfTag else { return }
                if tag[end - 1] == UInt8(ascii: "/") { return }
                XMLText.withPlain(UnsafeRawBufferPointer(rebasing: tag[(end + 1)...])) { body(pkgid, $0) }
            } else if tag.isTag("package") {
                pkgid = Self.attribute("pkgid", of: tag)
            } else if tag.isTag("/filelists") {
                isComplete = true
            } else if tag.isTag("filelists"), let end = tag.endOfTag {
                isComplete = tag[end - 1] == UInt8(ascii: "/")
            }
        }
        guard isComplete else { throw document.unusable("it has no end of a filelists element, so it is not complete rpm-md") }
    }

    /// Returns the value of an attribute of a tag. White space is allowed at any place where XML allows it,
    /// and quotes of either kind.
    private static func attribute(_ name: StaticString, of tag: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        var rest = tag[...]
        while let quote = rest.firstIndex(where: { $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "'") }) {
            let beginning = rest[..<quote]
            if beginning.contains(UInt8(ascii: ">")) { return nil }
            let value = rest[(quote + 1)...]
            guard let end = value.firstIndex(of: rest[quote]) else { return nil }
            let isNamed = beginning.split { $0 <= UInt8(ascii: " ") || $0 == UInt8(ascii: "=") }.last?
                .elementsEqual(UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
            if isNamed == true { return UnsafeRawBufferPointer(rebasing: tag[(quote + 1)..<end]) }
            rest = tag[(end + 1)...]
        }
        return nil
    }
}

extension RepositoryMetadata {
    /// Returns the changes of the file lists, if the metadata is a layer that has them.
    func changesOfFileLists() throws(DepsolveError) -> DocumentChanges? {
        do throws(RepodataError) {
            return try changes(of: .filelists)
        } catch {
            throw .unusable(directory.appending("filelists.xml"), of: id, error.message)
        }
    }
}
