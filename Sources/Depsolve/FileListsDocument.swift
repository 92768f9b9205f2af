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

    /// Calls `body` for every path with the `pkgid` of its package. The bytes are as in the document, `&` as `&amp;`. Blocks.
    func forEachFile(_ body: (_ pkgid: UnsafeRawBufferPointer, _ path: UnsafeRawBufferPointer) -> Void) throws(DepsolveError) {
        let document = try MappedDocument(path, of: repository)
        var pkgid: UnsafeRawBufferPointer?
        var isComplete = false
        try document.forEachTag { tag throws(DepsolveError) in
            if tag.isTag("file") {
                guard let pkgid, let end = tag.firstIndex(of: UInt8(ascii: ">")) else {
                    throw document.unusable("a file in it has no package")
                }
                if tag[end - 1] != UInt8(ascii: "/") { body(pkgid, UnsafeRawBufferPointer(rebasing: tag[(end + 1)...])) }
            } else if tag.isTag("package") {
                pkgid = Self.attribute("pkgid", of: tag)
                if pkgid == nil { throw document.unusable("a package in it has no pkgid") }
            } else if tag.isTag("/filelists") {
                isComplete = true
            }
        }
        guard isComplete else { throw document.unusable("it has no end of a filelists element, so it is not complete rpm-md") }
    }

    private static func attribute(_ name: String, of tag: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        for quote in [UInt8(ascii: "\""), UInt8(ascii: "'")] {
            let beginning = Array(" \(name)=".utf8) + [quote]
            guard let start = memmem(tag, beginning) else { continue }
            let value = tag[(start + beginning.count)...]
            guard let end = value.firstIndex(of: quote) else { return nil }
            return UnsafeRawBufferPointer(rebasing: value[..<end])
        }
        return nil
    }

    private static func memmem(_ bytes: UnsafeRawBufferPointer, _ wanted: [UInt8]) -> Int? {
        guard bytes.count >= wanted.count else { return nil }
        return (0...bytes.count - wanted.count).first { memcmp(bytes.baseAddress! + $0, wanted, wanted.count) == 0 }
    }
}
