import Glibc
import Repodata
import SystemPackage

/// `filelists.xml`, read for few of its paths.
///
/// The document is by far the largest of a repository, and nearly nothing in it is of interest. libsolv would make objects of all
/// of it, which takes as long as all the rest and several times the memory; walking over the bytes takes neither.
struct FileListsDocument {
    let path: FilePath
    let repository: Checksum

    /// Calls `body` for every path with the `pkgid` of its package. Blocks.
    func forEachFile(_ body: (_ pkgid: UnsafeRawBufferPointer, _ path: UnsafeRawBufferPointer) -> Void) throws(DepsolveError) {
        let document = try MappedDocument(path, of: repository)
        var pkgid: UnsafeRawBufferPointer?
        var isComplete = false
        try document.forEachTag { tag throws(DepsolveError) in
            if tag.isTag("file") {
                // Files of a package without pkgid are nobody's.
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

    /// The value of an attribute of a tag, with white space wherever XML allows it, and with quotes of either kind.
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
